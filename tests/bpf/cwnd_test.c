/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A socket's congestion window, set by a walk that has to find it among others. */
#include "cwnd.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

struct pair {
	int client, server;
};

static struct cwnd *cwnd;

static struct pair connect_pair(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	const int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct pair pair = {.client = socket(AF_INET, SOCK_STREAM, 0)};

	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	assert_int_equal(connect(pair.client, (struct sockaddr *)&address, len), 0);
	pair.server = accept(listener, NULL, NULL);
	assert_true(pair.server >= 0);
	close(listener);
	return pair;
}

static void close_pair(struct pair pair)
{
	close(pair.client);
	close(pair.server);
}

static unsigned int cwnd_of(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_snd_cwnd;
}

static void sets_that_of_one_socket_and_no_other(void **state)
{
	struct pair first = connect_pair(), second = connect_pair(), third = connect_pair();

	(void)state;
	assert_int_equal(cwnd_set(cwnd, second.server, 1), 0);
	assert_int_equal(cwnd_of(second.server), 1);
	assert_int_equal(cwnd_of(second.client), 10);
	assert_int_equal(cwnd_of(first.server), 10);
	assert_int_equal(cwnd_of(third.server), 10);
	assert_int_equal(cwnd_set(cwnd, third.server, 3), 0);
	assert_int_equal(cwnd_of(third.server), 3);
	close_pair(first);
	close_pair(second);
	close_pair(third);
}

static void refuses_a_socket_that_has_sent_data(void **state)
{
	struct pair pair = connect_pair();

	(void)state;
	assert_int_equal(send(pair.server, "x", 1, 0), 1);
	assert_int_equal(cwnd_set(cwnd, pair.server, 1), -EINVAL);
	close_pair(pair);
}

static void finds_no_socket_that_is_not_connected(void **state)
{
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(cwnd_set(cwnd, fd, 1), -ENOENT);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_that_of_one_socket_and_no_other),
		cmocka_unit_test(refuses_a_socket_that_has_sent_data),
		cmocka_unit_test(finds_no_socket_that_is_not_connected),
	};
	int failed;

	if (!fixture_enter())
		return 0;
	if (cwnd_new(&cwnd))
		return 1;
	failed = cmocka_run_group_tests_name("cwnd", tests, NULL, NULL);
	cwnd_free(cwnd);
	return failed;
}
