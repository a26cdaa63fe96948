/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * --pcap: packets and what became of them, as a pcapng file. Whoever has a packet leaves a copy, and never waits: a thread of
 * its own filters, orders and writes. What it cannot keep up with is lost, counted and said.
 */
#ifndef NOLISTEN_CAPTURE_H
#define NOLISTEN_CAPTURE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/abi.h>
#include <abi/capture.h>

struct capture;

/* frame: borrowed, during the call. */
struct captured {
	uint64_t taken_ns; /* CLOCK_MONOTONIC */
	enum nol_capture_verdict verdict;
	uint16_t reason; /* NOL_CAPTURE_REASON() or NOL_CAPTURE_NO_REASON */
	enum nol_method method;
	bool is_outgoing;
	bool is_l3; /* it begins with the IP header, whatever the device is */
	const uint8_t *frame;
	uint32_t snap_len; /* bytes at hand */
	uint32_t frame_len;
	const uint8_t
		*addresses; /* with is_l3, on Ethernet: destination and source; NULL: not known */
};

/* What the options ask for; borrowed. */
struct capture_config {
	const char *path; /* NULL: no capture; "-": standard output */
	const char *filter; /* in tcpdump's language; NULL: everything */
	uint32_t what; /* bits of enum nol_capture_verdict; 0: CAPTURE_WHAT */
	uint32_t snap_len; /* bytes of each packet; 0: all that there are */
	uint32_t size_mib; /* of a file; 0: no limit */
	uint32_t files; /* with a limit: how many are kept; 0: CAPTURE_FILES */
};

#define CAPTURE_WHAT                                                                   \
	(NOL_CAPTURE_BIT(ANSWERED) | NOL_CAPTURE_BIT(HELD) | NOL_CAPTURE_BIT(COPIED) | \
	 NOL_CAPTURE_BIT(SENT) | NOL_CAPTURE_BIT(ACCEPTED) | NOL_CAPTURE_BIT(DROPPED))

#define CAPTURE_FILES 10

/* Bytes of copies that may wait, of each of two kinds: of the kernel's, and of ours. */
#define CAPTURE_BUFFER_SIZE (4u << 20)

/* Where the kernel's copies come from. One thread calls it. */
struct capture_source {
	int fd; /* readable when there are many; -1: there is no source */
	/* capture_add() for each, up to max; their number. */
	int (*take)(void *context, struct capture *capture, uint32_t max);
	/* How many had no room so far. */
	uint64_t (*lost)(void *context);
	void *context;
};

struct capture_options {
	const struct capture_config *config;
	const char *ifname;
	bool keeps_capabilities; /* the thread; else it has none */
	bool is_ethernet; /* else packets begin with the IP header */
	uint16_t community_id_seed; /* as that of events */
	struct capture_source source;
};

/* Since the start. */
struct capture_stats {
	uint64_t written; /* packets */
	uint64_t filtered; /* not what --pcap-filter lets through */
	uint64_t lost; /* no room, or they could not be written */
};

/* Opens and begins the file, and starts the thread. Errors are logged. */
int capture_new(struct capture **out, const struct capture_options *options);
/* Of any thread. Nothing if the verdict is not asked for. */
void capture_add(struct capture *capture, const struct captured *packet);
bool capture_wants(const struct capture *capture, enum nol_capture_verdict verdict);
/* Once a second, of one thread: says once that packets get lost, which the thread that waits for a reader cannot. */
void capture_beat(struct capture *capture);
/* Of any thread: after the file has been renamed, begin another. False: there is no file. */
bool capture_reopen(struct capture *capture);
void capture_read(struct capture *capture, struct capture_stats *out);
/* What has come by now is written. NULL is legal. */
void capture_free(struct capture *capture);

/* "answered,dropped" or "all": their bits; false: no such word. */
bool capture_what_parse(const char *text, uint32_t *out);
/* The index-th word, or NULL. */
const char *capture_what_word(size_t index);

#endif
