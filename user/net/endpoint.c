/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses with ports: their text, and the kernel's form. */
#include "addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "numbers.h"

void endpoint_format(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_SIZE])
{
	const char *form = addr_is_v4(&endpoint->addr) ? "%s:%hu" : "[%s]:%hu";
	char addr[ADDR_TEXT_SIZE];

	addr_format(&endpoint->addr, addr);
	snprintf(text, ENDPOINT_TEXT_SIZE, form, addr, endpoint->port);
}

/* The address in front of the last colon, its brackets taken off. */
static bool parse_host(const char *text, size_t len, struct addr *out)
{
	bool has_brackets = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	char host[ADDR_TEXT_SIZE];

	if (has_brackets) {
		text++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	return has_brackets == !!strchr(host, ':') && addr_parse(host, out);
}

bool endpoint_parse(const char *text, struct endpoint *out)
{
	const char *colon = strrchr(text, ':');
	struct addr addr;
	uint64_t port;

	if (!colon || !number_parse(colon + 1, 1, 65535, &port))
		return false;
	if (!parse_host(text, (size_t)(colon - text), &addr))
		return false;
	out->addr = addr;
	out->port = (uint16_t)port;
	return true;
}

bool tuple_is_equal(const struct tuple *a, const struct tuple *b)
{
	return a->local.port == b->local.port && a->remote.port == b->remote.port &&
	       addr_is_equal(&a->local.addr, &b->local.addr) &&
	       addr_is_equal(&a->remote.addr, &b->remote.addr);
}

socklen_t endpoint_to_sockaddr(const struct endpoint *endpoint, uint32_t scope_id,
			       struct sockaddr_storage *out)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	struct sockaddr_in *in = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	if (addr_is_v4(&endpoint->addr)) {
		in->sin_family = AF_INET;
		in->sin_port = htons(endpoint->port);
		memcpy(&in->sin_addr, endpoint->addr.bytes + 12, 4);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(endpoint->port);
	memcpy(&in6->sin6_addr, endpoint->addr.bytes, 16);
	if (addr_is_link_local(&endpoint->addr))
		in6->sin6_scope_id = scope_id;
	return sizeof(*in6);
}

bool endpoint_from_sockaddr(const struct sockaddr *sockaddr, struct endpoint *out)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sockaddr;
	const struct sockaddr_in *in = (const struct sockaddr_in *)sockaddr;

	switch (sockaddr->sa_family) {
	case AF_INET:
		out->addr = addr_from_v4(&in->sin_addr);
		out->port = ntohs(in->sin_port);
		return true;
	case AF_INET6:
		out->addr = addr_from_v6(&in6->sin6_addr);
		out->port = ntohs(in6->sin6_port);
		return true;
	}
	return false;
}
