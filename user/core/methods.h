/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is to be known of a method before it is opened. */
#ifndef NOLISTEN_METHODS_H
#define NOLISTEN_METHODS_H

#include <stdbool.h>

#include "config.h"
#include "kern.h"
#include "link_watch.h"

bool method_needs_bpf(enum nol_method method);
/* Can several workers do it? */
bool method_can_share(enum nol_method method);

/* Does the kernel make the sockets by itself? Then nobody but the service tells of their end. */
bool method_accepts(enum nol_method method);
/* May others have what they accept at? Not while their sources are counted. */
bool method_lends(const struct config *config);
/* Is it heard of the end of sockets? */
bool method_watches(const struct config *config);
/* Does a kernel socket take part in the handshake? */
bool method_connects_back(enum nol_method method);

/* What the configuration makes of the main object. */
void method_kern_options(struct kern_options *out, const struct config *config,
			 const struct link_info *link);

#endif
