/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The TCP rules before a kernel socket exists: segments, time and randomness in, actions out. No socket, no
 * clock, no BPF. RFC 9293 (3.5, 3.10.7), RFC 5961, RFC 6528, RFC 7323; where these leave room, what Linux does.
 */
#ifndef NOLISTEN_ENGINE_H
#define NOLISTEN_ENGINE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/advertised.h>
#include <abi/limit.h>
#include <abi/terms.h>

#include "addr.h"
#include "icmp_error.h"
#include "segment.h"
#include "siphash.h"
#include "syn_print.h"
#include "tcpopt_layout.h"

struct engine;
struct making;
struct handing;
struct routes;

/* What the host asks for at the moment. */
struct engine_settings {
	struct nol_advertised v4, v6; /* to remotes that routes has not */
	const struct routes *routes; /* borrowed until the next engine_set(); NULL: none */
	uint8_t offers; /* enum nol_offer: options that are agreed to, the MSS aside */
	uint16_t mss_limit; /* no larger MSS of the remote counts (TCP_MAXSEG); 0: none */
	uint8_t syn_ack_retries; /* Linux: 5, after about 1, 3, 7, 15, 31 s; given up after 63 s */
};

struct engine_config {
	uint8_t key
		[SIPHASH_KEY_SIZE]; /* from getrandom(): ISNs, timestamp offsets, the flow table's hash */
	uint32_t max_flows; /* flows at a time; a SYN above that is refused and counted */
	uint8_t syn_retries; /* of an active open */
	struct engine_settings settings; /* to begin with */
	/* Timeouts of a SYN-ACK for which a final ACK without data is not enough (TCP_DEFER_ACCEPT). */
	uint8_t defer_timeouts;
	/*
	 * For the caller: flows whose SYN was the remote's are never taken over, but kept for so long with a window of 0, see struct engine_shut;
	 * 0: they are.
	 */
	uint64_t shut_ns;
	/* RSTs and challenge ACKs, all flows together; the burst has the same size. */
	uint32_t resets_per_s;
	struct nol_limit
		*limit; /* borrowed, for what shares one with others; NULL: its own, of that rate */
};

/* What the SYN of an active open says in place of what the settings have. */
enum engine_syn_field {
	ENGINE_SYN_MSS = 1,
	ENGINE_SYN_WINDOW = 2,
	ENGINE_SYN_WSCALE = 4,
	ENGINE_SYN_RETRIES = 8,
	ENGINE_SYN_LAYOUT = 16,
};

struct engine_syn {
	uint8_t given; /* enum engine_syn_field: those of the following that count */
	uint8_t wscale; /* our shift count, at most 14 */
	uint8_t retries; /* how often it is sent again */
	uint8_t ttl; /* of all that the engine sends for it; 0: 64 */
	uint16_t mss;
	uint16_t
		window; /* of the SYN alone: the ACK announces as much as the settings do, if that is more */
	struct tcpopt_layout
		layout; /* what is not in it is not offered; checked by tcpopt_layout_check() */
};

enum engine_state {
	ENGINE_SYN_SENT,
	ENGINE_SYN_RECEIVED,
	ENGINE_ESTABLISHED, /* complete; held until engine_release() */
};

/* Agreed at the handshake, all that a hand-off needs. Sequence space in host order. */
struct engine_flow {
	struct tuple tuple;
	enum engine_state state;
	bool is_active; /* we sent the first SYN */
	bool is_adopted; /* its SYN was answered elsewhere, by a cookie */
	uint32_t iss, irs; /* initial send and receive sequence numbers */
	uint16_t remote_mss; /* from the SYN; 536 or 1220 without the option (RFC 9293, 3.7.1) */
	uint16_t local_mss; /* as we have advertised it; from ESTABLISHED on */
	bool has_wscale, has_sack, has_timestamps;
	uint8_t local_wscale, remote_wscale; /* local: shift of the windows that we send */
	uint16_t local_window; /* as the SYN-ACK advertised it, not scaled */
	/* SND.WND in bytes, scaled, and SND.WL1, from the segment that completed the handshake. */
	uint32_t remote_window, remote_wl1;
	uint32_t ts_offset; /* our TSval is nol_clock_ms() plus this */
	uint32_t ts_recent; /* the remote's last TSval */
	uint64_t tsval_ns; /* when our last TSval was sent: a TSecr may not be newer */
	uint8_t retransmits; /* of our SYN-ACK or SYN so far */
	struct syn_print
		syn; /* the remote's; all 0 if it was answered elsewhere, or is yet to come */
	bool starts_slowly; /* too many of them were lost for more than one segment at first (RFC 5681, 3.1) */
	uint64_t created_ns; /* first SYN in (or out) */
	uint64_t sent_ns; /* our last SYN-ACK (or SYN) */
	uint64_t established_ns;
	/* For the caller; NULL and 0 at the start. */
	struct making *making; /* of who makes its socket */
	struct handing *handing; /* of the hand-off */
	uint32_t held_seen; /* held packets of it that came in */
};

