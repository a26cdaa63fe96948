/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A token bucket that BPF programs on several processors and threads of user space take from: so many a second, and as many
 * at once. It is one word, the time at which all that was taken will have been paid for, so that one
 * compare-and-swap takes a token: nobody waits for anybody, and no token is given twice. Who loses the swap tries again a few times and then
 * does without, which only so many takers at the same instant can bring about.
 *
 * The takers' clocks may be apart, as the coarse one is from the exact one: whose is behind finds fewer tokens.
 */
#ifndef NOLISTEN_ABI_LIMIT_H
#define NOLISTEN_ABI_LIMIT_H

#define NOL_LIMIT_BURST_NS 1000000000ull
#define NOL_LIMIT_TRIES 4

#define NOL_LIMIT_INLINE static inline __attribute__((always_inline))

struct nol_limit {
	__u64 paid_ns; /* CLOCK_MONOTONIC; 0 at the start: full */
	__u64 interval_ns; /* of a token; 0: nothing ever. Written by user space, once */
};
_Static_assert(sizeof(struct nol_limit) == 16, "nol_limit changed its size");

NOL_LIMIT_INLINE void nol_limit_set(struct nol_limit *limit, __u32 per_s)
{
	limit->paid_ns = 0;
	limit->interval_ns = per_s ? NOL_LIMIT_BURST_NS / per_s : 0;
	if (per_s && !limit->interval_ns)
		limit->interval_ns = 1;
}

/* What paid_ns becomes by one more token; false: there is none. */
NOL_LIMIT_INLINE _Bool nol_limit_pay(const struct nol_limit *limit, __u64 paid_ns, __u64 now_ns,
				     __u64 *next_ns)
{
	const __u64 interval_ns = limit->interval_ns;

	*next_ns = ((__s64)(paid_ns - now_ns) > 0 ? paid_ns : now_ns) + interval_ns;
	return interval_ns && *next_ns - now_ns <= NOL_LIMIT_BURST_NS;
}

/* Is there a token? It may be gone when it is to be taken. */
NOL_LIMIT_INLINE _Bool nol_limit_has(const struct nol_limit *limit, __u64 now_ns)
{
	__u64 next_ns;

	return nol_limit_pay(limit, *(const volatile __u64 *)&limit->paid_ns, now_ns, &next_ns);
}

/* True: there was one, and it is taken. */
NOL_LIMIT_INLINE _Bool nol_limit_take(struct nol_limit *limit, __u64 now_ns)
{
	for (int i = 0; i < NOL_LIMIT_TRIES; i++) {
		const __u64 paid_ns = *(volatile __u64 *)&limit->paid_ns;
		__u64 next_ns;

		if (!nol_limit_pay(limit, paid_ns, now_ns, &next_ns))
			return 0;
		if (__sync_val_compare_and_swap(&limit->paid_ns, paid_ns, next_ns) == paid_ns)
			return 1;
	}
	return 0;
}

#endif
