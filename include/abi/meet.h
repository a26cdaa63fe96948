/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What bpf/meet.bpf.c and user space share. The includer provides __u8 to __u64, as for abi.h. */
#ifndef NOLISTEN_MEET_H
#define NOLISTEN_MEET_H

#include "abi.h"

#define NOL_MEET_FRAME_MAX 2048u /* longer ones are left to retransmission */

enum nol_meet_phase {
	NOL_MEET_GUARD, /* a SYN that finds no socket and a RST that finds SYN_SENT are dropped */
	NOL_MEET_HOLD, /* what the peer sends goes to user space, which replays it */
};

/* Written by user space only. */
struct nol_meet_control {
	__u64 heartbeat_ns; /* CLOCK_MONOTONIC, once a second */
	enum nol_meet_phase phase;
	__u32 pad;
};
NOL_ABI_SIZE(nol_meet_control, 16);

/* How often each was seen. Written by the programs only. */
struct nol_meet_seen {
	__u32 early_syn; /* the peer's SYNs that found no socket of ours: dropped */
	__u32 rst_in; /* the peer's RSTs to our SYN: dropped */
	__u32 rst_out; /* our kernel's RSTs to the peer's SYN: dropped */
	__u32 syn; /* the peer's SYNs that our SYN_SENT got */
	__u32 syn_ack; /* the peer's SYN-ACKs that our SYN_SENT got */
	__u32 syn_ack_crossed; /* the peer's SYN-ACKs that our SYN_RECEIVED got */
	__u32 held; /* packets that went to user space */
	__u32 lost; /* packets that should have: dropped */
};
NOL_ABI_SIZE(nol_meet_seen, 32);

/* A held packet in nol_meet_frames. */
struct nol_meet_frame {
	__u32 len;
	__u32 l4_offset; /* of the TCP header, from the start of the IP header */
	__u8 flags; /* of TCP */
	__u8 pad[3];
	__u8 frame[NOL_MEET_FRAME_MAX]; /* from the link header on */
};
NOL_ABI_SIZE(nol_meet_frame, 2060);

#endif