enum engine_event {
	ENGINE_NOTHING, /* perhaps a reply, no change */
	ENGINE_EVENT_SYN, /* new half-open flow */
	/*
	 * The handshake is complete: hand off. With a reply (the ACK of a SYN-ACK, active opens only) send that
	 * afterwards; without one this segment is to be replayed.
	 */
	ENGINE_EVENT_ESTABLISHED,
	ENGINE_EVENT_HELD, /* of a flow that is established and not released: replay it too */
	ENGINE_EVENT_RESET, /* flow removed by a RST or a new SYN; flow is valid until the next call */
	ENGINE_EVENT_EXPIRED, /* flow given up; valid until the next call */
	ENGINE_EVENT_REFUSED, /* a SYN that could not be taken: the table is full */
};

/*
 * Why a segment got what it got: member of the enum, name in counters and events, what the counter counts. Both texts
 * below come from here.
 */
/* clang-format off */
#define ENGINE_REASONS(X) \
	X(NONE, "none", "segments with nothing odd about them") \
	X(TABLE_FULL, "table_full", "SYNs refused: the flow table is full") \
	X(BAD_CHECKSUM, "bad_checksum", "ignored: a wrong checksum") \
	X(SOURCE_PORT_0, "source_port_0", "ignored: from port 0") \
	/* RFC 1122, 3.2.1.3; LAND */ \
	X(SOURCE_ADDRESS, "source_address", "ignored: from an address that no host has, or from our own end") \
	/* RFC 9293, 3.9.2.3 */ \
	X(LOCAL_ADDRESS, "local_address", "ignored: to a multicast or broadcast address") \
	/* RFC 2385: nobody has a key */ \
	X(SIGNATURE, "signature", "ignored: signed, or options in disorder where a signature may be") \
	X(FLAGS, "flags", "ignored: no reply to such a combination of flags") \
	X(NO_FLOW, "no_flow", "belong to nothing: RST, unless they are one") \
	X(DUPLICATE_SYN, "duplicate_syn", "SYNs that came again: SYN-ACK again") \
	X(OUT_OF_WINDOW, "out_of_window", "outside of the window: ACK") \
	X(BAD_ACK, "bad_ack", "acknowledge what was never sent: RST") \
	X(DEFERRED, "deferred", "final ACKs without data, which are not enough: no reply") \
	/* RFC 7323, 5.3 */ \
	X(PAWS, "paws", "a timestamp older than the last one") \
	X(BAD_TSECR, "bad_tsecr", "echo a timestamp that was never sent") \
	X(NEW_SYN, "new_syn", "another SYN in the window of a half-open flow: RST, and it is gone") \
	/* RFC 5961, 3.2 */ \
	X(REMOTE_RESET, "remote_reset", "RSTs that ended a half-open flow") \
	/* RFC 1122, 4.2.3.9; RFC 5927, 4.1 */ \
	X(UNREACHABLE, "unreachable", "half-open flows and active opens ended by an ICMP error") \
	X(ICMP_SEQ, "icmp_seq", "ICMP errors that quote what a half-open flow has not sent: ignored") \
	X(CHALLENGE, "challenge", "inexact RSTs and odd SYNs of a half-open flow: challenge ACK") \
	/* RFC 9293, 3.8.6.1 */ \
	X(SHUT, "shut", "more than a window that stays shut has room for: ACK") \
	X(SHUT_TIME, "shut_time", "connections held for as long as --tarpit-time says") \
	X(SHUT_END, "shut_end", "connections held until nothing came behind the remote's FIN") \
	X(RATE_LIMITED, "rate_limited", "replies withheld: too many a second") \
	X(TIMEOUT, "timeout", "no answer: SYN-ACK again, in the end given up")
/* clang-format on */

