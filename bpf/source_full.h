/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Method accept: sources that hold as much as they may. User space counts, and resets what it has accepted for nothing; but it
 * would be flooded, and the queue before it, so that it says here whose cookies are worth nothing.
 */
#ifndef NOLISTEN_BPF_SOURCE_FULL_H
#define NOLISTEN_BPF_SOURCE_FULL_H

#include "facts.h"
#include "maps.h"
#include "verifier.h"

LOOKED_AT_ONCE bool is_source_full(const struct facts *facts)
{
	const __u64 *remote;
	struct nol_source source;

	if (!facts)
		return false;
	remote = (const __u64 *)facts->key.remote_addr;
	for (int i = 0; i < 2; i++)
		source.words[i] = remote[i] & nol_source_masks[!facts->is_ipv4][i];
	return bpf_map_lookup_elem(&nol_full_sources, &source);
}

#endif
