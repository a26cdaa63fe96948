/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The two clocks in nanoseconds, and the text of a time. */
#include "clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * CLOCK_NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_realtime_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}

void clock_format(char text[CLOCK_TEXT_SIZE], uint64_t realtime_ns)
{
	time_t seconds = (time_t)(realtime_ns / CLOCK_NS_PER_S);
	unsigned int us = (unsigned int)(realtime_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_US);
	struct tm utc;
	size_t len;

	gmtime_r(&seconds, &utc);
	len = strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + len, CLOCK_TEXT_SIZE - len, ".%06uZ", us);
}
