/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The two clocks in nanoseconds, and the text of a time. */
#include "clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How far CLOCK_MONOTONIC is ahead of the kernel's own in our time namespace (time_namespaces(7)). */
static int64_t namespace_ns;

/* What stands in timens_offsets is ours only if children will be in the same one. */
static bool has_namespace_of_children(void)
{
	char own[64] = "", children[64] = "";

	return readlink("/proc/self/ns/time", own, sizeof(own) - 1) > 0 &&
	       readlink("/proc/self/ns/time_for_children", children, sizeof(children) - 1) > 0 &&
	       !strcmp(own, children);
}

/* It cannot change any more once a process is in there. */
__attribute__((constructor)) static void find_namespace(void)
{
	FILE *file = has_namespace_of_children() ? fopen("/proc/self/timens_offsets", "re") : NULL;
	long long seconds, ns;

	if (!file)
		return;
	if (fscanf(file, "monotonic %lld %lld", &seconds, &ns) == 2)
		namespace_ns = seconds * (int64_t)CLOCK_NS_PER_S + ns;
	fclose(file);
}

static uint64_t read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * CLOCK_NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return read_ns(CLOCK_MONOTONIC) - (uint64_t)namespace_ns;
}

void clock_sleep_until(uint64_t monotonic_ns)
{
	const uint64_t own_ns = monotonic_ns + (uint64_t)namespace_ns;
	const struct timespec time = {(time_t)(own_ns / CLOCK_NS_PER_S),
				      (long)(own_ns % CLOCK_NS_PER_S)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
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
