/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SYN cookies change with time: Linux's with every minute of jiffies, ours with every slot of CLOCK_MONOTONIC. A SYN that is
 * sent again then gets another ISS, and so the two servers' answers would differ by chance.
 */
#ifndef NOLISTEN_TESTS_DIFFER_COOKIES_H
#define NOLISTEN_TESTS_DIFFER_COOKIES_H

#include <linux/types.h>
#include <poll.h>
#include <time.h>

#include <abi/abi.h>

#include "tools/tool.h"

#define COOKIE_MINUTE_MS 60000 /* TCP_SYNCOOKIE_PERIOD */
#define REPEATS_MS 5000 /* a case has sent its SYNs again by then */
#define CHANGE_MS 1500 /* jiffies lag, and a slot begins with the loader's next beat */

/* How long to wait until what has this period and this phase is not about to change. */
static uint64_t steady_in_ms(uint64_t now_ms, uint64_t phase_ms, uint64_t period_ms)
{
	const uint64_t left_ms = period_ms - (now_ms + phase_ms) % period_ms;

	if (left_ms > period_ms - CHANGE_MS)
		return left_ms + CHANGE_MS - period_ms;
	return left_ms > REPEATS_MS ? 0 : left_ms + CHANGE_MS;
}

/* Jiffies begin at INITIAL_JIFFIES, five minutes before 32 bits are full, and cookies count all 64. */
static uint64_t jiffies_phase_ms(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || !tick.tv_nsec)
		fail("clock_getres");
	return (1ull << 32) * (uint64_t)tick.tv_nsec / 1000000 - 300 * 1000;
}

TOOL_UNUSED static void await_steady_cookies(void)
{
	const uint64_t phase_ms = jiffies_phase_ms();
	uint64_t wait_ms;

	do {
		const uint64_t now_ms = clock_ms(CLOCK_MONOTONIC);

		wait_ms = steady_in_ms(now_ms, phase_ms, COOKIE_MINUTE_MS);
		if (!wait_ms)
			wait_ms = steady_in_ms(now_ms, 0, 1000 * NOL_COOKIE_SLOT_S);
		poll(NULL, 0, (int)wait_ms);
	} while (wait_ms);
}

#endif
