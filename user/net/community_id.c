/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* SHA-1 over seed, addresses, protocol and ports, the smaller end first. */
#include "community_id.h"

#include <string.h>

#include <nettle/base64.h>
#include <nettle/sha1.h>

struct input {
	uint8_t bytes[2 + 2 * sizeof(struct addr) + 2 + 2 * 2];
	size_t len;
};

static void add(struct input *input, const void *bytes, size_t len)
{
	memcpy(input->bytes + input->len, bytes, len);
	input->len += len;
}

static void add_number(struct input *input, uint16_t number)
{
	const uint8_t bytes[] = {(uint8_t)(number >> 8), (uint8_t)number};

	add(input, bytes, sizeof(bytes));
}

static void add_addr(struct input *input, const struct addr *addr)
{
	if (addr_is_v4(addr))
		add(input, addr->bytes + 12, 4);
	else
		add(input, addr->bytes, sizeof(addr->bytes));
}

static bool is_smaller(const struct endpoint *a, const struct endpoint *b)
{
	const int order = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return order < 0 || (!order && a->port < b->port);
}

void community_id(const struct tuple *tuple, uint16_t seed, char out[COMMUNITY_ID_LEN])
{
	const bool is_local_first = is_smaller(&tuple->local, &tuple->remote);
	const struct endpoint *first = is_local_first ? &tuple->local : &tuple->remote;
	const struct endpoint *second = is_local_first ? &tuple->remote : &tuple->local;
	const uint8_t protocol[] = {IPPROTO_TCP, 0};
	struct input input = {.len = 0};
	uint8_t digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx sha1;

	_Static_assert(2 + BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE) == COMMUNITY_ID_LEN, "");
	add_number(&input, seed);
	add_addr(&input, &first->addr);
	add_addr(&input, &second->addr);
	add(&input, protocol, sizeof(protocol));
	add_number(&input, first->port);
	add_number(&input, second->port);
	sha1_init(&sha1);
	sha1_update(&sha1, input.len, input.bytes);
	sha1_digest(&sha1, sizeof(digest), digest);
	memcpy(out, "1:", 2);
	base64_encode_raw(out + 2, sizeof(digest), digest);
}
