/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bulk TCP of a connection that is nobody's business, from the client to another port of the server. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addr.h"
#include "clock.h"
#include "measure.h"

#define WAIT_MS 3000
#define CHUNK 262144

struct bulk {
	uint32_t duration_ms;
};

struct bulk_result {
	uint64_t bytes, elapsed_ns;
};

static socklen_t other_port(struct sockaddr_storage *out)
{
	struct endpoint endpoint = {.port = BENCH_OTHER_PORT};

	addr_parse(BENCH_SERVER_ADDRESS, &endpoint.addr);
	return endpoint_to_sockaddr(&endpoint, 0, out);
}

static int listen_once(void)
{
	struct sockaddr_storage local;
	const socklen_t len = other_port(&local);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, err = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&local, len) || listen(fd, 1))
		err = -errno;
	if (err)
		close(fd);
	return err ?: fd;
}

static int wait_readable(int fd)
{
	struct pollfd item = {.fd = fd, .events = POLLIN};
	int count = poll(&item, 1, WAIT_MS);

	return count == 1 ? 0 : count ? -errno : -ETIMEDOUT;
}

/* MSG_TRUNC discards in the kernel, so that copying is not what is measured. */
static void drain(int fd, struct bulk_result *out)
{
	const uint64_t start_ns = clock_monotonic_ns();
	ssize_t got;

	while ((got = recv(fd, NULL, CHUNK, MSG_TRUNC)) > 0)
		out->bytes += (uint64_t)got;
	out->elapsed_ns = clock_monotonic_ns() - start_ns;
}

static int receive_bulk(const void *argument, void *result)
{
	int listen_fd = listen_once(), fd, err;

	(void)argument;
	if (listen_fd < 0)
		return listen_fd;
	err = wait_readable(listen_fd);
	fd = err ? err : accept(listen_fd, NULL, NULL);
	if (fd < 0)
		return err ?: -errno;
	drain(fd, result);
	return 0;
}

static int connect_to_other(void)
{
	const uint64_t deadline_ns = clock_monotonic_ns() + WAIT_MS * CLOCK_NS_PER_MS;
	struct sockaddr_storage remote;
	const socklen_t len = other_port(&remote);

	while (clock_monotonic_ns() < deadline_ns) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0)
			return -errno;
		if (!connect(fd, (struct sockaddr *)&remote, len))
			return fd;
		close(fd);
		poll(NULL, 0, 1);
	}
	return -ECONNREFUSED;
}

static int send_bulk(const void *argument, void *result)
{
	const struct bulk *bulk = argument;
	static const char data[CHUNK];
	int fd = connect_to_other();
	uint64_t end_ns;

	(void)result;
	if (fd < 0)
		return fd;
	end_ns = clock_monotonic_ns() + bulk->duration_ms * CLOCK_NS_PER_MS;
	while (clock_monotonic_ns() < end_ns)
		if (send(fd, data, sizeof(data), MSG_NOSIGNAL) < 0)
			return -errno;
	return 0;
}

int measure_bulk(struct trial *trial, uint32_t slice_ms)
{
	const struct bulk bulk = {.duration_ms = slice_ms * 2};
	struct bulk_result *result = trial->scratch;
	const struct job_function receiver = {.fn = receive_bulk,
					      .result = result,
					      .place = LAB_SERVER,
					      .cpu = trial->lab->cpus[LAB_SERVER]};
	const struct job_function sender = {.fn = send_bulk,
					    .argument = &bulk,
					    .place = LAB_CLIENT,
					    .cpu = trial->lab->cpus[LAB_CLIENT]};
	struct job job;
	int err;

	memset(result, 0, sizeof(*result));
	err = job_start(trial->lab, &receiver, &job);
	if (err)
		return err;
	err = job_run(trial->lab, &sender, bulk.duration_ms + WAIT_MS);
	if (err)
		job_stop(&job);
	else
		err = job_wait(&job, WAIT_MS);
	if (!err && !result->bytes)
		err = -ENODATA;
	if (!err)
		trial_record(trial, "bulk.mbit_s", result->bytes * 8e3 / result->elapsed_ns);
	return err;
}
