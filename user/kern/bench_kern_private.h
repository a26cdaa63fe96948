/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the bench_*.c of this folder share. */
#ifndef NOLISTEN_BENCH_KERN_PRIVATE_H
#define NOLISTEN_BENCH_KERN_PRIVATE_H

#include "bench_kern.h"

#include <bench.skel.h>

struct bench_kern {
	struct bench_bpf *skel;
};

#endif
