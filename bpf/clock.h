/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The time, without a call into the kernel for most packets (from Linux 6.10 on): what the exact clock said to the first one of this jiffy, on
 * this CPU. The kernel's own coarse clock is no truer, and costs 2 ns, or 18 where returns from its functions are guarded (AMD's SRSO).
 */
#ifndef NOLISTEN_BPF_CLOCK_H
#define NOLISTEN_BPF_CLOCK_H

#include "maps.h"

static __always_inline struct nol_clock *find_clock(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&nol_clock, &zero);
}

/* The jiffy is stored last: who interrupts this finds an old one, and looks for himself. */
static __always_inline __u64 read_clock(struct nol_clock *clock)
{
	const __u64 jiffies = bpf_jiffies64();

	if (clock->jiffies == jiffies)
		return clock->now_ns;
	clock->now_ns = bpf_ktime_get_ns();
	barrier();
	clock->jiffies = jiffies;
	return clock->now_ns;
}

/* CLOCK_MONOTONIC, a jiffy late at most. */
static __always_inline __u64 clock_coarse_ns(void)
{
	struct nol_clock *clock = find_clock();

	return clock ? read_clock(clock) : bpf_ktime_get_ns();
}

/* True, so many times a window on this CPU. */
static __always_inline bool may_take_exact_clock(struct nol_clock *clock, __u32 in_window,
						 __u64 now_ns)
{
	if ((__s64)(now_ns - clock->since_ns) >= (__s64)NOL_CLOCK_WINDOW_NS) {
		clock->since_ns = now_ns;
		clock->taken = 0;
	}
	if (clock->taken >= in_window)
		return false;
	clock->taken++;
	return true;
}

/* Exact, so many times a window. */
static __always_inline __u64 clock_fine_ns(__u32 in_window)
{
	struct nol_clock *clock = find_clock();
	__u64 now_ns;

	if (!clock)
		return bpf_ktime_get_ns();
	now_ns = read_clock(clock);
	if (!may_take_exact_clock(clock, in_window, now_ns))
		return now_ns;
	clock->now_ns = bpf_ktime_get_ns();
	return clock->now_ns;
}

#endif
