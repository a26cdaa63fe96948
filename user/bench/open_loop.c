/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "open_loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock.h"
#include "schedule.h"

#define EVENTS 64
/* Under way at a time: those of one timeout, and as many again that came late. */
#define CLIENTS_MAX (2 * OPEN_LOOP_PER_S_MAX * OPEN_LOOP_TIMEOUT_MS / 1000)

struct client {
	int fd; /* -1: free */
	bool has_sent;
	uint64_t due_ns;
};

/* Clients are used in turn, so that the oldest of those under way is always at `oldest`. */
struct open_loop {
	const struct open_loop_options *options;
	struct open_loop_result *result;
	struct pace pace;
	struct sockaddr_storage remote;
	socklen_t remote_len;
	int epoll_fd;
	uint64_t next, oldest;
	struct client clients[CLIENTS_MAX];
};

static uint32_t timeout_ms(const struct open_loop_options *options)
{
	return options->timeout_ms ?: OPEN_LOOP_TIMEOUT_MS;
}

static struct client *client_at(struct open_loop *loop, uint64_t number)
{
	return &loop->clients[number % CLIENTS_MAX];
}

static void close_client(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

static void fail(struct open_loop *loop, struct client *client, int err)
{
	if (!loop->result->first_error)
		loop->result->first_error = err;
	close_client(client);
}

static int begin_connect(struct open_loop *loop, struct client *client, uint64_t number)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
				    .data.u64 = number % CLIENTS_MAX};

	client->fd = load_open(&loop->options->load, number, SOCK_NONBLOCK);
	if (client->fd < 0)
		return client->fd;
	if (connect(client->fd, (struct sockaddr *)&loop->remote, loop->remote_len) &&
	    errno != EINPROGRESS)
		return -errno;
	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, client->fd, &event) ? -errno : 0;
}

static void start_due(struct open_loop *loop, uint64_t due)
{
	for (; loop->next < due; loop->next++) {
		struct client *client = client_at(loop, loop->next);
		int err;

		loop->result->attempts++;
		*client =
			(struct client){.fd = -1, .due_ns = pace_time_ns(&loop->pace, loop->next)};
		err = begin_connect(loop, client, loop->next);
		if (err)
			fail(loop, client, err);
	}
}

static int socket_error(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return -err;
}

static int take_connected(struct open_loop *loop, struct client *client)
{
	int err = socket_error(client->fd);

	if (err)
		return err;
	loop->result->connected++;
	histogram_add(&loop->result->connect, clock_monotonic_ns() - client->due_ns);
	if (send(client->fd, load_message, sizeof(load_message), MSG_NOSIGNAL) < 0)
		return -errno;
	client->has_sent = true;
	return 0;
}

static int take_echo(struct open_loop *loop, struct client *client)
{
	char echo[LOAD_MESSAGE_LEN];
	ssize_t got = recv(client->fd, echo, sizeof(echo), 0);

	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (!got)
		return -ECONNRESET;
	if (memcmp(echo, load_message, got))
		return -EBADMSG;
	loop->result->served++;
	histogram_add(&loop->result->first_byte, clock_monotonic_ns() - client->due_ns);
	close_client(client);
	return 0;
}

static void advance(struct open_loop *loop, struct client *client, uint32_t events)
{
	int err = 0;

	if (client->fd < 0)
		return;
	if (!client->has_sent && events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		err = take_connected(loop, client);
	if (!err && client->has_sent && events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		err = take_echo(loop, client);
	if (err)
		fail(loop, client, err);
}

static void expire(struct open_loop *loop, uint64_t now_ns)
{
	const uint64_t timeout_ns = timeout_ms(loop->options) * CLOCK_NS_PER_MS;

	for (; loop->oldest < loop->next; loop->oldest++) {
		struct client *client = client_at(loop, loop->oldest);

		if (client->fd >= 0 && now_ns < client->due_ns + timeout_ns)
			break;
		if (client->fd >= 0)
			fail(loop, client, -ETIMEDOUT);
	}
}

/* Polls all the time: a timer's own delay would be counted as the server's. */
static int run(struct open_loop *loop)
{
	const uint64_t total = (uint64_t)loop->options->per_s * loop->options->duration_ms / 1000;
	struct epoll_event events[EVENTS];

	while (loop->next < total || loop->oldest < loop->next) {
		uint64_t now_ns = clock_monotonic_ns(), due = pace_due(&loop->pace, now_ns);
		int count;

		start_due(loop, due < total ? due : total);
		count = epoll_wait(loop->epoll_fd, events, EVENTS, 0);
		if (count < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < count; i++)
			advance(loop, &loop->clients[events[i].data.u64], events[i].events);
		expire(loop, now_ns);
	}
	return 0;
}

static struct open_loop *make_loop(const struct open_loop_options *options,
				   struct open_loop_result *result)
{
	struct open_loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->options = options;
	loop->result = result;
	loop->remote_len = endpoint_to_sockaddr(&options->load.remote, 0, &loop->remote);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		loop->clients[i].fd = -1;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		free(loop);
		return NULL;
	}
	loop->pace = (struct pace){clock_monotonic_ns(), options->per_s};
	return loop;
}

int open_loop_run(const struct open_loop_options *options, struct open_loop_result *out)
{
	struct open_loop *loop;
	int err;

	if ((uint64_t)options->per_s * timeout_ms(options) / 1000 > CLIENTS_MAX / 2)
		return -ERANGE;
	loop = make_loop(options, out);
	if (!loop)
		return -ENOMEM;
	err = run(loop);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		close_client(&loop->clients[i]);
	close(loop->epoll_fd);
	free(loop);
	return err;
}

static int connect_once(const struct load_options *options, uint64_t number,
			const struct sockaddr *remote, socklen_t len)
{
	const struct timeval timeout = {.tv_usec = OPEN_LOOP_TIMEOUT_MS * 1000};
	int fd = load_open(options, number, 0), err = 0;

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) ||
	    connect(fd, remote, len))
		err = errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	if (err)
		close(fd);
	return err ?: fd;
}

/* A connection that failed is one, and no latency of those that come after it: they begin anew. */
int open_loop_connect(const struct open_loop_options *options, struct open_loop_result *out)
{
	const uint64_t total = (uint64_t)options->per_s * options->duration_ms / 1000;
	struct pace pace = {clock_monotonic_ns(), options->per_s};
	const uint64_t end_ns = pace_time_ns(&pace, total) + CLOCK_NS_PER_S;
	struct sockaddr_storage remote;
	const socklen_t len = endpoint_to_sockaddr(&options->load.remote, 0, &remote);
	uint64_t now_ns = pace.start_ns;
	int fd;

	for (; out->attempts < total && now_ns < end_ns; out->attempts++) {
		const uint64_t due_ns = pace_time_ns(&pace, out->attempts);

		while (clock_monotonic_ns() < due_ns)
			continue;
		fd = connect_once(&options->load, out->attempts, (struct sockaddr *)&remote, len);
		now_ns = clock_monotonic_ns();
		if (fd < 0) {
			out->first_error = out->first_error ?: fd;
			pace.start_ns += now_ns - due_ns;
			continue;
		}
		out->connected++;
		histogram_add(&out->connect, now_ns - due_ns);
		close(fd);
	}
	return 0;
}
