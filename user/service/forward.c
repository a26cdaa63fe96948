/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Theory of operation
 *
 *	CONNECTING ── a target takes it ──► JOINED ── both have ended ──► closed
 *	    │  ▲                              │
 *	    │  └─ it does not: the next       └─ one has reset: RST to the other
 *	    └──── none is left: RST to the remote
 *
 * Joined, there are two streams (stream.h) between two sides. Each side is watched for what its streams wait for; an end is
 * passed on as an end, so either may go on alone. Whatever else ends a stream is no end of the data: the other side is told so
 * by a RST. While a target is looked for the remote's data stays in its socket.
 *
 * A connection that rests has two sockets and nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "forward_private.h"
#include "proxy_header.h"

/* Nothing was sent to it yet: there is room. */
static int send_proxy_header(const struct forward *forward)
{
	uint8_t header[PROXY_HEADER_MAX];
	const size_t len = proxy_header_write(header, &forward->connection.tuple);
	const ssize_t sent = send(forward->target.fd, header, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0)
		return -errno;
	return sent == (ssize_t)len ? 0 : -EIO;
}

static int watch(struct forward *forward, struct side *side, uint32_t events, loop_fn fn)
{
	const uint32_t before = side->events;

	side->events = events;
	if (!side->source)
		return loop_add(forward->connection.service->loop, side->fd, events, fn, forward,
				&side->source);
	return before == events ? 0 : loop_change(side->source, events);
}

/*
 * A side to which all was written that there will ever be tells of nothing more but of what it still has to be read for: it
 * is not watched while that has to wait, since once its own end has come the loop would tell so again and again.
 */
static int watch_side(struct forward *forward, struct side *side, const struct stream *from,
		      const struct stream *to, loop_fn fn)
{
	const uint32_t events =
		(stream_wants_read(from) ? EPOLLIN : 0u) | (stream_wants_write(to) ? EPOLLOUT : 0u);

	if (events || !to->is_over)
		return watch(forward, side, events, fn);
	loop_remove(side->source);
	side->source = NULL;
	return 0;
}

static void on_remote(void *context, uint32_t events);

static int watch_both(struct forward *forward)
{
	const struct stream *to_target = &forward->to_target, *to_remote = &forward->to_remote;

	return watch_side(forward, &forward->remote, to_target, to_remote, on_remote)
		       ?: watch_side(forward, &forward->target, to_remote, to_target,
				     forward_on_target);
}

static int move(struct forward *forward, struct stream *stream)
{
	struct service_stats *stats = forward_stats(forward);
	uint64_t *counter = stream == &forward->to_target ? &stats->forward_sent_bytes
							  : &stats->forward_received_bytes;
	const uint64_t before = stream->bytes;
	int err = stream_move(stream, &forward_settings(forward)->tools);

	*counter += stream->bytes - before;
	return err;
}

/*
 * Of a side, which is read from and written to by these. Read first: what came before a reset is passed on as well, and the
 * reset is told of but once: to who writes, and then who reads is told of an end.
 */
static int move_both(struct forward *forward, struct stream *from, struct stream *to,
		     uint32_t events)
{
	int err = 0;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		err = move(forward, from);
	if (!err && events & EPOLLOUT)
		err = move(forward, to);
	return err ?: events & EPOLLERR ? -ECONNRESET : 0;
}

static void move_on(struct forward *forward, struct stream *from, struct stream *to,
		    uint32_t events)
{
	int err = move_both(forward, from, to, events);

	forward->is_ended = forward->to_target.is_over && forward->to_remote.is_over;
	if (!forward->is_ended && !err)
		err = watch_both(forward);
	if (!forward->is_ended && !err)
		return;
	forward_stats(forward)->forward_aborted += !forward->is_ended;
	connection_close(&forward->connection);
}

static void on_remote(void *context, uint32_t events)
{
	struct forward *forward = context;

	if (forward->is_joined)
		move_on(forward, &forward->to_target, &forward->to_remote, events);
	else if (events & (EPOLLERR | EPOLLHUP))
		connection_close(&forward->connection);
}

