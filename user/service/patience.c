/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A list that is in order by itself, looked at so often that nobody waits much longer than he should. */
#include "patience.h"

#include <stddef.h>

#include "clock.h"

#define TICK_MIN_MS 2
#define TICK_MAX_MS 100
#define TICK_SHARE 16 /* of the limit, at most that late */

void patience_init(struct patience *patience, struct loop *loop, uint64_t limit_ns, waiter_fn over)
{
	*patience = (struct patience){.loop = loop, .limit_ns = limit_ns, .over = over};
}

static void stop_timer(struct patience *patience)
{
	loop_remove(patience->timer);
	patience->timer = NULL;
}

void patience_end(struct patience *patience)
{
	while (patience->first)
		patience_stop(patience->first);
	stop_timer(patience);
}

static void tick(void *context, uint32_t events)
{
	struct patience *patience = context;
	const uint64_t now_ns = clock_monotonic_ns();
	struct waiter *waiter;

	(void)events;
	while ((waiter = patience->first) && waiter->until_ns <= now_ns) {
		patience_stop(waiter);
		patience->over(waiter);
	}
	if (!patience->first)
		stop_timer(patience);
}

static uint64_t tick_ms(const struct patience *patience)
{
	const uint64_t ms = patience->limit_ns / CLOCK_NS_PER_MS / TICK_SHARE;

	if (ms < TICK_MIN_MS)
		return TICK_MIN_MS;
	return ms > TICK_MAX_MS ? TICK_MAX_MS : ms;
}

int patience_begin(struct patience *patience, struct waiter *waiter)
{
	int err = patience->timer ? 0
				  : loop_add_timer(patience->loop, tick_ms(patience), tick,
						   patience, &patience->timer);

	if (err)
		return err;
	*waiter = (struct waiter){
		.patience = patience,
		.earlier = patience->last,
		.until_ns = clock_monotonic_ns() + patience->limit_ns,
	};
	if (patience->last)
		patience->last->later = waiter;
	else
		patience->first = waiter;
	patience->last = waiter;
	return 0;
}

void patience_stop(struct waiter *waiter)
{
	struct patience *patience = waiter->patience;

	if (!patience)
		return;
	if (waiter->earlier)
		waiter->earlier->later = waiter->later;
	else
		patience->first = waiter->later;
	if (waiter->later)
		waiter->later->earlier = waiter->earlier;
	else
		patience->last = waiter->earlier;
	*waiter = (struct waiter){0};
}
