/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An active open for an application. On a connection of its own to the service's path it sends APP_CONNECT, and gets one APP_CONNECTED,
 * with the socket or an error; then the loader hangs up. Who hangs up before wants it no more.
 */
#ifndef NOLISTEN_APP_CONNECT_H
#define NOLISTEN_APP_CONNECT_H

#include "app_protocol.h"

/* Apart from enum app_kind, which grows. */
#define APP_CONNECT 0x100u
#define APP_CONNECTED 0x101u

#define APP_CONNECT_OPTIONS 40

enum app_connect_field {
	APP_CONNECT_MSS = 1,
	APP_CONNECT_WINDOW = 2,
	APP_CONNECT_WSCALE = 4,
	APP_CONNECT_TTL = 8,
	APP_CONNECT_LAYOUT = 16,
	APP_CONNECT_NONBLOCK = 32, /* the socket */
};

/* Addresses as in struct addr, ports in host order. */
struct app_connect {
	uint32_t magic;
	uint32_t kind;
	uint8_t remote_addr[16];
	uint8_t local_addr[16]; /* :: or ::ffff:0.0.0.0: any */
	uint16_t remote_port;
	uint16_t local_port; /* 0: any */
	uint32_t timeout_ms; /* 0: until the last SYN has waited */
	uint32_t given; /* enum app_connect_field: those of the following that count */
	uint16_t mss, window;
	uint8_t wscale, ttl;
	uint8_t option_count;
	uint8_t padding;
	uint8_t options[APP_CONNECT_OPTIONS]; /* kinds, in order */
};
_Static_assert(sizeof(struct app_connect) == 100, "no padding");

struct app_connected {
	uint32_t magic;
	uint32_t kind;
	int32_t err; /* 0: there is a descriptor; -errno */
	uint32_t scope_id; /* the interface, of link-local addresses */
	struct app_record record; /* has_syn: the remote's SYN-ACK */
	char why[APP_WHY_SIZE]; /* with an error: in words, ended by 0 */
};
_Static_assert(sizeof(struct app_connected) == 96 + APP_WHY_SIZE, "no padding");

/* False: it is no such request, or says what cannot be. */
bool app_connect_parse(const void *message, size_t len, struct app_connect *out);

#endif
