/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A service at one end of a TCP connection, the test at the other, a loop that both drive. */
#ifndef NOLISTEN_TESTS_SERVICE_FIXTURE_H
#define NOLISTEN_TESTS_SERVICE_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "own_netns.h"
#include "service.h"

#define DEADLINE_S 20

static struct loop *loop;
static struct service *service;
static struct tuple tuple;
static int client;

#define RUN_UNTIL(condition)                                          \
	do {                                                          \
		const uint64_t start_ns = clock_monotonic_ns();       \
                                                                      \
		while (!(condition)) {                                \
			assert_true(clock_monotonic_ns() - start_ns < \
				    DEADLINE_S * CLOCK_NS_PER_S);     \
			assert_true(loop_wait(loop, 1) >= 0);         \
		}                                                     \
	} while (0)

static inline void start_service_with(const char *spec, const struct service_options *options)
{
	const char *error;

	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(service_new(&service, spec, options, loop, &error), 0);
}

static inline void start_service(const char *spec, uint32_t max_children)
{
	const struct service_options options = {.max_children = max_children};

	start_service_with(spec, &options);
}

static inline int listen_anywhere(struct sockaddr_in *name)
{
	socklen_t len = sizeof(*name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*name = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)name, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)name, &len), 0);
	return fd;
}

/* A connection: our end, non-blocking, is returned; *other is the service's, which tuple describes. */
static inline int connect_pair(int *other)
{
	struct sockaddr_in local, remote;
	socklen_t len = sizeof(remote);
	int listener = listen_anywhere(&local);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&local, sizeof(local)), 0);
	*other = accept4(listener, (struct sockaddr *)&remote, &len, SOCK_CLOEXEC);
	assert_true(*other >= 0);
	close(listener);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_true(endpoint_from_sockaddr((struct sockaddr *)&local, &tuple.local));
	assert_true(endpoint_from_sockaddr((struct sockaddr *)&remote, &tuple.remote));
	return fd;
}

static inline void serve(const char *spec)
{
	int fd;

	start_service(spec, 4);
	client = connect_pair(&fd);
	assert_int_equal(service_take(service, fd, &tuple), 0);
	assert_int_equal(service_active(service), 1);
}

static inline void stop_serving(void)
{
	if (client >= 0)
		close(client);
	service_free(service);
	loop_free(loop);
}

static inline void reset_client(void)
{
	const struct linger linger = {.l_onoff = 1};

	assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(client);
	client = -1;
}

static inline void send_text(const char *text)
{
	assert_int_equal(send(client, text, strlen(text), 0), strlen(text));
}

/* Append what is there; true at the end of the stream. A reset is a failure. */
static inline bool receive_some(char *text, size_t size, size_t *len)
{
	ssize_t got = recv(client, text + *len, size - *len, 0);

	if (got < 0)
		assert_int_equal(errno, EAGAIN);
	else
		*len += got;
	return got == 0;
}

static inline void expect_stream(const char *expected, size_t expected_len)
{
	char text[4096];
	size_t len = 0;

	RUN_UNTIL(receive_some(text, sizeof(text), &len));
	assert_int_equal(len, expected_len);
	assert_memory_equal(text, expected, len);
}

#endif
