/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Prefixes of both families: an IPv4 prefix is 96 bits longer than it is written. */
#include "addr.h"

#include <stdio.h>
#include <string.h>

#include "numbers.h"

#define V4_BITS_BEFORE 96

static bool has_same_start(const struct addr *a, const struct addr *b, unsigned int bits)
{
	unsigned int bytes = bits / 8, rest = bits % 8;

	if (memcmp(a->bytes, b->bytes, bytes))
		return false;
	return !rest || !((a->bytes[bytes] ^ b->bytes[bytes]) >> (8 - rest));
}

static bool has_host_bits(const struct addr *addr, unsigned int bits)
{
	unsigned int byte;

	for (byte = bits / 8; byte < 16; byte++) {
		uint8_t host_mask = byte == bits / 8 ? 0xff >> bits % 8 : 0xff;

		if (addr->bytes[byte] & host_mask)
			return true;
	}
	return false;
}

bool prefix_parse(const char *text, struct prefix *out)
{
	unsigned int bits_before = strchr(text, ':') ? 0 : V4_BITS_BEFORE;
	size_t len = strcspn(text, "/");
	uint64_t bits = 128 - bits_before;
	char address[ADDR_TEXT_SIZE];
	struct addr addr;

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (!addr_parse(address, &addr))
		return false;
	if (text[len] && !number_parse(text + len + 1, 0, 128 - bits_before, &bits))
		return false;
	bits += bits_before;
	if (has_host_bits(&addr, (unsigned int)bits))
		return false;
	out->addr = addr;
	out->bits = (uint8_t)bits;
	return true;
}

bool prefix_contains(const struct prefix *prefix, const struct addr *addr)
{
	return has_same_start(&prefix->addr, addr, prefix->bits);
}

void prefix_format(const struct prefix *prefix, char text[ADDR_TEXT_SIZE + 4])
{
	unsigned int bits = prefix->bits;
	char address[ADDR_TEXT_SIZE];

	if (addr_is_v4(&prefix->addr))
		bits -= V4_BITS_BEFORE;
	addr_format(&prefix->addr, address);
	snprintf(text, ADDR_TEXT_SIZE + 4, "%s/%u", address, bits);
}
