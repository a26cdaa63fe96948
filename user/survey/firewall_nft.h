/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the reader of nft's JSON is made of. Seen by firewall_nft*.c only. */
#ifndef NOLISTEN_FIREWALL_NFT_H
#define NOLISTEN_FIREWALL_NFT_H

#include <jansson.h>

#include "firewall.h"

struct nft_parse {
	struct firewall *firewall;
	const json_t *items; /* the whole listing */
	struct firewall_chain *chain; /* whose rule it is */
};

/* The elements of "@name" in the chain's table; NULL: there is no such set or map. */
const json_t *nft_find_elements(const struct nft_parse *parse, const char *name);

/* left op right, as one condition or several. What is not understood is FIREWALL_UNKNOWN. 0 or -ENOMEM. */
int nft_add_match(const struct nft_parse *parse, struct firewall_rule *rule, const json_t *left,
		  const json_t *right, const char *op);
int nft_copy_matches(const struct firewall_rule *from, struct firewall_rule *to);

/* "tcp dport 80 drop"; what cannot be told is "...". To be freed; NULL: no memory. */
char *nft_text_of_rule(const json_t *statements);
/* "10.9.0.1:443", ":445", "a map". */
char *nft_text_of_target(const json_t *body);

#endif
