/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The running kernel's own names: of drop and reset reasons from its BTF, of functions from /proc/kallsyms. */
#ifndef NOLISTEN_TRACE_NAMES_H
#define NOLISTEN_TRACE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define TRACE_NAME_SIZE 64

struct trace_names;

int trace_names_new(struct trace_names **out); /* logged */
void trace_names_free(struct trace_names *names); /* NULL is legal */

/* "NO_SOCKET", or the number if the kernel has no name for it. */
void trace_names_drop(const struct trace_names *names, uint32_t reason, char out[TRACE_NAME_SIZE]);
void trace_names_reset(const struct trace_names *names, uint32_t reason, char out[TRACE_NAME_SIZE]);

/* "tcp_v4_rcv"; "?" where the kernel hides its addresses (kptr_restrict). Of modules loaded since they are read again. */
void trace_names_function(struct trace_names *names, uint64_t address, char out[TRACE_NAME_SIZE]);

#endif
