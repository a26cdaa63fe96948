/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "endpoint_parents.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_v4_parent(const struct nol_endpoint *value, int i)
{
	return value->are_ipv4 >> i & 1;
}

static bool is_at(const struct nol_endpoint *value, const struct addr *addr)
{
	if (addr_is_v4(addr))
		return !memcmp(value->addr_v4, addr->bytes + 12, sizeof(value->addr_v4));
	return !memcmp(value->addr, addr->bytes, sizeof(value->addr));
}

int endpoint_find_parent(const struct nol_endpoint *value, const struct endpoint *at)
{
	for (int i = 0; i < value->count; i++)
		if (value->ports[i] == at->port &&
		    is_v4_parent(value, i) == addr_is_v4(&at->addr) && is_at(value, &at->addr))
			return i;
	return -ENOENT;
}

void endpoint_parent_at(const struct nol_endpoint *value, int i, struct endpoint *out)
{
	out->addr =
		is_v4_parent(value, i) ? addr_from_v4(value->addr_v4) : addr_from_v6(value->addr);
	out->port = value->ports[i];
}

/* Of that family. */
static bool has_parent(const struct nol_endpoint *value, bool is_v4)
{
	for (int i = 0; i < value->count; i++)
		if (is_v4_parent(value, i) == is_v4)
			return true;
	return false;
}

static void set_address(struct nol_endpoint *value, const struct addr *addr)
{
	if (addr_is_v4(addr))
		memcpy(value->addr_v4, addr->bytes + 12, sizeof(value->addr_v4));
	else
		memcpy(value->addr, addr->bytes, sizeof(value->addr));
}

int endpoint_add_parent(struct nol_endpoint *value, const struct endpoint *parent)
{
	const bool is_v4 = addr_is_v4(&parent->addr);

	if (endpoint_find_parent(value, parent) >= 0)
		return 0;
	if (has_parent(value, is_v4) && !is_at(value, &parent->addr))
		return -EINVAL;
	if (value->count == NOL_ENDPOINT_PARENTS)
		return -ENOSPC;
	set_address(value, &parent->addr);
	value->are_ipv4 |= (uint64_t)is_v4 << value->count;
	value->ports[value->count++] = parent->port;
	return 0;
}

void endpoint_remove_parent(struct nol_endpoint *value, int i)
{
	const int last = --value->count;
	const uint64_t is_last_v4 = value->are_ipv4 >> last & 1;

	value->ports[i] = value->ports[last];
	value->ports[last] = 0;
	value->are_ipv4 = (value->are_ipv4 & ~(1ull << i)) | is_last_v4 << i;
	value->are_ipv4 &= ~(1ull << last);
}
