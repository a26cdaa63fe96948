/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tests of strays have in common. */
#ifndef NOLISTEN_TESTS_STRAY_FIXTURE_H
#define NOLISTEN_TESTS_STRAY_FIXTURE_H

#include "answer_fixture.h"

static inline struct segment stray_with(const char *local, const char *remote, uint8_t flags)
{
	return (struct segment){
		.tuple = tuple_of(remote, local), /* as the sender sees it */
		.seq = 1000,
		.ack = flags & TCP_ACK ? 0xfedcba98 : 0,
		.flags = flags,
		.window = 500,
	};
}

static inline struct nol_stats read_stats(void)
{
	struct nol_stats stats;

	assert_int_equal(kern_stats_read(kern, &stats), 0);
	return stats;
}

static inline void assert_left_to_user_space(const struct frame *frame)
{
	const struct nol_stats before = read_stats();

	assert_int_equal(run_ingress(frame), XDP_DROP);
	assert_held(frame, NOL_HOLD_STRAY);
	assert_int_equal(read_stats().held_stray, before.held_stray + 1);
	assert_int_equal(read_stats().stray_answered, before.stray_answered);
}

#endif
