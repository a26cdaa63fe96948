/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's structs as far as the trace reads them. The suffix is ignored when fields are located in the running
 * kernel (CO-RE flavours), so these stand beside any vmlinux.h, trimmed or full.
 */
#ifndef NOLISTEN_BPF_TRACE_TYPES_H
#define NOLISTEN_BPF_TRACE_TYPES_H

#include "vmlinux.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common___trace {
	unsigned int inum;
};

struct net___trace {
	struct ns_common___trace ns;
};

struct possible_net___trace {
	struct net___trace *net;
};

struct net_device___trace {
	int ifindex;
	struct possible_net___trace nd_net;
};

struct in6_addr___trace {
	__u8 bytes[16];
};

struct sock_common___trace {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned char skc_net_refcnt : 1; /* 0: a socket of the kernel's own */
	struct possible_net___trace skc_net;
	struct in6_addr___trace skc_v6_daddr;
	struct in6_addr___trace skc_v6_rcv_saddr;
};

struct inode___trace {
	unsigned long i_ino;
};

struct socket___trace {
	short type;
};

/* What sk_socket points to is the first part of one. */
struct socket_alloc___trace {
	struct socket___trace socket;
	struct inode___trace vfs_inode;
};

struct sock___trace {
	struct sock_common___trace __sk_common;
	struct socket___trace *sk_socket;
	__u16 sk_type;
	__u16 sk_protocol;
	int sk_err;
};

struct sk_buff___trace {
	struct net_device___trace *dev;
	struct sock___trace *sk;
	unsigned int len, data_len;
	__be16 protocol;
	__u16 network_header;
	unsigned char *head, *data;
	int skb_iif;
	__u32 mark;
	unsigned long _nfct; /* conntrack's entry and what it thinks of the packet; 0: none */
};

#pragma clang attribute pop

enum skb_drop_reason___trace {
	SKB_DROP_REASON_TC_INGRESS___trace = 1,
};

/* Only there to ask whether the kernel's tcp_send_reset has a reason (6.10). */
enum sk_rst_reason___trace {
	SK_RST_REASON_NO_SOCKET___trace = 2,
};

#endif
