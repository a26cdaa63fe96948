/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counters: count(held_syn) adds one to nol_stats' field of that name, on this CPU. */
#ifndef NOLISTEN_BPF_STATS_H
#define NOLISTEN_BPF_STATS_H

#include "maps.h"

static __always_inline struct nol_stats *find_stats(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&nol_stats, &zero);
}

#define count(name)                                  \
	({                                           \
		struct nol_stats *_s = find_stats(); \
                                                     \
		if (_s)                              \
			_s->name++;                  \
	})

#endif
