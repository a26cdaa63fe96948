/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the BPF programs and user space share: keys, values, records, counters.
 *
 * Addresses are in network order, IPv4 stored v4-mapped; ports are in host order. Every field has one
 * writer, named beside it. Padding is explicit and zero. The includer provides __u8 to __u64
 * (vmlinux.h in BPF, <linux/types.h> in user space).
 */
#ifndef NOLISTEN_ABI_H
#define NOLISTEN_ABI_H

#include "advertised.h"
#include "cookie.h"
#include "ends.h"
#include "limit.h"
#include "shut.h"
#include "terms.h"

#define NOL_ABI_SIZE(type, size) \
	_Static_assert(sizeof(struct type) == (size), #type " changed its size")

#define NOL_MARK 0x6e6f6c00u /* SO_MARK of packets that nolisten sends itself */
/*
 * SO_MARK of held packets on their way back into the stack: sent by a packet socket, and turned round by the
 * guard. On lo, which turns packets itself, sent by an IP raw socket: without a route they would be martians.
 */
#define NOL_MARK_REPLAY 0x6e6f6c01u

#define NOL_HEARTBEAT_STALE_NS 3000000000ull /* older than this: the owner is dead */
/*
 * What programs that outlive their loader (--pin) and the next one, of whatever version, agree on never changes: heartbeat_ns to abi
 * of nol_config; of a record the first four fields; and, as long as NOL_COOKIE_FORMAT is the same, nol_cookie and what a cookie is. All
 * else may, and gets another NOL_ABI then.
 */
#ifndef NOL_ABI
#define NOL_ABI 1
#endif

#define NOL_RECORD_SNAP_MAX 65552u /* the longest frame that a record carries */

#define NOL_USED_PLACES (1u << 17) /* of nol_used: a megabyte */

#define NOL_WORKERS_MAX 64 /* threads of user space, each with a ring of its own; a power of two */

/* Methods, by who answers the SYN: member of the enum, name. */
/* clang-format off */
#define NOL_METHODS(X) \
	X(XDP, "xdp") \
	X(ENGINE, "engine") \
	X(CONNECT, "connect") \
	X(ACCEPT, "accept") \
	X(NFQUEUE, "nfqueue") \
	X(FILTER, "filter") \
	X(RAW, "raw")
/* clang-format on */

#define NOL_METHOD_MEMBER(member, text) NOL_METHOD_##member,
enum nol_method {
	NOL_METHOD_NONE, /* as an option: auto */
	NOL_METHODS(NOL_METHOD_MEMBER)
};

/*
 * RFC 9293 names where RFC 9293 has the state. Passive: SYN_RECEIVED -> HANDED_OFF -> CLOSED -> gone.
 * Active: SYN_SENT -> HANDED_OFF. With a tarpit: SYN_RECEIVED -> SHUT -> SHUT_FIN -> gone. Ingress holds the packets of every state but
 * HANDED_OFF and CLOSED, and answers most of what comes in SHUT and SHUT_FIN (bpf/shut.h).
 */
enum nol_flow_state {
	NOL_FLOW_NONE,
	NOL_FLOW_SYN_SENT, /* our SYN is out, nothing came back */
	NOL_FLOW_SYN_RECEIVED, /* half-open: our SYN-ACK is out, and until the kernel socket owns the flow */
	NOL_FLOW_HANDED_OFF, /* a kernel socket owns it */
	NOL_FLOW_CLOSED, /* the socket is gone; kept for a grace so that late data meets the kernel */
	NOL_FLOW_SHUT, /* a connection of a tarpit: no kernel socket will own it, and this entry is all that is known of it */
	NOL_FLOW_GONE, /* what was replayed has ended the socket already: CLOSED once it is handed off */
	NOL_FLOW_SHUT_FIN, /* the same as SHUT, and the remote has ended */
};

static inline __attribute__((always_inline)) _Bool nol_is_shut(enum nol_flow_state state)
{
	return state == NOL_FLOW_SHUT || state == NOL_FLOW_SHUT_FIN;
}

struct nol_flow_key {
	__u8 local_addr[16];
	__u8 remote_addr[16];
	__u16 local_port;
	__u16 remote_port;
};
NOL_ABI_SIZE(nol_flow_key, 36);

/*
 * Where nol_addresses has an address, if it has: a host's IPv4 and IPv6 addresses often end alike, so all of the
 * address decides.
 */
#define NOL_ADDRESS_PLACE_BITS 8

static inline __attribute__((always_inline)) __u32 nol_address_place(const __u8 addr[16])
{
	__u64 words[2];

	__builtin_memcpy(words, addr, sizeof(words));
	return (words[0] ^ words[1]) * 0x9e3779b97f4a7c15ull >> (64 - NOL_ADDRESS_PLACE_BITS);
}

/*
 * nol_flow_counts says how many flows share a slot, so that a SYN to an empty one needs no lookup. Whoever makes an
 * entry counts it before, whoever removes one counts it off afterwards, both atomically: too high costs a lookup,
 * too low would hide a flow.
 */
#define NOL_FLOW_SLOT_BITS 14

static inline __attribute__((always_inline)) __u32 nol_flow_slot(const struct nol_flow_key *key)
{
	__u64 remote[2];
	__u32 ports;

	__builtin_memcpy(remote, key->remote_addr, sizeof(remote));
	__builtin_memcpy(&ports, &key->local_port, sizeof(ports));
	return (remote[0] ^ remote[1] ^ ports) * 0x9e3779b97f4a7c15ull >> (64 - NOL_FLOW_SLOT_BITS);
}

/*
 * state and held are one 64-bit word: ingress adds to held with one atomic operation and learns the state
 * in the same instant; user space changes the state by compare-and-swap against the held that it has seen.
 * That is why no packet can slip between "held" and "handed off". held counts the NOL_HOLD_FLOW records of the
 * flow; on two CPUs they may enter the ring in another order than they were counted, so whoever changes the
 * state counts the records it has read, and does not take the largest `held` of them.
 *
 * Of a flow that is shut nobody counts anything: held is when it was answered last, in ms (nol_clock_ms()), of ingress and user space.
 */
struct nol_flow {
	enum nol_flow_state
		state; /* nol_flow_set, on behalf of user space; nol_tp_state, when the socket is gone */
	__u32 held; /* ingress: packets held since the entry was made */
	/* Who makes the entry: user space, or ingress when it accepts a cookie. */
	__u64 created_ns; /* CLOCK_MONOTONIC */
	enum nol_method method;
	__u32 rst_dropped; /* guard: kernel RSTs that did not get out */
	union {
		__u64 cookie; /* ingress: what nol_used is to remember once the flow is handed off; 0: nothing */
		struct nol_shut shut; /* nol_flow_set: of one that is shut */
	};
} __attribute__((aligned(8)));
NOL_ABI_SIZE(nol_flow, 32);

/* A record of nol_closed: the kernel socket of a flow is gone, which is CLOSED by then. */
struct nol_closed {
	struct nol_flow_key key;
	enum nol_method method;
	__u64 created_ns; /* of the flow: with the key it is no other's */
};
NOL_ABI_SIZE(nol_closed, 48);

/* The argument of nol_flow_set, run by BPF_PROG_RUN: change a state unless a packet was held meanwhile. */
struct nol_flow_change {
	struct nol_flow_key key;
	enum nol_flow_state to;
	__u32 held; /* in: what user space has seen; out: what was there. Of a flow that is shut: what it becomes, whatever was there */
	__s32 result; /* 0, -ENOENT, or -EAGAIN: more packets were held than user space has seen */
	struct nol_shut shut; /* likewise */
};
NOL_ABI_SIZE(nol_flow_change, 56);

/* The argument of nol_flow_forget, run by BPF_PROG_RUN: remove those of the flows that are CLOSED. */
#define NOL_FORGET_MAX 16
struct nol_flow_forget {
	__u32 count;
	struct nol_flow_key keys[NOL_FORGET_MAX];
};
NOL_ABI_SIZE(nol_flow_forget, 4 + 36 * NOL_FORGET_MAX);

/*
 * The key of two longest-prefix-match tries: nol_answered has local prefixes, nol_routes remote ones and, as struct
 * nol_advertised, what these are told instead of nol_cookie.
 */
struct nol_prefix_key {
	__u32 bits; /* 0 to 128, of the v4-mapped form */
	__u8 addr[16];
};
NOL_ABI_SIZE(nol_prefix_key, 20);

enum nol_rst_action {
	NOL_RST_DROP,
	NOL_RST_REDIRECT,
	NOL_RST_PASS,
};

/* Whether somebody takes what ingress cannot answer itself. Where nobody does it is dropped, and comes again. */
enum nol_presence {
	NOL_PRESENT,
	NOL_TAKING_OVER, /* there may be flows of the last loader that nobody knows yet */
	NOL_AWAY, /* the loader has left, and the programs wait for the next one */
};

/* nol_config, one entry. Written by user space only. */
struct nol_config {
	__u64 heartbeat_ns; /* CLOCK_MONOTONIC, once a second */
	__u32 ifindex; /* the interface that both programs are attached to */
	__u32 redirect_ifindex; /* where RSTs go with NOL_RST_REDIRECT */
	enum nol_rst_action rst_action;
	enum nol_method method;
	/*
	 * Low 16 bits: IPv4 identification, low 20 bits: IPv6 flow label of replayed packets. 0: none; else
	 * neither part may be 0. Their TTL or hop limit is 0: what comes over the wire has the identification once
	 * in 65,536 packets, but never that (RFC 1122, 3.2.1.7).
	 */
	__u32 replay_tag;
	__u8 can_transmit; /* 1: what XDP sends arrives, see user/io/reply_probe.h */
	__u8 presence; /* enum nol_presence */
	__u16 record_head; /* sizeof(struct nol_record) */
	__u64 keep_ns; /* a heartbeat that is older: the owner is dead, fail open */
	__u64 netns; /* the inode of the network namespace of ifindex */
	__u16 abi; /* NOL_ABI */
	__u8 pad[2];
	__u32 worker_seed; /* nol_worker_seed, by which nol_used has its places */
	__u8 reads_ends; /* 1: nol_closed is read at every tick, no wake-up is needed before it is half full */
	__u8 pad2[7]; /* what follows changes often: it has cache lines of its own */
	__u8 spinning[NOL_WORKERS_MAX]; /* by worker; 1: it polls its ring, no wake-up is needed */
};
NOL_ABI_SIZE(nol_config, 128);

/* Why a packet was held, in its record. */
enum nol_hold_reason {
	NOL_HOLD_FLOW, /* of a flow that is not handed off */
	NOL_HOLD_SYN, /* a SYN that no kernel socket owns */
	NOL_HOLD_TIME_WAIT, /* a SYN newer than the TIME-WAIT socket on its 4-tuple */
	/* Anything else that no flow and no kernel socket owns, if ingress cannot make short work of it (bpf/stray.h). */
	NOL_HOLD_STRAY,
	NOL_HOLD_COOKIE, /* the same, but it acknowledges a cookie: a handshake is complete */
};

/* A record of nol_events and of the other rings of nol_rings: this header, then snap_len bytes of the frame. */
struct nol_record {
	__u64 held_ns; /* CLOCK_MONOTONIC */
	__u32 frame_len;
	__u32 snap_len; /* less than frame_len: cut, do not replay */
	__u16 l3_offset; /* from the start of the frame: 0 on L3 devices */
	__u16 reason; /* enum nol_hold_reason */
	/*
	 * NOL_HOLD_FLOW: the flow's held, this packet included. NOL_HOLD_COOKIE: 1, or 0 if the table was
	 * full and there is no entry yet.
	 */
	__u32 held;
	__u32 time_wait_snd_nxt; /* NOL_HOLD_TIME_WAIT: the ISS must be far above this */
	__u16 l4_offset; /* from the start of the frame */
	/* 1: the packet went on as the SYN-ACK that a socket waits for, see struct nol_back. */
	__u16 is_turned;
	struct nol_terms terms; /* NOL_HOLD_COOKIE */
};
NOL_ABI_SIZE(nol_record, 40);

#define NOL_MAKING_PLACES 4096

/* A socket that is being made of a cookie, see used.h. Written by TC ingress. */
struct nol_making {
	__u64 mark;
	__u64 since_ns; /* CLOCK_MONOTONIC */
};
NOL_ABI_SIZE(nol_making, 16);

/* Method accept: the listener that the kernel queues its children at, on an address that no host has. */
struct nol_parent {
	__u8 addr[16];
	__u16 port;
	__u8 is_ipv4; /* of an IPv4 socket: IPv6 children it cannot have */
	__u8 pad[5];
};
NOL_ABI_SIZE(nol_parent, 24);

/*
 * nol_endpoints, a longest-prefix-match trie: what of an answered port is answered, and who gets it. bits: 32, and
 * those of the prefix.
 */
struct nol_endpoint_key {
	__u32 bits;
	__u16 port;
	__u16 pad;
	__u8 addr[16];
};
NOL_ABI_SIZE(nol_endpoint_key, 24);
#define NOL_ENDPOINT_PORT_BITS 32 /* of the key, before the address's */
#define NOL_ENDPOINTS_MAX 16384

/*
 * Listeners, those of a family at the same address, among which connections are shared out by their hash; none: the worker's
 * parent has them.
 */
#define NOL_ENDPOINT_PARENTS 64
struct nol_endpoint {
	__u8 addr[16]; /* of the IPv6 sockets */
	__u64 are_ipv4; /* bit i: port i is an IPv4 socket's, and IPv6 children it cannot have */
	__u8 addr_v4[4]; /* of these */
	__u16 count;
	__u8 is_v6only; /* IPv4 is not answered */
	__u8 is_waiting; /* without a listener: what completes a handshake is held, for one that comes */
	__u16 ports[NOL_ENDPOINT_PARENTS];
};
NOL_ABI_SIZE(nol_endpoint, 160);

/*
 * A key of nol_full_sources, method accept with --max-per-source: what of a remote address is its source, of one that holds as much as
 * it may. The value says nothing. Written by user space.
 */
struct nol_source {
	__u64 words[2]; /* the address, its other bits zero */
};
NOL_ABI_SIZE(nol_source, 16);
#define NOL_FULL_SOURCES_MAX 65536

/*
 * A value of nol_backs, method connect: a kernel socket connect()s back to the remote whose SYN was held. Egress
 * turns its SYN into a SYN-ACK, ingress the remote's ACK into the SYN-ACK that the socket waits for.
 */
struct nol_back {
	/* User space, once. */
	__u32 remote_isn;
	__u32 local_iss;
	__u32 remote_tsval; /* of the SYN */
	__u16 remote_mss; /* as it stood in the SYN */
	__u8 remote_wscale; /* at most 14 */
	__u8 remote_offers; /* enum nol_offer */
	/* Egress, with each SYN-ACK. */
	__u64 sent_ns; /* the last one; 0: none yet */
	__u32 first_tsval, last_tsval; /* no other can be echoed */
	__u32 syn_acks; /* how many */
	__u16 local_mss;
	__u16 local_window; /* not scaled */
	__u8 local_wscale;
	__u8 local_offers; /* enum nol_offer: those that the SYN-ACK has */
	__u16 pad;
	/* Ingress. */
	__u32 turned; /* ACKs turned into SYN-ACKs */
};
NOL_ABI_SIZE(nol_back, 48);

/*
 * A counter for every verdict: name, and what it counts in one line. The struct and the tables come from here. Not
 * counted is what is none of our business at a glance: to a port that is not answered, and what goes out and is no RST.
 */
#define NOL_STATS(X)                                                                            \
	X(ingress_not_tcp, "passed: not TCP, or not understood")                                \
	X(ingress_fragment, "passed: a fragment")                                               \
	X(ingress_not_answered, "passed: an answered port on an address that is not answered")  \
	X(ingress_stale, "passed: the owner's heartbeat has stopped")                           \
	X(ingress_owned, "passed: a kernel socket owns it")                                     \
	X(ingress_leased, "passed: of a raw-socket program, for --guard to decide")             \
	X(ingress_handed_off, "passed: of a flow that was handed off")                          \
	X(ingress_replayed, "passed: replayed by nolisten")                                     \
	X(ingress_odd, "passed: a source, destination or length that nobody answers")           \
	X(ingress_cut_off, "passed: a program or map of nolisten is missing")                   \
	X(held_flow, "held: of a flow that is not handed off")                                  \
	X(held_syn, "held: SYN")                                                                \
	X(held_time_wait, "held: SYN, newer than a TIME-WAIT socket")                           \
	X(held_stray, "held: belongs to no flow and no socket")                                 \
	X(stray_reset, "dropped: RSTs that belong to no flow and no socket")                    \
	X(stray_answered, "answered by a RST in XDP: belong to no flow and no socket")          \
	X(stray_ignored, "dropped: strays that nobody answers")                                 \
	X(stray_limited, "dropped: strays beyond so many RSTs a second")                        \
	X(shut_answered, "answered in XDP: probes of a tarpit's connections")                   \
	X(shut_ignored, "dropped: of a tarpit's connections, and in need of no answer")         \
	X(held_cookie, "held: completes a handshake by a cookie")                               \
	X(cookie_sent, "SYNs answered by a cookie")                                             \
	X(cookie_expired, "cookies that came back too late")                                    \
	X(cookie_forged, "acknowledgements that are no cookie")                                 \
	X(cookie_used, "cookies that came again after their connection")                        \
	X(accept_child, "cookies given to the kernel to make a socket of (method accept)")      \
	X(accept_failed, "cookies of which it makes none: no listener, or no memory")           \
	X(accept_source_full, "cookies turned away, of source_full (method accept)")            \
	X(accept_awaited, "segments whose socket another CPU had in hand (method accept)")      \
	X(accept_early, "lost: segments that came before their socket (method accept)")         \
	X(accept_deferred, "bare ACKs dropped: defer-accept waits for data (method accept)")    \
	X(accept_unfit, "SYNs that no cookie can answer, signed ACKs (method accept): dropped") \
	X(lost_queue_full, "lost: the accept queue was full")                                   \
	X(lost_ring_full, "lost: the ring buffer or the queue was full")                        \
	X(lost_syn, "lost: SYNs that found three quarters of the ring full")                    \
	X(lost_stray, "lost: strays beyond so many a second, or that found half the ring full") \
	X(lost_too_long, "lost: longer than a record can be")                                   \
	X(lost_away, "dropped: what only a loader can take, and there was none (--pin)")        \
	X(capture_lost, "packets that --pcap has not got: no room for a copy")                  \
	X(rst_own, "RST let go: sent by nolisten")                                              \
	X(rst_not_ours, "RST let go: not of an answered port or a flow of ours")                \
	X(rst_stray, "RST let go: answers what is no SYN and no cookie (method accept)")        \
	X(rst_unread, "let go: its headers could not be read, it may be a RST")                 \
	X(rst_owned, "RST let go: a kernel socket sent it")                                     \
	X(rst_leased, "RST left to --guard: of a raw-socket program's flow")                    \
	X(rst_handed_off, "RST let go: of a flow that was handed off")                          \
	X(rst_stale, "RST let go: the owner's heartbeat has stopped")                           \
	X(rst_dropped, "RST dropped")                                                           \
	X(rst_redirected, "RST redirected")                                                     \
	X(rst_passed, "RST let go and counted, as --rst=pass asks")                             \
	X(replay_turned, "replayed packets turned round into the stack")                        \
	X(back_syn_ack, "SYNs of connect() turned into SYN-ACKs")                               \
	X(back_ack, "ACKs turned into SYN-ACKs for connect()")                                  \
	X(back_first_ack, "ACKs of connect() that no remote waits for: not sent")               \
	X(back_odd, "lost: SYNs of connect() that are not of their flow")

#define NOL_STATS_FIELD(name, text) __u64 name;
struct nol_stats {
	NOL_STATS(NOL_STATS_FIELD)
};
#define NOL_STATS_SIZE(name, text) +8
NOL_ABI_SIZE(nol_stats, 0 NOL_STATS(NOL_STATS_SIZE));

#endif
