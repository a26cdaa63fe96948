/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Elements of sets whose type is an address, a port and perhaps another address and port, written in one message. */
#ifndef NOLISTEN_NFT_LEASES_H
#define NOLISTEN_NFT_LEASES_H

#include "addr.h"
#include "nft.h"

#define NFT_LEASES_MAX 64

struct nft_leases {
	const char *table, *set; /* of an inet table that belongs to nft */
	bool has_remote; /* the type has the remote end too */
	bool is_renewal; /* they may be there already: their time begins anew */
	const struct tuple *tuples; /* of one family */
	size_t count; /* at most NFT_LEASES_MAX */
};

/*
 * All or none: 0, or the kernel's -errno. A command of nft takes some ten questions and answers before it says anything; a segment's
 * answer is faster.
 */
int nft_add_leases(struct nft *nft, const struct nft_leases *leases);

#endif
