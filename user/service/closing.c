/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sock_diag's word of destroyed sockets, the queue of graces, and a new look at everything when word was lost. */
#include "closing.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "grace.h"
#include "log.h"
#include "sock_diag.h"

#define GRACE_NS (3 * CLOCK_NS_PER_S)
#define TICK_MS 250
#define OWED_NS CLOCK_NS_PER_S
#define OWED 256

/*
 * The kernel tells of a destroyed socket from a work queue, and a client may have connected again from the same port by
 * then. That late word must not be taken for the end of the new connection.
 */
struct owed {
	struct tuple tuple;
	uint64_t until_ns; /* words may be lost */
};

struct closing {
	struct closing_options options;
	struct grace *grace;
	int watch_fd;
	struct loop_source *watch_source, *tick_source;
	struct owed owed[OWED];
	uint32_t owed_count;
};

static bool take_owed(struct closing *closing, const struct tuple *tuple)
{
	for (uint32_t i = 0; i < closing->owed_count; i++) {
		if (!tuple_is_equal(&closing->owed[i].tuple, tuple))
			continue;
		closing->owed[i] = closing->owed[--closing->owed_count];
		return true;
	}
	return false;
}

static void forget_owed(struct closing *closing, uint64_t now_ns)
{
	uint32_t i = 0;

	while (i < closing->owed_count) {
		if (closing->owed[i].until_ns > now_ns)
			i++;
		else
			closing->owed[i] = closing->owed[--closing->owed_count];
	}
}

void closing_replaced(struct closing *closing, const struct tuple *tuple)
{
	closing->options.fn(closing->options.context, tuple);
	if (closing->owed_count < OWED)
		closing->owed[closing->owed_count++] = (struct owed){
			.tuple = *tuple,
			.until_ns = clock_monotonic_ns() + OWED_NS,
		};
}

static void close_flow(void *context, const struct tuple *tuple, uint8_t tcp_state)
{
	struct closing *closing = context;
	struct packet_io *io = closing->options.io;

	(void)tcp_state;
	if (!port_set_has(closing->options.ports, tuple->local.port) || take_owed(closing, tuple) ||
	    io->ops->close_flow(io, tuple))
		return;
	closing->options.fn(closing->options.context, tuple);
	if (grace_add(closing->grace, tuple, clock_monotonic_ns() + GRACE_NS))
		io->ops->forget_flow(io, tuple, true);
}

static bool close_if_gone(void *context, const struct tuple *tuple, const struct nol_flow *flow)
{
	const struct closing *closing = context;
	uint8_t state;

	if (flow->state == NOL_FLOW_HANDED_OFF &&
	    (sock_diag_find(tuple, closing->options.ifindex, &state) == -ENOENT ||
	     state == TCP_TIME_WAIT))
		close_flow(context, tuple, 0);
	return true;
}

static void read_watch(void *context, uint32_t events)
{
	struct closing *closing = context;
	struct packet_io *io = closing->options.io;

	(void)events;
	if (sock_diag_read(closing->watch_fd, close_flow, closing) != -ENOBUFS)
		return;
	closing->owed_count = 0;
	io->ops->visit_flows(io, close_if_gone, closing);
}

static void end_graces(void *context, uint32_t events)
{
	struct closing *closing = context;
	struct packet_io *io = closing->options.io;
	const uint64_t now_ns = clock_monotonic_ns();
	struct tuple tuple;

	(void)events;
	forget_owed(closing, now_ns);
	while (grace_take(closing->grace, now_ns, &tuple))
		io->ops->forget_flow(io, &tuple, true);
}

int closing_new(struct closing **out, const struct closing_options *options)
{
	struct closing *closing = calloc(1, sizeof(*closing));
	struct loop *loop = options->loop;
	int err;

	if (!closing)
		return -ENOMEM;
	closing->options = *options;
	closing->watch_fd = sock_diag_watch();
	err = closing->watch_fd < 0 ? closing->watch_fd : grace_new(&closing->grace);
	if (!err)
		err = loop_add(loop, closing->watch_fd, EPOLLIN, read_watch, closing,
			       &closing->watch_source);
	if (!err)
		err = loop_add_timer(loop, TICK_MS, end_graces, closing, &closing->tick_source);
	if (err) {
		log_error("cannot watch for closed sockets: %s", strerror(-err));
		closing_free(closing);
		return err;
	}
	*out = closing;
	return 0;
}

void closing_free(struct closing *closing)
{
	if (!closing)
		return;
	loop_remove(closing->watch_source);
	loop_remove(closing->tick_source);
	if (closing->watch_fd >= 0)
		close(closing->watch_fd);
	grace_free(closing->grace);
	free(closing);
}

void closing_make_room(struct closing *closing, uint32_t count)
{
	struct packet_io *io = closing->options.io;
	struct tuple oldest;

	while (count-- && grace_take(closing->grace, UINT64_MAX, &oldest))
		io->ops->forget_flow(io, &oldest, true);
}
