/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs of trace.bpf.c tell user space: one step for each thing that the kernel did with a packet or
 * a socket of one connection. Conventions as in abi.h; every field is written by BPF.
 */
#ifndef NOLISTEN_TRACE_ABI_H
#define NOLISTEN_TRACE_ABI_H

#include <abi/abi.h>

enum nol_step_kind {
	NOL_STEP_NONE,
	NOL_STEP_PACKET_IN, /* netif_receive_skb: in front of generic XDP and TC ingress */
	NOL_STEP_PACKET_OUT, /* net_dev_queue: behind TC egress */
	NOL_STEP_COPY, /* sk_data_ready of a raw or packet socket */
	NOL_STEP_RESET_SENT, /* tcp_send_reset: decided, not yet on its way */
	NOL_STEP_RESET_RECEIVED, /* tcp_receive_reset */
	NOL_STEP_STATE, /* inet_sock_set_state */
	NOL_STEP_ERROR, /* inet_sk_error_report */
	NOL_STEP_RETRANSMIT, /* tcp_retransmit_skb */
	NOL_STEP_DESTROYED, /* tcp_destroy_sock */
	NOL_STEP_DROP, /* kfree_skb */
};

/* Where a packet that goes out, or a copy, belongs. */
enum nol_step_socket {
	NOL_SOCKET_NONE,
	NOL_SOCKET_FORWARDED, /* none of this host: the packet came in, and goes on */
	NOL_SOCKET_TCP,
	NOL_SOCKET_REQUEST, /* a half-open connection, or TIME-WAIT */
	NOL_SOCKET_RAW, /* a program's */
	NOL_SOCKET_KERNEL, /* raw as well, but the kernel's own: it sends RSTs */
	NOL_SOCKET_PACKET,
};

struct nol_step {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 skb; /* identity only; 0: no packet */
	__u64 sk; /* identity only; 0: no socket */
	__u64 location; /* DROP: the address of the caller */
	enum nol_step_kind kind;
	enum nol_step_socket socket;
	struct nol_flow_key key;
	__u32 reason; /* DROP: enum skb_drop_reason; RESET_SENT: enum sk_rst_reason */
	__u32 ifindex; /* 0: not known */
	__u32 mark;
	__u32 seq, ack;
	__u32 payload_len;
	__u32 left_out; /* plain segments of this connection that were not told, so far */
	enum nol_flow_state flow_state; /* in nol_flows; NONE: no flow, or no loader */
	__s32 error; /* ERROR: errno */
	__u16 window; /* as on the wire */
	__u8 flags; /* of the TCP header */
	__u8 is_inbound; /* DROP, RESET_SENT: of the packet */
	__u8 old_state,
		new_state; /* STATE: the kernel's TCP states; others: new_state is the present one */
	__u8 is_unplaced; /* DROP: the namespace is not known any more */
	__u8 is_replayed; /* the packet carries the loader's replay_tag */
};
NOL_ABI_SIZE(nol_step, 120);

/* Not told, by reason. */
struct nol_trace_counters {
	__u64 lost; /* the ring buffer was full */
	__u64 unreadable; /* the headers are not in the packet's linear part */
};
NOL_ABI_SIZE(nol_trace_counters, 16);

#endif
