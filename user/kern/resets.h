/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* RSTs on their way out, and what each of them answers: resets.bpf.o at the tracepoints. It only looks. */
#ifndef NOLISTEN_RESETS_H
#define NOLISTEN_RESETS_H

#include <linux/types.h>

#include <abi/resets.h>

#include "load_failure.h"
#include "trace.h"

struct resets;

/* Attach, for the network namespace of the caller. Errors are logged. */
int resets_open(struct resets **out, const struct trace_options *options);
/* Would it load? Nothing is attached, nothing logged. */
int resets_probe(struct load_failure *failure);
void resets_close(struct resets *resets); /* NULL is legal */

/* Does TCP tell of each RST that it sends, and why (Linux 6.10)? */
bool resets_has_reasons(const struct resets *resets);

/* Readable when there are records. */
int resets_fd(const struct resets *resets);
/* All that is there; their number or -errno. Never waits. */
typedef void (*reset_fn)(void *context, const struct nol_reset *reset);
int resets_consume(struct resets *resets, reset_fn fn, void *context);
void resets_counters_read(const struct resets *resets, struct nol_trace_counters *out);

#endif
