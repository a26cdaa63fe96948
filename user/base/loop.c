/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * epoll with callbacks. An event names a place in a table, and the how-manieth source that one is: of a source that is gone an
 * event may still be pending, in this batch, or later from a descriptor that a child has not closed yet.
 */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define BATCH_SIZE 64

enum source_kind {
	SOURCE_FD,
	SOURCE_TIMER,
	SOURCE_SIGNALS,
};

struct loop_source {
	struct loop *loop;
	enum source_kind kind; /* the descriptor is ours unless it is SOURCE_FD */
	int fd;
	uint32_t wanted;
	uint32_t place;
	loop_fn fn;
	void *context;
};

struct place {
	struct loop_source *source; /* NULL: free */
	uint32_t generation; /* how many sources have had it */
	uint32_t next_free;
};

#define NO_PLACE UINT32_MAX
#define PLACES_FIRST 64

struct loop {
	int epoll_fd;
	struct place *places;
	uint32_t place_count, first_free;
};

int loop_new(struct loop **out)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int err;

	if (!loop)
		return -ENOMEM;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		err = -errno;
		free(loop);
		return err;
	}
	loop->first_free = NO_PLACE;
	*out = loop;
	return 0;
}

static int add_places(struct loop *loop)
{
	const uint32_t count = loop->place_count ? loop->place_count * 2 : PLACES_FIRST;
	struct place *grown = reallocarray(loop->places, count, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	for (uint32_t i = loop->place_count; i < count; i++)
		grown[i] = (struct place){.next_free = i + 1 < count ? i + 1 : NO_PLACE};
	loop->first_free = loop->place_count;
	loop->places = grown;
	loop->place_count = count;
	return 0;
}

static int take_place(struct loop *loop, struct loop_source *source)
{
	int err = loop->first_free == NO_PLACE ? add_places(loop) : 0;

	if (err)
		return err;
	source->place = loop->first_free;
	loop->first_free = loop->places[source->place].next_free;
	loop->places[source->place].source = source;
	loop->places[source->place].generation++;
	return 0;
}

static void leave_place(const struct loop_source *source)
{
	struct loop *loop = source->loop;
	struct place *place = &loop->places[source->place];

	place->source = NULL;
	place->next_free = loop->first_free;
	loop->first_free = source->place;
}

static uint64_t name_of(const struct loop_source *source)
{
	return (uint64_t)source->loop->places[source->place].generation << 32 | source->place;
}

/* NULL: it is gone. */
static struct loop_source *find_source(const struct loop *loop, uint64_t name)
{
	const struct place *place = &loop->places[(uint32_t)name];

	return place->generation == name >> 32 ? place->source : NULL;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	for (uint32_t i = 0; i < loop->place_count; i++)
		loop_remove(loop->places[i].source);
	close(loop->epoll_fd);
	free(loop->places);
	free(loop);
}

static int add_source(struct loop *loop, const struct loop_source *what, struct loop_source **out)
{
	struct loop_source *source = malloc(sizeof(*source));
	struct epoll_event event = {.events = what->wanted};
	int err;

	if (!source)
		return -ENOMEM;
	*source = *what;
	source->loop = loop;
	err = take_place(loop, source);
	if (err)
		goto out_free;
	event.data.u64 = name_of(source);
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, source->fd, &event)) {
		err = -errno;
		goto out_leave;
	}
	if (out)
		*out = source;
	return 0;
out_leave:
	leave_place(source);
out_free:
	free(source);
	return err;
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn fn, void *context,
	     struct loop_source **out)
{
	struct loop_source what = {
		.kind = SOURCE_FD, .fd = fd, .wanted = events, .fn = fn, .context = context};

	return add_source(loop, &what, out);
}

int loop_change(struct loop_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = name_of(source)};

	if (epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event))
		return -errno;
	source->wanted = events;
	return 0;
}

void loop_forget(struct loop_source *source)
{
	if (!source)
		return;
	if (source->kind != SOURCE_FD)
		close(source->fd);
	leave_place(source);
	free(source);
}

void loop_remove(struct loop_source *source)
{
	if (source)
		epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	loop_forget(source);
}

/* The descriptor is the source's in any case: closed on failure. */
static int add_owned(struct loop *loop, const struct loop_source *what, struct loop_source **out)
{
	int err = add_source(loop, what, out);

	if (err)
		close(what->fd);
	return err;
}

int loop_add_timer(struct loop *loop, uint64_t period_ms, loop_fn fn, void *context,
		   struct loop_source **out)
{
	struct loop_source what = {
		.kind = SOURCE_TIMER, .wanted = EPOLLIN, .fn = fn, .context = context};
	struct itimerspec when = {};
	int err;

	if (!period_ms)
		return -EINVAL;
	when.it_interval.tv_sec = (time_t)(period_ms / 1000);
	when.it_interval.tv_nsec = (long)(period_ms % 1000 * 1000000);
	when.it_value = when.it_interval;
	what.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (what.fd < 0)
		return -errno;
	if (timerfd_settime(what.fd, 0, &when, NULL)) {
		err = -errno;
		close(what.fd);
		return err;
	}
	return add_owned(loop, &what, out);
}

int loop_add_signals(struct loop *loop, const int *signals, loop_fn fn, void *context,
		     struct loop_source **out)
{
	struct loop_source what = {
		.kind = SOURCE_SIGNALS, .wanted = EPOLLIN, .fn = fn, .context = context};
	sigset_t set;

	sigemptyset(&set);
	for (; *signals; signals++) {
		if (sigaddset(&set, *signals))
			return -EINVAL;
	}
	what.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (what.fd < 0)
		return -errno;
	sigprocmask(SIG_BLOCK, &set, NULL);
	return add_owned(loop, &what, out);
}

/* What the callback is told, or 0: nothing is there any more, do not call it. */
static uint32_t take_events(const struct loop_source *source, uint32_t events)
{
	struct signalfd_siginfo info;
	uint64_t expirations;

	switch (source->kind) {
	case SOURCE_TIMER:
		return read(source->fd, &expirations, sizeof(expirations)) > 0 ? EPOLLIN : 0;
	case SOURCE_SIGNALS:
		if (read(source->fd, &info, sizeof(info)) <= 0)
			return 0;
		return info.ssi_signo == SIGHUP && info.ssi_code == SI_KERNEL ? LOOP_HANG_UP
									      : info.ssi_signo;
	case SOURCE_FD:
		break;
	}
	return events & (source->wanted | EPOLLERR | EPOLLHUP);
}

/* Was there a callback? */
static bool dispatch(const struct loop *loop, const struct epoll_event *event)
{
	const struct loop_source *source = find_source(loop, event->data.u64);
	uint32_t events;

	if (!source)
		return false;
	events = take_events(source, event->events);
	if (!events)
		return false;
	source->fn(source->context, events);
	return true;
}

int loop_wait(struct loop *loop, int timeout_ms)
{
	struct epoll_event batch[BATCH_SIZE];
	int count, i, calls = 0;

	count = epoll_wait(loop->epoll_fd, batch, BATCH_SIZE, timeout_ms);
	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	for (i = 0; i < count; i++)
		calls += dispatch(loop, &batch[i]);
	return calls;
}
