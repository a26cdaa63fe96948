/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whose is it already? As bind(2) sees it. */
#include <netinet/tcp.h>

#include "endpoints_private.h"
#include "sock_diag.h"

static bool share_addresses(const struct prefix *a, bool is_a_v6only, const struct prefix *b,
			    bool is_b_v6only)
{
	if ((is_a_v6only && addr_is_v4(&b->addr)) || (is_b_v6only && addr_is_v4(&a->addr)))
		return false;
	return a->bits < b->bits ? prefix_contains(a, &b->addr) : prefix_contains(b, &a->addr);
}

bool endpoints_meet(const struct endpoints *endpoints, uint32_t client,
		    const struct offered *offered)
{
	const struct prefix at = offered_prefix(offered);

	for (size_t i = 0; i < endpoints->count; i++) {
		const struct row *row = endpoints->rows[i];

		if (endpoint_is_offered(row) && row->client != client &&
		    row->port == offered->local.port &&
		    share_addresses(&row->at, row->value.is_v6only, &at, offered->is_v6only))
			return true;
	}
	return false;
}

bool endpoints_meet_claim(const struct endpoints *endpoints, uint32_t client,
			  const struct claim *claim, uint16_t *port)
{
	for (size_t i = 0; i < endpoints->count; i++) {
		struct row *row = endpoints->rows[i];
		struct claim one = {.prefixes = &row->at, .prefix_count = 1};

		port_set_add(&one.ports, row->port);
		if (endpoint_is_offered(row) && row->client != client &&
		    claim_meets(&one, claim, port))
			return true;
	}
	return false;
}

struct search {
	struct prefix at;
	const struct offered *offered;
	bool is_found;
};

static void compare_listener(void *context, const struct tuple *tuple, uint8_t tcp_state)
{
	struct search *search = context;
	const struct offered there = {.local = tuple->local};
	const struct prefix at = offered_prefix(&there);

	(void)tcp_state;
	search->is_found |= tuple->local.port == search->offered->local.port &&
			    share_addresses(&at, false, &search->at, search->offered->is_v6only);
}

bool endpoints_has_listener(const struct offered *offered)
{
	struct search search = {.at = offered_prefix(offered), .offered = offered};

	sock_diag_visit(1u << TCP_LISTEN, compare_listener, &search);
	return search.is_found;
}
