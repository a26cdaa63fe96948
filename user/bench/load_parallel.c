/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Many connections at once in one thread. A slot is one connection at a time; its socket is watched once,
 * edge-triggered: writable means connected, readable means the echo.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "load.h"

#define EVENTS 256
#define CHECK_MS 100

struct slot {
	int fd; /* -1: none */
	bool has_sent;
	size_t received;
	uint32_t answered;
	uint64_t started_ns;
};

struct parallel {
	const struct load_options *options;
	struct load_result *result;
	struct sockaddr_storage remote;
	socklen_t remote_len;
	int epoll_fd;
	uint64_t sequence;
	uint64_t begin_ns; /* end of the warm-up */
	struct slot slots[LOAD_PARALLEL_MAX];
};

static int begin_connect(struct parallel *load, uint32_t index)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = index};
	struct slot *slot = &load->slots[index];

	slot->fd = load_open(load->options, load->sequence++, SOCK_NONBLOCK);
	if (slot->fd < 0)
		return slot->fd;
	slot->has_sent = false;
	slot->received = 0;
	slot->answered = 0;
	slot->started_ns = clock_monotonic_ns();
	if (connect(slot->fd, (struct sockaddr *)&load->remote, load->remote_len) &&
	    errno != EINPROGRESS)
		return -errno;
	return epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, slot->fd, &event) ? -errno : 0;
}

static void close_slot(struct slot *slot)
{
	if (slot->fd >= 0)
		close(slot->fd);
	slot->fd = -1;
}

/* The next connection of the slot. What fails at once is counted, and the slot rests until the next check. */
static void start(struct parallel *load, uint32_t index)
{
	int err = begin_connect(load, index);

	if (!err)
		return;
	load_count_failure(load->result, err);
	close_slot(&load->slots[index]);
}

static int send_message(struct slot *slot)
{
	if (send(slot->fd, load_message, sizeof(load_message), MSG_NOSIGNAL) < 0)
		return -errno;
	slot->has_sent = true;
	return 0;
}

static int receive(struct slot *slot)
{
	char echo[LOAD_MESSAGE_LEN];
	size_t missing = sizeof(echo) - slot->received;
	ssize_t got = recv(slot->fd, echo, missing, 0);

	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (!got)
		return -ECONNRESET;
	if (memcmp(echo, load_message + slot->received, got))
		return -EBADMSG;
	slot->received += got;
	return 0;
}

static void finish(struct parallel *load, uint32_t index, int err)
{
	struct slot *slot = &load->slots[index];
	uint64_t now_ns = clock_monotonic_ns();

	if (err)
		load_count_failure(load->result, err);
	else if (slot->started_ns >= load->begin_ns)
		histogram_add(&load->result->latency, now_ns - slot->started_ns);
	close_slot(slot);
	start(load, index);
}

/* An echo is complete. If not, the slot is ready for the next. */
static bool is_last(struct parallel *load, struct slot *slot)
{
	const uint64_t now_ns = clock_monotonic_ns();

	load->result->requests += now_ns >= load->begin_ns;
	if (++slot->answered >= load->options->requests)
		return true;
	slot->received = 0;
	slot->started_ns = now_ns;
	return false;
}

static void advance(struct parallel *load, uint32_t index, uint32_t events)
{
	struct slot *slot = &load->slots[index];
	int err = 0;

	if (slot->fd < 0)
		return;
	if (!slot->has_sent && events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		err = send_message(slot);
	if (!err && events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		err = receive(slot);
	if (!err && slot->received == LOAD_MESSAGE_LEN && !is_last(load, slot))
		err = send_message(slot);
	if (err || slot->received == LOAD_MESSAGE_LEN)
		finish(load, index, err);
}

static void check_slots(struct parallel *load, uint64_t now_ns)
{
	for (uint32_t i = 0; i < load->options->parallel; i++) {
		struct slot *slot = &load->slots[i];

		if (slot->fd < 0)
			start(load, i);
		else if (now_ns > slot->started_ns + LOAD_TIMEOUT_MS * CLOCK_NS_PER_MS)
			finish(load, i, -ETIMEDOUT);
	}
}

static int run_until(struct parallel *load, uint64_t end_ns)
{
	struct epoll_event events[EVENTS];
	uint64_t now_ns = clock_monotonic_ns(), check_ns = now_ns;

	for (; now_ns < end_ns && load->result->failed < LOAD_FAILURES_MAX;
	     now_ns = clock_monotonic_ns()) {
		int count = epoll_wait(load->epoll_fd, events, EVENTS, CHECK_MS);

		if (count < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < count; i++)
			advance(load, events[i].data.u32, events[i].events);
		if (now_ns >= check_ns) {
			check_slots(load, now_ns);
			check_ns = now_ns + CHECK_MS * CLOCK_NS_PER_MS;
		}
	}
	load->result->counted_ns = now_ns > load->begin_ns ? now_ns - load->begin_ns : 0;
	return 0;
}

static void close_all(struct parallel *load)
{
	for (uint32_t i = 0; i < LOAD_PARALLEL_MAX; i++)
		close_slot(&load->slots[i]);
	close(load->epoll_fd);
}

int load_run_parallel(const struct load_options *options, struct load_result *out)
{
	struct parallel *load = calloc(1, sizeof(*load));
	int err;

	if (!load)
		return -ENOMEM;
	load->options = options;
	load->result = out;
	load->remote_len = endpoint_to_sockaddr(&options->remote, 0, &load->remote);
	for (uint32_t i = 0; i < LOAD_PARALLEL_MAX; i++)
		load->slots[i].fd = -1;
	load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (load->epoll_fd < 0) {
		err = -errno;
		goto out;
	}
	load->begin_ns = clock_monotonic_ns() + options->warmup_ms * CLOCK_NS_PER_MS;
	check_slots(load, 0);
	err = run_until(load, load->begin_ns + options->duration_ms * CLOCK_NS_PER_MS);
	close_all(load);
out:
	free(load);
	return err;
}
