/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses, and what kind each is. */
#include "addr.h"

#include <arpa/inet.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

struct addr addr_from_v4(const void *four_bytes)
{
	struct addr addr;

	memcpy(addr.bytes, mapped_prefix, 12);
	memcpy(addr.bytes + 12, four_bytes, 4);
	return addr;
}

struct addr addr_from_v6(const void *sixteen_bytes)
{
	struct addr addr;

	memcpy(addr.bytes, sixteen_bytes, 16);
	return addr;
}

bool addr_parse(const char *text, struct addr *out)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		*out = addr_from_v4(bytes);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*out = addr_from_v6(bytes);
	else
		return false;
	return true;
}

void addr_format(const struct addr *addr, char text[ADDR_TEXT_SIZE])
{
	if (addr_is_v4(addr))
		inet_ntop(AF_INET, addr->bytes + 12, text, ADDR_TEXT_SIZE);
	else
		inet_ntop(AF_INET6, addr->bytes, text, ADDR_TEXT_SIZE);
}

bool addr_is_v4(const struct addr *addr)
{
	return !memcmp(addr->bytes, mapped_prefix, 12);
}

bool addr_is_equal(const struct addr *a, const struct addr *b)
{
	return !memcmp(a->bytes, b->bytes, 16);
}

bool addr_is_loopback(const struct addr *addr)
{
	if (addr_is_v4(addr))
		return addr->bytes[12] == 127;
	return !memcmp(addr->bytes, &in6addr_loopback, 16);
}

bool addr_is_multicast(const struct addr *addr)
{
	if (addr_is_v4(addr))
		return addr->bytes[12] >> 4 == 14;
	return addr->bytes[0] == 0xff;
}

bool addr_is_link_local(const struct addr *addr)
{
	if (addr_is_v4(addr))
		return addr->bytes[12] == 169 && addr->bytes[13] == 254;
	return addr->bytes[0] == 0xfe && addr->bytes[1] >> 6 == 2;
}

bool addr_is_unspecified(const struct addr *addr)
{
	size_t offset = addr_is_v4(addr) ? 12 : 0;

	return !memcmp(addr->bytes + offset, &in6addr_any, 16 - offset);
}

bool addr_is_one_host(const struct addr *addr)
{
	static const uint8_t broadcast[4] = {255, 255, 255, 255};

	return !addr_is_unspecified(addr) && !addr_is_multicast(addr) &&
	       !(addr_is_v4(addr) && !memcmp(addr->bytes + 12, broadcast, 4));
}

bool addr_is_valid_source(const struct addr *addr)
{
	if (addr_is_v4(addr))
		return addr->bytes[12] != 0 && addr->bytes[12] != 127 && addr->bytes[12] < 224;
	return !addr_is_multicast(addr) && !addr_is_unspecified(addr) && !addr_is_loopback(addr);
}
