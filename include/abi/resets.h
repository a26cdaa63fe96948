/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs of resets.bpf.c tell user space: one record for each RST on its way out, with what it answers.
 * Conventions as in abi.h; every field is written by BPF.
 */
#ifndef NOLISTEN_RESETS_ABI_H
#define NOLISTEN_RESETS_ABI_H

#include <abi/trace.h>

#define NOL_RESET_COMM_SIZE 16

/* What conntrack has made of the segment by the time at which TCP has it. */
enum nol_track {
	NOL_TRACK_UNKNOWN, /* nobody has looked: a kernel that does not tell, or has no conntrack */
	NOL_TRACK_NONE, /* no entry: INVALID, or conntrack has nothing to do here */
	NOL_TRACK_ENTRY,
	NOL_TRACK_OFF, /* "notrack" */
};

struct nol_reset {
	/*
	 * PACKET_OUT: it left. DROP: it was stopped; is_inbound: it is the segment that was stopped, before there was a RST.
	 * RESET_SENT: the reason of a RST that has been told already.
	 */
	struct nol_step rst;
	struct nol_step cause; /* the segment that it answers; kind NONE: none, or not known */
	__u64 sender_inode; /* of the raw or packet socket that sends on this 4-tuple; 0: none does */
	enum nol_step_socket sender; /* which of the two; NONE: none does */
	enum nol_track track; /* of the cause */
	__u32 why; /* enum sk_rst_reason */
	__u32 pid; /* RESET_SENT: the process that was running */
	char comm[NOL_RESET_COMM_SIZE];
	__u8 has_why; /* TCP itself has decided to send it */
	__u8 pad[7];
};
NOL_ABI_SIZE(nol_reset, 288);

#endif
