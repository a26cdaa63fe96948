/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The counters are all 64-bit words. */
#include "rates.h"

#include "clock.h"

static void divide(struct nol_stats *per_s, const struct nol_stats *now,
		   const struct nol_stats *last, uint64_t passed_ns)
{
	const __u64 *to = (const __u64 *)now, *from = (const __u64 *)last;
	__u64 *out = (__u64 *)per_s;

	for (size_t i = 0; i < sizeof(*now) / sizeof(__u64); i++)
		out[i] = (__u64)((double)(to[i] - from[i]) * CLOCK_NS_PER_S / (double)passed_ns +
				 0.5);
}

void rates_beat(struct rates *rates, struct gate *gate, uint64_t now_ns)
{
	struct nol_stats now;

	if (gate->ops->read_stats(gate, &now) || now_ns <= rates->last_ns)
		return;
	if (rates->last_ns)
		divide(&rates->per_s, &now, &rates->last, now_ns - rates->last_ns);
	rates->last = now;
	rates->last_ns = now_ns;
}
