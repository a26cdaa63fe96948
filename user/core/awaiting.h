/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Method accept: what completed handshakes with endpoints that have no listener yet, until they have one. Of the main thread. */
#ifndef NOLISTEN_AWAITING_H
#define NOLISTEN_AWAITING_H

#include <stdbool.h>

#include "addr.h"
#include "kern.h"
#include "link_watch.h"
#include "loop.h"

struct awaiting;

/* come: somebody has connected to there. Everything is borrowed. */
int awaiting_new(struct awaiting **out, struct kern *kern, const struct link_info *link,
		 struct loop *loop, void (*come)(void *context, const struct endpoint *local),
		 void *context);
void awaiting_free(struct awaiting *awaiting);

/* Back into the stack with all that waits for nobody any more: it gets its socket, or the kernel's RST. */
void awaiting_release(struct awaiting *awaiting,
		      bool (*is_waiting)(void *context, const struct endpoint *local));

#endif
