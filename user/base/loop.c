/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * epoll with callbacks. A source that is removed while callbacks run stays in memory, marked, until the batch
 * is through: an event of it may still be pending there.
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
	struct loop_source *next, **link; /* link: what points at this source */
	enum source_kind kind; /* the descriptor is ours unless it is SOURCE_FD */
	int fd;
	uint32_t wanted;
	bool is_removed;
	loop_fn fn;
	void *context;
};

struct loop {
	int epoll_fd;
	unsigned int depth; /* of loop_wait() calls that run callbacks */
	struct loop_source *sources, *removed;
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
	*out = loop;
	return 0;
}

static void link_source(struct loop_source **list, struct loop_source *source)
{
	source->next = *list;
	source->link = list;
	if (source->next)
		source->next->link = &source->next;
	*list = source;
}

static void unlink_source(struct loop_source *source)
{
	*source->link = source->next;
	if (source->next)
		source->next->link = source->link;
}

static void free_removed(struct loop *loop)
{
	struct loop_source *source;

	while ((source = loop->removed)) {
		loop->removed = source->next;
		free(source);
	}
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->sources)
		loop_remove(loop->sources);
	free_removed(loop);
	close(loop->epoll_fd);
	free(loop);
}

static int add_source(struct loop *loop, const struct loop_source *what, struct loop_source **out)
{
	struct loop_source *source = malloc(sizeof(*source));
	struct epoll_event event = {.events = what->wanted, .data.ptr = source};
	int err;

	if (!source)
		return -ENOMEM;
	*source = *what;
	source->loop = loop;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, source->fd, &event)) {
		err = -errno;
		free(source);
		return err;
	}
	link_source(&loop->sources, source);
	if (out)
		*out = source;
	return 0;
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
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event))
		return -errno;
	source->wanted = events;
	return 0;
}

void loop_remove(struct loop_source *source)
{
	struct loop *loop;

	if (!source || source->is_removed)
		return;
	loop = source->loop;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	if (source->kind != SOURCE_FD)
		close(source->fd);
	source->is_removed = true;
	unlink_source(source);
	link_source(&loop->removed, source);
	if (!loop->depth)
		free_removed(loop);
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
		return read(source->fd, &info, sizeof(info)) > 0 ? info.ssi_signo : 0;
	case SOURCE_FD:
		break;
	}
	return events & (source->wanted | EPOLLERR | EPOLLHUP);
}

/* Was there a callback? */
static bool dispatch(struct loop_source *source, uint32_t events)
{
	if (source->is_removed)
		return false;
	events = take_events(source, events);
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
	loop->depth++;
	for (i = 0; i < count; i++)
		calls += dispatch(batch[i].data.ptr, batch[i].events);
	if (!--loop->depth)
		free_removed(loop);
	return calls;
}
