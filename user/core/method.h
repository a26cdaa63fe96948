/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The method that the configuration asks for: its parts, and the BPF programs that it may need. */
#ifndef NOLISTEN_METHOD_H
#define NOLISTEN_METHOD_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "cwnd.h"
#include "kern.h"
#include "link_watch.h"
#include "method_parts.h"
#include "methods.h"
#include "plan.h"
#include "socket_maker.h"

struct method_kind;

/* Borrowed until it is closed: config and link. */
struct method {
	const struct method_kind *kind;
	const struct config *config;
	const struct link_info *link;
	struct kern *kern; /* NULL: the method does without BPF */
	struct addr parent; /* where the listeners of method accept are */
	struct cwnd *cwnd; /* NULL: it cannot, or need not, set congestion windows */
	struct gate *gate;
	struct flows *flows;
	struct flows *bounded_flows; /* the same, if sources are bounded; else NULL */
	struct wire *wire; /* see struct method_parts */
	struct capture *capture; /* NULL: nothing is captured */
};

/* Make it ready; the host is not touched. Errors are logged. */
int method_open(struct method *out, const struct config *config, const struct link_info *link);
/* What a worker has of it: to be freed. The wires before the method, the makers before their wires. -errno. */
int method_open_wire(struct method *method, uint32_t worker, struct wire **out);
/* *out is NULL where the kernel makes the sockets. */
int method_open_maker(struct method *method, struct wire *wire, struct socket_maker **out);
/* What the kernel's own sockets do may ask for other timeouts. */
void method_adjust(const struct method *method, struct engine_settings *settings);
/* -errno, logged: attaching would fail so. Without BPF *out is all zero. */
int method_plan(const struct method *method, struct kern_plan *out);
void method_close(struct method *method); /* detaches; what was never opened is legal */

/* For people: "method engine, xdp native, guard tcx"; and who listens where. */
void method_format(const struct method *method, char *text, size_t size);
/* Where method accept listens; of other methods 0. How many there are. */
size_t method_parents(const struct method *method, struct endpoint out[NOL_WORKERS_MAX]);
/* How the programs are attached; "none" without them. */
void method_set_standby(const struct method *method, bool is_on); /* see kern_set_standby() */
const char *method_xdp_text(const struct method *method);
const char *method_tc_text(const struct method *method);

#endif
