/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nol_full_sources: see struct nol_source. */
#include <bpf/bpf.h>
#include <string.h>

#include "kern_private.h"

#define V4_BITS_BEFORE 96

static void set_mask(__u64 mask[2], unsigned int bits)
{
	__u8 *bytes = (__u8 *)mask;

	for (unsigned int bit = 0; bit < bits; bit++)
		bytes[bit / 8] |= 0x80u >> bit % 8;
}

void kern_bound_sources(struct kern *kern, unsigned int bits_v4, unsigned int bits_v6)
{
	set_mask(kern->skel->bss->nol_source_masks[0], V4_BITS_BEFORE + bits_v4);
	set_mask(kern->skel->bss->nol_source_masks[1], bits_v6);
}

/* Where there is no room for it, what it completes is reset later. */
void kern_set_source_full(struct kern *kern, const struct addr *source, bool is_full)
{
	const int map = bpf_map__fd(kern->skel->maps.nol_full_sources);
	const __u8 value = 1;
	struct nol_source key;

	memcpy(&key, source->bytes, sizeof(key));
	if (!is_full)
		bpf_map_delete_elem(map, &key);
	else if (!bpf_map_update_elem(map, &key, &value, BPF_ANY))
		__atomic_store_n(&kern->skel->bss->nol_has_full_sources, 1, __ATOMIC_RELEASE);
}
