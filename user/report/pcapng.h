/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Blocks of a pcapng file (draft-ietf-opsawg-pcapng): structs to bytes, in this machine's byte order, which the file says. libpcap
 * cannot write this format. Each function gives the length of the block, or 0 if it does not fit into size bytes.
 */
#ifndef NOLISTEN_PCAPNG_H
#define NOLISTEN_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a block has beside the frame and the texts, at most. */
#define PCAPNG_BLOCK_MAX 128

enum pcapng_link {
	PCAPNG_LINK_ETHERNET = 1,
	PCAPNG_LINK_RAW = 101, /* IPv4 or IPv6 */
};

struct pcapng_interface {
	enum pcapng_link link;
	const char *name;
	const char *filter; /* in tcpdump's language; NULL: none */
	uint32_t snap_len; /* 0: no limit */
};

struct pcapng_packet {
	uint64_t time_ns; /* CLOCK_REALTIME */
	const uint8_t *frame;
	uint32_t snap_len; /* bytes at hand */
	uint32_t frame_len;
	bool is_outgoing;
	uint64_t lost; /* before it, since the last one */
	const char *comment; /* UTF-8 */
};

struct pcapng_statistics {
	uint64_t started_ns, ended_ns; /* CLOCK_REALTIME */
	uint64_t received; /* packets that were to be captured */
	uint64_t accepted; /* of these, the filter's */
	uint64_t lost; /* no room, or the disk was full */
	uint64_t written;
};

/* The section header: the first block of a file. */
size_t pcapng_build_section(uint8_t *out, size_t size, const char *application);
/* The second. Times are in nanoseconds. */
size_t pcapng_build_interface(uint8_t *out, size_t size, const struct pcapng_interface *interface);
size_t pcapng_build_packet(uint8_t *out, size_t size, const struct pcapng_packet *packet);
/* The last one, if all went well. */
size_t pcapng_build_statistics(uint8_t *out, size_t size,
			       const struct pcapng_statistics *statistics);

/* Does a file begin like this? */
bool pcapng_is_section(const uint8_t *bytes, size_t len);

#endif
