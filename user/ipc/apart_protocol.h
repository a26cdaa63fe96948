/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the loader and the process that has its service say to each other, on a pair of SOCK_SEQPACKET sockets for each worker. One
 * program on both ends, forked: no version. What comes from the service process is not trusted.
 *
 * To the service: batches of connections. Back: words. The loader numbers connections in the order in which it sends them.
 */
#ifndef NOLISTEN_APART_PROTOCOL_H
#define NOLISTEN_APART_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#define APART_BATCH 32 /* connections in one message */
#define APART_ENDED_MAX 64 /* in one word */
#define APART_PAYLOAD_MAX 65536

/* A place, which is used again, and how many were sent before: so it is one connection's alone. */
#define APART_PLACE_BITS 24
#define APART_PLACES (1u << APART_PLACE_BITS)

static inline uint64_t apart_number(uint64_t sent, uint32_t place)
{
	return sent << APART_PLACE_BITS | place;
}

static inline uint64_t apart_sent(uint64_t number)
{
	return number >> APART_PLACE_BITS;
}

static inline uint32_t apart_place(uint64_t number)
{
	return number & (APART_PLACES - 1);
}

/* With a descriptor each; none at all: the loader ends, and so do they. Without that word it was killed. Addresses as in struct addr, ports in host order. */
struct apart_record {
	uint64_t number;
	uint8_t local_addr[16], remote_addr[16];
	uint16_t local_port, remote_port;
	uint32_t padding;
};
_Static_assert(sizeof(struct apart_record) == 48, "no padding");

struct apart_batch {
	uint32_t count;
	uint32_t padding;
	struct apart_record records[APART_BATCH];
};

static inline size_t apart_batch_size(uint32_t count)
{
	return offsetof(struct apart_batch, records) + count * sizeof(struct apart_record);
}

enum apart_kind {
	APART_READY = 1, /* once, of the whole process */
	APART_ENDED, /* numbers */
	APART_REFUSED, /* the same: never served */
	APART_PAYLOAD, /* a number, and its first bytes */
	APART_DIED, /* a number: the last one that the process had read */
};

enum apart_reason {
	APART_NO_REASON,
	APART_FULL,
	APART_TIME,
	APART_END,
	APART_RESET,
};

struct apart_word {
	uint16_t kind; /* enum apart_kind */
	uint16_t reason; /* APART_PAYLOAD: why no more bytes came */
	uint32_t count; /* numbers; APART_PAYLOAD: bytes behind the one */
	union {
		uint64_t numbers[APART_ENDED_MAX];
		struct {
			uint64_t number;
			uint8_t bytes[APART_PAYLOAD_MAX];
		} payload;
	};
};

#define APART_WORD_HEAD offsetof(struct apart_word, numbers)
#define APART_PAYLOAD_HEAD offsetof(struct apart_word, payload.bytes)

/* "full" and so on; NULL: there is no such reason. */
const char *apart_reason_text(unsigned int reason);
enum apart_reason apart_reason_of(const char *text);
/* Is it a word, of len bytes? */
_Bool apart_word_check(const struct apart_word *word, size_t len);

#endif
