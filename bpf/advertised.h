/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a SYN-ACK to this remote advertises, and which options of its SYN are agreed to. */
#ifndef NOLISTEN_BPF_ADVERTISED_H
#define NOLISTEN_BPF_ADVERTISED_H

#include "maps.h"
#include "options.h"

static __always_inline const struct nol_advertised *find_route(const struct facts *facts)
{
	struct nol_prefix_key key = {.bits = 128};

	__builtin_memcpy(key.addr, facts->key.remote_addr, sizeof(key.addr));
	return bpf_map_lookup_elem(&nol_routes, &key);
}

/* By value: whatever has it, what follows is the same. */
static __always_inline struct nol_advertised find_advertised(const struct nol_cookie *config,
							     const struct facts *facts)
{
	const struct nol_advertised *found = config->has_routes ? find_route(facts) : NULL;

	if (found)
		return *found;
	return facts->is_ipv4 ? config->v4 : config->v6;
}

/* Options that a sysctl has turned off were never there; nor those that would be of help to who guesses. */
static __always_inline void decline_options(const struct nol_cookie *config,
					    struct options *options)
{
	options->has &= config->offers;
	if (config->is_wary && !(options->has & NOL_OFFER_TIMESTAMPS))
		options->has = 0;
}

#endif