static void join(struct forward *forward)
{
	const bool has_header = forward->connection.service->options.has_proxy_header;

	patience_stop(&forward->waiter);
	forward->is_joined = true;
	forward_note_success(forward);
	forward->to_target = (struct stream){.from = forward->remote.fd, .to = forward->target.fd};
	forward->to_remote = (struct stream){.from = forward->target.fd, .to = forward->remote.fd};
	if (has_header && send_proxy_header(forward))
		connection_close(&forward->connection);
	else
		move_on(forward, &forward->to_target, &forward->to_remote, EPOLLIN);
}

static int find_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) ? -errno : -error;
}

void forward_on_target(void *context, uint32_t events)
{
	struct forward *forward = context;
	int err;

	if (forward->is_joined) {
		move_on(forward, &forward->to_remote, &forward->to_target, events);
		return;
	}
	err = find_error(forward->target.fd);
	if (err)
		forward_try_next(forward, err);
	else
		join(forward);
}

static int forward_start(struct connection *connection, const struct tuple *tuple)
{
	struct forward *forward = (struct forward *)connection;
	struct forwarding *forwarding = forward_settings(forward);
	struct side *remote = &forward->remote;
	int err;

	(void)tuple;
	forward->target.fd = -1;
	remote->fd = connection->fd;
	forward->first = forwarding->next++ % forwarding->targets.count;
	if (connection->service->options.has_proxy_header)
		connection_find_local(connection);
	/* splice(2) asks the socket itself whether it may wait. */
	if (fcntl(remote->fd, F_SETFL, O_NONBLOCK))
		return -errno;
	forward_prepare(remote->fd);
	err = loop_add(connection->service->loop, remote->fd, 0, on_remote, forward,
		       &remote->source);
	return err ?: forward_connect(forward);
}

/* Each side has a source of its own. */
static void forward_ready(struct connection *connection)
{
	(void)connection;
}

static void reset_at_close(int fd)
{
	const struct linger at_once = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* The remote's descriptor is closed behind this. */
static void forward_stop(struct connection *connection)
{
	struct forward *forward = (struct forward *)connection;

	if (!forward->is_ended)
		reset_at_close(connection->fd);
	if (!forward->is_ended && forward->target.fd >= 0)
		reset_at_close(forward->target.fd);
	loop_forget(forward->remote.source);
	forward_leave_target(forward);
	stream_free(&forward->to_target);
	stream_free(&forward->to_remote);
}

/* Names are looked up when it is to work, not when it is only checked. */
static int forward_configure(struct service *service, const char *argument, const char **error)
{
	struct forwarding *forwarding;
	int err = forward_spec_check(argument, error);

	if (err || !service->loop)
		return err;
	forwarding = calloc(1, sizeof(*forwarding));
	if (!forwarding)
		return -ENOMEM;
	service->settings = forwarding;
	forwarding->tools.scratch = service->scratch;
	forwarding->tools.scratch_size = sizeof(service->scratch);
	patience_init(&forwarding->patience, service->loop, service->options.connect_ns,
		      forward_take_timeout);
	return forward_spec_resolve(argument, &forwarding->targets, error);
}

static void forward_forget(struct service *service)
{
	struct forwarding *forwarding = service->settings;

	if (!forwarding)
		return;
	patience_end(&forwarding->patience);
	pipes_free(&forwarding->tools.pipes);
	free(forwarding);
}

void service_visit_targets(const struct service *service, service_target_fn fn, void *context)
{
	const struct service *behind =
		service->kind->behind ? service->kind->behind(service) : NULL;
	const struct forwarding *forwarding = service->settings;
	struct endpoint endpoint;

	if (behind)
		service_visit_targets(behind, fn, context);
	if (service->kind != &service_forward)
		return;
	for (size_t i = 0; i < forwarding->targets.count; i++) {
		target_endpoint(&forwarding->targets.all[i], &endpoint);
		fn(context, &endpoint);
	}
}

const struct service_kind service_forward = {
	.name = "forward",
	.form = "forward:HOST:PORT",
	.meaning = "join it to a connection to HOST; of several, with commas between, in turn",
	.missing_argument = "forward needs a target, as in forward:10.0.0.3:80",
	.connection_size = sizeof(struct forward),
	.configure = forward_configure,
	.forget = forward_forget,
	.start = forward_start,
	.ready = forward_ready,
	.stop = forward_stop,
};
