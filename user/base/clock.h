/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The two clocks: monotonic for intervals, real time for what people and JSON read. */
#ifndef NOLISTEN_CLOCK_H
#define NOLISTEN_CLOCK_H

#include <stdint.h>

#define CLOCK_NS_PER_S 1000000000ull
#define CLOCK_NS_PER_MS 1000000ull
#define CLOCK_NS_PER_US 1000ull

/* RFC 3339 with microseconds and Z: 27 characters and the terminator. */
#define CLOCK_TEXT_SIZE 28

/* As the kernel and BPF have it, also in a time namespace, where CLOCK_MONOTONIC is another. */
uint64_t clock_monotonic_ns(void);
void clock_sleep_until(uint64_t monotonic_ns);
uint64_t clock_realtime_ns(void);
void clock_format(char text[CLOCK_TEXT_SIZE], uint64_t realtime_ns);

#endif
