/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The method that the options ask for, with the BPF programs that it may need. */
#ifndef NOLISTEN_METHOD_H
#define NOLISTEN_METHOD_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "kern.h"
#include "link_watch.h"
#include "packet_io.h"

struct method {
	const char *name; /* as the options have it */
	struct kern *kern; /* NULL: the method does without BPF */
	struct packet_io *io; /* the first worker's */
};

bool method_needs_bpf(enum nol_method method);

/* What they make of the main object. */
void method_kern_options(struct kern_options *out, const struct config *config,
			 const struct link_info *link);

/* Make it ready; the host is not touched. Errors are logged. */
int method_open(struct method *out, const struct config *config, const struct link_info *link);
/* The ring of another worker: what method_engine.h says. With BPF only. */
int method_open_ring(struct method *method, const struct config *config,
		     const struct link_info *link, uint32_t worker, struct packet_io **out);
/* Errors are logged. */
int method_attach(struct method *method);
/* Going away: from now on packets pass, while the guard still keeps the kernel's RSTs in. */
void method_stop_holding(struct method *method);
void method_beat(struct method *method); /* once a second */
void method_close(struct method *method); /* detaches; what was never opened is legal */

/* For people: "method engine, xdp native, guard tcx". */
void method_format(const struct method *method, char *text, size_t size);
/* How the programs are attached; "none" without them. */
const char *method_xdp_text(const struct method *method);
const char *method_tc_text(const struct method *method);

#endif
