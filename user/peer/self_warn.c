/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A line for each socket that connects to itself. */
#include "self_warn.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "addr.h"
#include "clock.h"
#include "log.h"
#include "loop.h"
#include "self_watch.h"

struct warner {
	struct self_watch *watch;
	uint64_t lost;
	bool is_everywhere;
	bool is_over;
	int err;
};

/* The name is the process's own choice: keep it from writing to the terminal. */
static void copy_printable(char *out, const char *comm)
{
	size_t i;

	for (i = 0; i < NOL_SELF_COMM_SIZE - 1 && comm[i]; i++)
		out[i] = comm[i] < ' ' || comm[i] == 0x7f ? '?' : comm[i];
	out[i] = '\0';
}

static void print_event(void *context, const struct nol_self_event *event)
{
	const struct warner *warner = context;
	char time[CLOCK_TEXT_SIZE], text[ENDPOINT_TEXT_SIZE], comm[NOL_SELF_COMM_SIZE];
	struct endpoint endpoint = {.port = event->port};

	memcpy(endpoint.addr.bytes, event->addr, sizeof(event->addr));
	endpoint_format(&endpoint, text);
	clock_format(time, clock_realtime_ns());
	copy_printable(comm, event->comm);
	printf("%s %s connected to itself: process %s, pid %u", time, text, comm, event->pid);
	if (warner->is_everywhere)
		printf(", network namespace %u", event->netns);
	putchar('\n');
}

static void read_events(void *context, uint32_t events)
{
	struct warner *warner = context;
	const uint64_t before = warner->lost;

	(void)events;
	warner->err = self_watch_read(warner->watch, &warner->lost);
	if (warner->lost > before)
		log_warning("self: %" PRIu64 " self-connects came too fast to be shown",
			    warner->lost - before);
	if (fflush(stdout))
		warner->err = -errno;
}

static void stop(void *context, uint32_t signal)
{
	(void)signal;
	((struct warner *)context)->is_over = true;
}

static int watch_until_signal(struct warner *warner, struct loop *loop)
{
	static const int signals[] = {SIGINT, SIGTERM, 0};
	int err = loop_add_signals(loop, signals, stop, warner, NULL);

	if (!err)
		err = loop_add(loop, self_watch_fd(warner->watch), EPOLLIN, read_events, warner,
			       NULL);
	if (err)
		return err;
	log_info("self: watching %s for sockets that connect to themselves; Ctrl-C ends it",
		 warner->is_everywhere ? "every network namespace" : "this network namespace");
	while (!err && !warner->is_over && !warner->err)
		err = loop_wait(loop, -1) < 0 ? -EIO : 0;
	return err ? err : warner->err;
}

int self_warn(bool is_everywhere)
{
	struct warner warner = {.is_everywhere = is_everywhere};
	struct loop *loop = NULL;
	int err = self_watch_new(&warner.watch, is_everywhere, print_event, &warner);

	if (err)
		return err;
	err = loop_new(&loop);
	if (!err)
		err = watch_until_signal(&warner, loop);
	if (err)
		log_error("self: cannot go on watching: %s", strerror(-err));
	loop_free(loop);
	self_watch_free(warner.watch);
	return err;
}
