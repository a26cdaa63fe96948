/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How long the calling thread may run before others on its CPU have their turn (EEVDF, Linux 6.12). Who asks for little has
 * its turn soon after it is woken, for the same share of the CPU.
 */
#ifndef NOLISTEN_TIME_SLICE_H
#define NOLISTEN_TIME_SLICE_H

#include <stdint.h>

/*
 * Of this thread and those that it makes from then on: the kernel takes 0.1 to 100 ms, and 0 for its own choice. Nice value and
 * policy stay, another slice does not. 0, also where an older kernel does not listen, or the policy is another than SCHED_OTHER; or -errno.
 */
int time_slice_set(uint64_t slice_ns);

#endif
