/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The method that the configuration asks for: its parts, and the BPF programs that it may need. */
#ifndef NOLISTEN_METHOD_H
#define NOLISTEN_METHOD_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "kern.h"
#include "link_watch.h"
#include "method_parts.h"
#include "methods.h"
#include "socket_maker.h"

struct method_kind;

/* Borrowed until it is closed: config and link. */
struct method {
	const struct method_kind *kind;
	const struct config *config;
	const struct link_info *link;
	struct kern *kern; /* NULL: the method does without BPF */
	struct gate *gate;
	struct flows *flows;
	struct wire *wire; /* see struct method_parts */
};

/* Make it ready; the host is not touched. Errors are logged. */
int method_open(struct method *out, const struct config *config, const struct link_info *link);
/* What a worker has of it: to be freed. The wires before the method, the makers before their wires. -errno. */
int method_open_wire(struct method *method, uint32_t worker, struct wire **out);
int method_open_maker(struct method *method, struct wire *wire, struct socket_maker **out);
/* Of a new link: the kernel's own settings may ask for other timeouts. */
void method_adjust(const struct method *method, struct engine_config *engine);
void method_close(struct method *method); /* detaches; what was never opened is legal */

/* For people: "method engine, xdp native, guard tcx". */
void method_format(const struct method *method, char *text, size_t size);
/* How the programs are attached; "none" without them. */
const char *method_xdp_text(const struct method *method);
const char *method_tc_text(const struct method *method);

#endif
