/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's own account of TCP handshakes: loads trace.bpf.o, attaches it to the tracepoints and hands out steps. It only
 * looks; everything detaches when the process ends.
 */
#ifndef NOLISTEN_TRACE_H
#define NOLISTEN_TRACE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/trace.h>

#include "addr.h"
#include "load_failure.h"

struct trace;

struct trace_options {
	uint32_t ifindex; /* of this network namespace */
	uint16_t port; /* local or remote; 0: any */
	const struct addr *remote; /* NULL: any */
};

/* What stands between the interface and the tracepoints. */
enum trace_xdp {
	TRACE_XDP_NONE,
	TRACE_XDP_GENERIC, /* behind packet in: what it drops is seen, what it sends back is not */
	TRACE_XDP_NATIVE, /* in front of packet in: what it drops or sends back is not seen */
};

/* Attach, for the network namespace of the caller. A loader on the interface is noticed now, not later. Errors are logged. */
int trace_open(struct trace **out, const struct trace_options *options);
/* Would it load? Nothing is attached, nothing logged. */
int trace_probe(struct load_failure *failure);
void trace_close(struct trace *trace); /* NULL is legal */

enum trace_xdp trace_xdp(const struct trace *trace);
bool trace_has_loader(const struct trace *trace); /* the XDP program is nolisten's */

/* Readable when there are steps. */
int trace_fd(const struct trace *trace);
/* All that is there; their number or -errno. Never waits. */
typedef void (*trace_step_fn)(void *context, const struct nol_step *step);
int trace_consume(struct trace *trace, trace_step_fn fn, void *context);
void trace_counters_read(const struct trace *trace, struct nol_trace_counters *out);

#endif
