/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a loader and an application say to each other. SOCK_SEQPACKET, the machine's byte order, every struct zeroed first.
 *
 * At the service's path: the application sends APP_OPEN, and gets APP_OPENED with descriptors, or APP_REFUSED. It says APP_CLOSE
 * when it wants no more; gone without a word it has died. The connection lives as long as the application does.
 *
 * With method accept it may then say APP_OFFER, with one descriptor, a listener of its own for an endpoint, and APP_WITHDRAW: each is
 * answered by APP_DONE or APP_REFUSED. Or without a descriptor: then whoever connects waits. Unasked comes APP_LENT, with descriptors: the workers'
 * parents, once more; and APP_WOKEN: somebody waits.
 *
 * The descriptors of APP_OPENED are, of each worker: a pair's one end, on which batches of connections come; and with method
 * accept perhaps its parent as well. The loader keeps the other end, and a copy of the application's: what the application
 * has not taken the loader can take back.
 */
#ifndef NOLISTEN_APP_PROTOCOL_H
#define NOLISTEN_APP_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define APP_MAGIC 0x4e6f4c32u /* what speaks another version is refused */
#define APP_TEXT_SIZE 8192 /* of ports, of addresses, with the 0 behind each */
#define APP_WHY_SIZE 256
#define APP_BATCH 32 /* connections in one message */
#define APP_DESCRIPTORS 128 /* in one message; SCM_MAX_FD of Linux is 253 */
#define APP_SYN_OPTIONS 24

enum app_kind {
	APP_OPEN = 1,
	APP_CLOSE,
	APP_OPENED,
	APP_REFUSED,
	APP_OFFER,
	APP_WITHDRAW,
	APP_DONE,
	APP_LENT,
	APP_WOKEN,
};

/* APP_OPEN: behind it come two texts, ports and addresses, each ended by 0. APP_CLOSE: nothing. */
struct app_request {
	uint32_t magic;
	uint32_t kind; /* enum app_kind */
	uint32_t ports_len,
		addresses_len; /* bytes with their 0; an empty text: all that the loader lets */
};
_Static_assert(sizeof(struct app_request) == 16, "no padding");

/* APP_OFFER, APP_WITHDRAW. Addresses as in struct addr, ports in host order. */
struct app_endpoint {
	uint32_t magic;
	uint32_t kind;
	uint8_t addr[16]; /* ::ffff:0.0.0.0: any of IPv4; ::: any, or, is_v6only, any of IPv6 */
	uint8_t parent_addr[16]; /* APP_WITHDRAW */
	uint16_t port;
	uint16_t parent_port; /* APP_WITHDRAW: of this parent, 0: of all */
	uint8_t is_v6only; /* 0 or 1 */
	uint8_t is_waiting; /* 1: without a descriptor: there is no listener yet */
	uint8_t padding[2];
};
_Static_assert(sizeof(struct app_endpoint) == 48, "no padding");

struct app_reply {
	uint32_t magic;
	uint32_t kind;
	int32_t err; /* APP_REFUSED: -errno */
	uint32_t data_count, parent_count; /* APP_OPENED, APP_LENT: descriptors, in this order */
	uint32_t scope_id; /* the interface, of link-local addresses */
	char why[APP_WHY_SIZE]; /* APP_REFUSED: in words, ended by 0 */
};
_Static_assert(sizeof(struct app_reply) == 24 + APP_WHY_SIZE, "no padding");

/* A connection. Addresses as in struct addr, ports in host order. */
struct app_record {
	uint8_t local_addr[16], remote_addr[16];
	uint16_t local_port, remote_port;
	uint16_t method; /* enum nol_method */
	uint8_t has_syn; /* the rest is known */
	uint8_t syn_ttl;
	uint64_t since_ns; /* CLOCK_MONOTONIC of the loader: it waits for an application */
	uint16_t syn_window, syn_mss;
	uint8_t syn_wscale;
	uint8_t syn_option_count;
	uint8_t padding[2];
	uint8_t syn_options[APP_SYN_OPTIONS];
};
_Static_assert(sizeof(struct app_record) == 80, "no padding");

/* With as many descriptors as records. */
struct app_batch {
	uint32_t magic;
	uint32_t count;
	struct app_record records[APP_BATCH];
};

/* Bytes of a batch of so many. */
static inline size_t app_batch_size(uint32_t count)
{
	return offsetof(struct app_batch, records) + count * sizeof(struct app_record);
}

/* A request that came in, of len bytes. False: it is none of these. ports, addresses: within message, NULL if not said. */
bool app_request_parse(const void *message, size_t len, enum app_kind *kind, const char **ports,
		       const char **addresses);
/* The same of an offer, or of what takes one back. */
bool app_endpoint_parse(const void *message, size_t len, struct app_endpoint *out);
/* Its length; 0: the texts are too long. NULL: all that the loader lets. */
size_t app_request_build(void *out, size_t size, const char *ports, const char *addresses);

#define APP_REQUEST_SIZE (sizeof(struct app_request) + 2 * APP_TEXT_SIZE)

#endif
