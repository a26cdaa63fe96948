/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "proxy_header.h"

#include <string.h>

#include "bytes.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define SIGNATURE_LEN 12
#define VERSION_2_PROXY 0x21
#define TCP_OVER_IPV4 0x11
#define TCP_OVER_IPV6 0x21

static uint8_t *put_addr(uint8_t *at, const struct addr *addr, size_t len)
{
	memcpy(at, addr->bytes + sizeof(addr->bytes) - len, len);
	return at + len;
}

static uint8_t *put_u16(uint8_t *at, uint16_t value)
{
	bytes_put16(at, value);
	return at + 2;
}

size_t proxy_header_write(uint8_t out[PROXY_HEADER_MAX], const struct tuple *tuple)
{
	const bool is_ipv4 = addr_is_v4(&tuple->remote.addr) && addr_is_v4(&tuple->local.addr);
	const size_t addr_len = is_ipv4 ? 4 : 16;
	uint8_t *at = out;

	memcpy(at, SIGNATURE, SIGNATURE_LEN);
	at += SIGNATURE_LEN;
	*at++ = VERSION_2_PROXY;
	*at++ = is_ipv4 ? TCP_OVER_IPV4 : TCP_OVER_IPV6;
	at = put_u16(at, (uint16_t)(2 * addr_len + 4));
	at = put_addr(at, &tuple->remote.addr, addr_len);
	at = put_addr(at, &tuple->local.addr, addr_len);
	at = put_u16(at, tuple->remote.port);
	at = put_u16(at, tuple->local.port);
	return (size_t)(at - out);
}
