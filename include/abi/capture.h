/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Packets whose fate the programs decide alone, copied for --pcap. */
#ifndef NOLISTEN_ABI_CAPTURE_H
#define NOLISTEN_ABI_CAPTURE_H

#include "abi.h"

/* What became of a packet: member of the enum, name, what it means. */
/* clang-format off */
#define NOL_CAPTURES(X) \
	X(ANSWERED, "answered", "it got its reply in the kernel, and went no further") \
	X(HELD, "held", "kept from the kernel, for user space to decide") \
	X(COPIED, "copied", "taken by user space, while the kernel has it too (methods filter and raw)") \
	X(SENT, "sent", "by nolisten") \
	X(ACCEPTED, "accepted", "the kernel makes a socket of it (method accept)") \
	X(DROPPED, "dropped", "nobody gets it") \
	X(PASSED, "passed", "to an answered port, and left to the kernel") \
	X(REPLAYED, "replayed", "one that was held is put back into the stack")
/* clang-format on */

#define NOL_CAPTURE_MEMBER(member, text, meaning) NOL_CAPTURE_##member,
enum nol_capture_verdict {
	NOL_CAPTURES(NOL_CAPTURE_MEMBER) NOL_CAPTURE_VERDICTS,
};
#define NOL_CAPTURE_BIT(member) (1u << NOL_CAPTURE_##member)

/* The name of the counter that counts such packets, as its place among them. */
#define NOL_CAPTURE_REASON(name) (__builtin_offsetof(struct nol_stats, name) / 8)
#define NOL_CAPTURE_NO_REASON 0xffffu

/* A copy is not longer: most of these have headers only. */
#define NOL_CAPTURE_SNAP_MAX 2048

/* A record of nol_pcap: this header, then snap_len bytes of the frame. */
struct nol_capture {
	__u64 taken_ns; /* CLOCK_MONOTONIC */
	__u32 frame_len;
	__u32 snap_len;
	__u16 verdict; /* enum nol_capture_verdict */
	__u16 reason; /* NOL_CAPTURE_REASON() */
	__u8 is_outgoing; /* to the remote */
	__u8 is_l3; /* it begins with the IP header: of an L3 device */
	__u8 pad[2];
};
NOL_ABI_SIZE(nol_capture, 24);

#endif
