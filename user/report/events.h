/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What happened, told to people (one line on standard error) and to programs (JSON lines in the names of Suricata's EVE,
 * doc/events.schema.json, only ever extended).
 */
#ifndef NOLISTEN_EVENTS_H
#define NOLISTEN_EVENTS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/abi.h>

#include "addr.h"

enum event_kind {
	EVENT_SYN,
	EVENT_ESTABLISHED,
	EVENT_HANDED_OFF,
	EVENT_CLOSED,
	EVENT_RESET,
	EVENT_EXPIRED,
	EVENT_RST_DROPPED,
	EVENT_REFUSED,
	EVENT_LOST,
	EVENT_PAYLOAD, /* by events_payload() */
	EVENT_KINDS,
};

/* So many bytes of a payload are in one event: with all else it fits into what a pipe takes in one piece. */
#define EVENT_PAYLOAD_MAX 1024

struct event {
	enum event_kind kind;
	const struct tuple *tuple; /* NULL: of no connection (lost) */
	uint64_t
		created_ns; /* of the flow, which it makes one's own, see events_emit(); 0: not known */
	enum nol_method method;
	int64_t rtt_us; /* SYN-ACK to the final ACK; -1: not known */
	int64_t handoff_us; /* -1: not known */
	uint64_t
		first_by_us; /* reset by the kernel's RST: how much earlier it left than our SYN-ACK; 0: not so */
	uint64_t count; /* rst_dropped, lost: how many since the last such event */
	const char
		*lost_kind; /* lost: if these were events, of which kind; NULL: packets, or any */
	const char *reason; /* refused, lost, reset, expired, closed; NULL: none */
	struct event_payload {
		const uint8_t *bytes;
		size_t len; /* at most EVENT_PAYLOAD_MAX */
		uint64_t offset,
			total; /* where this is in what was recorded, and how much that is */
	} payload;
};

struct events;

struct events_options {
	const char *target; /* of the JSON, see event_target.h, borrowed; NULL: none */
	bool is_quiet; /* no lines for people */
	const char *ifname; /* borrowed until events_free() */
	uint16_t vlan_id; /* of that interface; 0: none */
	uint16_t community_id_seed;
	uint32_t rate; /* events of one kind a second, and as many at once; 0: any number */
};

/* Errors are logged. Makes the process ignore SIGPIPE: a reader may go away. */
int events_new(struct events **out, const struct events_options *options);
/*
 * The same outputs for another thread, whose lines go there by the batch, in the order in which threads flush. Freed
 * before its owner.
 */
int events_join(struct events **out, const struct events *owner);
void events_free(struct events *events); /* flushes; the owner waits a second for a slow reader */

/* False: what is emitted goes nowhere. */
bool events_has_readers(const struct events *events);
/* Events of one flow have the same tuple and created_ns, and so the same flow_id. */
void events_emit(struct events *events, const struct event *event);
/*
 * What the remote has sent, in as many events as it takes (an empty one, if it is nothing). event: an EVENT_PAYLOAD without
 * its payload.
 */
void events_payload(struct events *events, const struct event *event, const void *bytes,
		    size_t len);
/*
 * Write out what is buffered: after each batch. Never waits for a slow reader: what does not fit is lost line by
 * line. A full disk, a closed pipe or a slow reader is logged once, then counted, and told by an event lost when it is over.
 */
void events_flush(struct events *events);
/* The owner's, once a second: tell how many events there were above the rate; and flush. */
void events_beat(struct events *events);
/* The owner's: the file was renamed, go on in a new one. False: there is nothing that can be opened again. */
bool events_reopen(struct events *events);
/* Lines that could not be written so far. */
uint64_t events_lost(const struct events *events);
/* Events that were above the rate so far. */
uint64_t events_limited(const struct events *events);

bool event_has_count(const struct event *event);
const char *event_kind_text(enum event_kind kind); /* "handed_off" */
const char *method_text(enum nol_method method); /* "engine"; "auto" for NOL_METHOD_NONE */

#endif
