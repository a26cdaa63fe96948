/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What stray_flood and its programs (flood.bpf.c) share: the frames that are sent in turn, each time with another number. */
#ifndef NOLISTEN_TESTS_FLOOD_FRAME_H
#define NOLISTEN_TESTS_FLOOD_FRAME_H

#define FLOOD_FRAME_MAX 192
#define FLOOD_FRAMES 64 /* the low bits of a segment's port say which it was */

/* What becomes of the SYN-ACK that answers it. */
enum flood_answer {
	FLOOD_ANSWER_NONE,
	FLOOD_ANSWER_SILENT, /* an ACK, and nothing more ever */
	FLOOD_ANSWER_SLOW, /* a request whose answer there is no window for */
};

struct flood_frame {
	unsigned long long words[FLOOD_FRAME_MAX / 8];
	unsigned int len;
	unsigned int l4_offset; /* 34: IPv4, 54: IPv6, 62: behind a fragment header */
	unsigned int ack_step; /* between the acknowledgements of one and the next; 0: none */
	enum flood_answer answer;
};

/* What has come back. */
struct flood_seen {
	unsigned long long syn_ack, rst, other;
};

#endif
