/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Objects whose programs are all attached to tracepoints. Seen by kern alone. */
#ifndef NOLISTEN_TRACEPOINTS_H
#define NOLISTEN_TRACEPOINTS_H

#include <linux/types.h>

#include <bpf/libbpf.h>

/* Before the load: a tracepoint that this kernel lacks is one kind of record less, not a failure. 0 or -errno. */
int tracepoints_prepare(struct bpf_object *object);
void tracepoints_tell_missing(const struct bpf_object *object);

/* Of the caller's network namespace, as the kernel knows it. 0 or -errno. */
int tracepoints_netns(__u32 *inum);

#endif
