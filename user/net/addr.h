/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* IP addresses of both families in one type, endpoints, 4-tuples, prefixes; and their text. */
#ifndef NOLISTEN_ADDR_H
#define NOLISTEN_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* IPv6 in network order; IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
struct addr {
	uint8_t bytes[16];
};

struct endpoint {
	struct addr addr;
	uint16_t port; /* host order */
};

/* One TCP connection, from our side. */
struct tuple {
	struct endpoint local, remote;
};

struct prefix {
	struct addr addr; /* the bits behind the prefix are zero */
	uint8_t bits; /* 0 to 128, of the v4-mapped form: 10.0.0.0/8 has 104 */
};

#define ADDR_TEXT_SIZE INET6_ADDRSTRLEN
#define ENDPOINT_TEXT_SIZE (INET6_ADDRSTRLEN + 8) /* "[addr]:65535" */

struct addr addr_from_v4(const void *four_bytes);
struct addr addr_from_v6(const void *sixteen_bytes);
bool addr_parse(const char *text, struct addr *out);
void addr_format(const struct addr *addr, char text[ADDR_TEXT_SIZE]);

bool addr_is_v4(const struct addr *addr);
bool addr_is_equal(const struct addr *a, const struct addr *b);
bool addr_is_loopback(const struct addr *addr); /* 127/8, ::1 */
bool addr_is_multicast(const struct addr *addr); /* 224/4, ff00::/8 */
bool addr_is_link_local(const struct addr *addr); /* 169.254/16, fe80::/10 */
bool addr_is_unspecified(const struct addr *addr); /* 0.0.0.0, :: */
/* Can one host have it? Not 0.0.0.0, ::, multicast, 255.255.255.255. A subnet's broadcast address does not show. */
bool addr_is_one_host(const struct addr *addr);

/* May a SYN come from there? Not from multicast, 0/8, 127/8, 240/4 (broadcast included), ::, ::1 (RFC 1122, 3.2.1.3). */
bool addr_is_valid_source(const struct addr *addr);

/* "10.0.0.2:80", "[fe80::1]:80": brackets are needed for IPv6, ports go from 1 to 65535. */
void endpoint_format(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_SIZE]);
bool endpoint_parse(const char *text, struct endpoint *out);

bool tuple_is_equal(const struct tuple *a, const struct tuple *b);

/* scope_id: the interface, used for link-local addresses only. Length of what was written. */
socklen_t endpoint_to_sockaddr(const struct endpoint *endpoint, uint32_t scope_id,
			       struct sockaddr_storage *out);
bool endpoint_from_sockaddr(const struct sockaddr *sockaddr, struct endpoint *out);

/* "10.0.0.0/24", "fd00::/64", or an address, which is a prefix of all its bits. Set host bits are refused. */
bool prefix_parse(const char *text, struct prefix *out);
bool prefix_contains(const struct prefix *prefix, const struct addr *addr);
void prefix_format(const struct prefix *prefix, char text[ADDR_TEXT_SIZE + 4]);

#endif