#define ENGINE_REASON_MEMBER(member, text, meaning) ENGINE_REASON_##member,
enum engine_reason {
	ENGINE_REASONS(ENGINE_REASON_MEMBER) ENGINE_REASON_COUNT
};

const char *engine_reason_text(enum engine_reason reason); /* "bad_ack" */
const char *engine_reason_meaning(enum engine_reason reason);

struct engine_action {
	enum engine_event event;
	enum engine_reason reason;
	struct engine_flow *flow; /* the flow concerned, or NULL */
	bool has_reply; /* send reply. On ESTABLISHED: after the hand-off */
	struct segment reply;
};

/* -EINVAL: max_flows is 0 or above 2^24; -ENOMEM. */
int engine_new(struct engine **out, const struct engine_config *config);
void engine_free(struct engine *engine);

/*
 * One segment that came in. now_ns: CLOCK_MONOTONIC, never going back. time_wait_snd_nxt: NULL, or SND.NXT of
 * the TIME-WAIT socket that this SYN replaces; the ISS will be far above it.
 */
void engine_input(struct engine *engine, const struct segment *segment, uint64_t now_ns,
		  const uint32_t *time_wait_snd_nxt, struct engine_action *out);

/*
 * A segment that acknowledges a valid cookie, of a 4-tuple that has no flow: ENGINE_EVENT_ESTABLISHED with an
 * adopted flow, to be handed off as any other. ENGINE_EVENT_REFUSED: the table is full; ENGINE_NOTHING with a flow: it is
 * half-open and waits for data (defer_timeouts); without one: the segment has a flaw, which the reason tells. If the 4-tuple has a flow, the same as engine_input().
 */
void engine_adopt(struct engine *engine, const struct segment *segment,
		  const struct nol_terms *terms, uint64_t now_ns, struct engine_action *out);

/*
 * An ICMP error about a segment of ours, of a kind that ends a half-open flow, or an active open (icmp_error.h):
 * ENGINE_EVENT_RESET if it quotes the flow's SYN-ACK or SYN. Others are ignored.
 */
void engine_unreachable(struct engine *engine, const struct icmp_error *error, uint64_t now_ns,
			struct engine_action *out);

/*
 * Active open: the SYN is in out->reply. syn: NULL, or borrowed until the flow is gone. -EEXIST: the 4-tuple is in use;
 * -ENOSPC: the table is full; -EINVAL: port 0, or both ends are the same. *out is left alone on failure.
 */
int engine_connect(struct engine *engine, const struct tuple *tuple, const struct engine_syn *syn,
		   uint64_t now_ns, struct engine_action *out);

/* Retransmissions and expiries that are due, one a call, until it returns false. */
bool engine_expire(struct engine *engine, uint64_t now_ns, struct engine_action *out);
/* When engine_expire() has something next; UINT64_MAX: never. */
uint64_t engine_deadline_ns(const struct engine *engine);

struct engine_flow *engine_find(struct engine *engine, const struct tuple *tuple);
/* Forget a flow: handed off, or given up by the caller. No segment is sent. */
void engine_release(struct engine *engine, struct engine_flow *flow);
uint32_t engine_flow_count(const struct engine *engine);
/* From now on. Half-open flows keep what they have advertised. */
void engine_set(struct engine *engine, const struct engine_settings *settings);
/* Our TSval for this flow at that time. */
uint32_t engine_tsval(const struct engine_flow *flow, uint64_t now_ns);

/* A connection that nobody takes over, with a window that stays shut: all that is to be known of it. */
struct engine_shut {
	uint32_t iss, irs;
	uint32_t answered_ms; /* nol_clock_ms() of the last answer */
	bool has_fin; /* the remote has ended */
};

/* A flow that is established becomes one. Nobody has been answered yet. */
void engine_shut_begin(struct engine_shut *shut, const struct engine_flow *flow, uint64_t now_ns);
/*
 * A segment of it; what has changed is in *shut if there is a reply. False: that was its end. out: reason, and perhaps a
 * reply.
 */
bool engine_shut_input(struct engine_shut *shut, const struct segment *in, uint64_t now_ns,
		       struct engine_action *out);
/* When it is over, as far as is known now. created_ns, hold_ns: it has been there since, and may be for so long. */
uint64_t engine_shut_deadline_ns(const struct engine_shut *shut, uint64_t created_ns,
				 uint64_t hold_ns, uint64_t now_ns);

#endif
