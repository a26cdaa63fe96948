/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What bpf/self.bpf.c tells user space. The includer provides __u8 to __u64, as for abi.h. */
#ifndef NOLISTEN_SELF_H
#define NOLISTEN_SELF_H

#include "abi.h"

#define NOL_SELF_COMM_SIZE 16

/* A socket that got connected to itself. */
struct nol_self_event {
	__u8 addr[16]; /* network order, IPv4 v4-mapped */
	__u16 port; /* host order */
	__u16 pad;
	__u32 pid; /* of the process that called connect(), as the first PID namespace counts */
	__u32 netns; /* inode number of its network namespace */
	char comm[NOL_SELF_COMM_SIZE];
	__u32 pad2;
};
NOL_ABI_SIZE(nol_self_event, 48);

#endif
