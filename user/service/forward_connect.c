/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* To whom a connection is forwarded: target after target, until one answers. */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "forward_private.h"
#include "log.h"

#define AVOID_NS (5 * CLOCK_NS_PER_S) /* a target that has failed, if there are others */
/* Who has gone without a word is found after seven minutes; Linux's default is two hours. */
#define KEEPALIVE_IDLE_S 300
#define KEEPALIVE_INTERVAL_S 30
#define KEEPALIVE_COUNT 4

static void close_side(struct side *side)
{
	loop_forget(side->source);
	side->source = NULL;
	if (side->fd >= 0)
		close(side->fd);
	side->fd = -1;
}

static void set(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

void forward_prepare(int fd)
{
	int has_keepalive = 0;
	socklen_t len = sizeof(has_keepalive);

	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &has_keepalive, &len) || has_keepalive)
		return;
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

/* -EMFILE and the like say nothing about the target. */
static bool is_our_own_want(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -ENOBUFS;
}

static int begin_connect(struct forward *forward, const struct target *target)
{
	struct side *side = &forward->target;
	const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int err;

	side->fd = socket(target->sockaddr.ss_family, type, IPPROTO_TCP);
	if (side->fd < 0)
		return -errno;
	forward_prepare(side->fd);
	if (connect(side->fd, (const struct sockaddr *)&target->sockaddr, target->sockaddr_len) &&
	    errno != EINPROGRESS)
		return -errno;
	side->events = EPOLLOUT;
	err = loop_add(forward->connection.service->loop, side->fd, side->events, forward_on_target,
		       forward, &side->source);
	return err ?: patience_begin(&forward_settings(forward)->patience, &forward->waiter);
}

void forward_leave_target(struct forward *forward)
{
	patience_stop(&forward->waiter);
	close_side(&forward->target);
}

static struct target *current_target(const struct forward *forward)
{
	return &forward_settings(forward)->targets.all[forward->current];
}

static const char *target_text(const struct target *target, char text[ENDPOINT_TEXT_SIZE])
{
	struct endpoint endpoint;

	target_endpoint(target, &endpoint);
	endpoint_format(&endpoint, text);
	return text;
}

static void note_failure(struct forward *forward, int err)
{
	struct target *target = current_target(forward);
	char text[ENDPOINT_TEXT_SIZE];

	if (!target->is_down)
		log_warning("forward: %s: %s", target_text(target, text), strerror(-err));
	target->is_down = true;
	target->failed_until_ns = clock_monotonic_ns() + AVOID_NS;
	forward_stats(forward)->forward_failed++;
}

void forward_note_success(struct forward *forward)
{
	struct target *target = current_target(forward);
	char text[ENDPOINT_TEXT_SIZE];

	if (target->is_down)
		log_info("forward: %s: is there again", target_text(target, text));
	target->is_down = false;
	target->failed_until_ns = 0;
	forward_stats(forward)->forwarded++;
	forward_stats(forward)->forward_failed_over += forward->current != forward->first;
}

static bool choose_target(struct forward *forward)
{
	const struct target_list *targets = &forward_settings(forward)->targets;

	forward->current =
		target_choose(targets, forward->first, forward->tried, clock_monotonic_ns());
	return forward->current < targets->count;
}

int forward_connect(struct forward *forward)
{
	static const struct service_news news = {.kind = SERVICE_NO_TARGET};
	int err;

	while (choose_target(forward)) {
		forward->tried |= 1ull << forward->current;
		err = begin_connect(forward, current_target(forward));
		if (!err)
			return 0;
		forward_leave_target(forward);
		if (is_our_own_want(err))
			return err;
		note_failure(forward, err);
	}
	forward_stats(forward)->forward_no_target++;
	connection_tell(&forward->connection, &news);
	return -ECONNREFUSED;
}

void forward_try_next(struct forward *forward, int err)
{
	forward_leave_target(forward);
	note_failure(forward, err);
	err = forward_connect(forward);
	if (!err)
		return;
	forward->connection.service->refused++;
	connection_close(&forward->connection);
}

void forward_take_timeout(struct waiter *waiter)
{
	forward_try_next((struct forward *)((char *)waiter - offsetof(struct forward, waiter)),
			 -ETIMEDOUT);
}
