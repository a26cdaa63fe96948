/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "leftover.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>

#include "clock.h"

#define LOOKS 1000 /* to learn what one takes */
#define GAP_LOOKS 4 /* more of them at once than that: somebody else was there */
#define WAIT_MS 1000

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t time_look(void)
{
	uint64_t times[LOOKS], last_ns = clock_monotonic_ns();

	for (size_t i = 0; i < LOOKS; i++) {
		const uint64_t now_ns = clock_monotonic_ns();

		times[i] = now_ns - last_ns;
		last_ns = now_ns;
	}
	qsort(times, LOOKS, sizeof(*times), compare);
	return times[LOOKS / 2];
}

void leftover_look(struct leftover *leftover, uint64_t now_ns)
{
	const uint64_t gap_ns = now_ns - leftover->now_ns;

	if (leftover->now_ns && gap_ns > GAP_LOOKS * leftover->look_ns)
		__atomic_store_n(&leftover->taken_ns,
				 leftover->taken_ns + gap_ns - leftover->look_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&leftover->now_ns, now_ns, __ATOMIC_RELEASE);
}

int leftover_run(const void *argument, void *result)
{
	static const struct sched_param none;
	struct leftover *leftover = result;

	(void)argument;
	if (sched_setscheduler(0, SCHED_IDLE, &none))
		return -errno;
	leftover->look_ns = time_look();
	for (;;)
		leftover_look(leftover, clock_monotonic_ns());
}

int leftover_mark(const struct leftover *leftover, struct leftover_mark *out)
{
	const uint64_t start_ns = clock_monotonic_ns();
	const uint64_t end_ns = start_ns + WAIT_MS * CLOCK_NS_PER_MS;

	do {
		out->at_ns = __atomic_load_n(&leftover->now_ns, __ATOMIC_ACQUIRE);
		if (clock_monotonic_ns() > end_ns)
			return -ETIMEDOUT;
	} while (out->at_ns <= start_ns);
	out->taken_ns = __atomic_load_n(&leftover->taken_ns, __ATOMIC_RELAXED);
	return 0;
}

double leftover_share(const struct leftover_mark marks[2])
{
	const double taken_ns = (double)(marks[1].taken_ns - marks[0].taken_ns);

	return taken_ns / (double)(marks[1].at_ns - marks[0].at_ns);
}

double leftover_more_ns(const struct leftover_mark marks[2], const struct leftover_mark idle[2])
{
	return (leftover_share(marks) - leftover_share(idle)) *
	       (double)(marks[1].at_ns - marks[0].at_ns);
}
