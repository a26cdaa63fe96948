/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* forward between the loopback's sockets: the test is the remote (client) and the targets. */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>

#include "service_fixture.h"

static int listeners[2] = {-1, -1};
static struct sockaddr_in names[2];
static int target; /* a connection that has come to one of them */
static unsigned int told;

static void tell(void *context, const struct service_news *news)
{
	(void)context;
	assert_int_equal(news->kind, SERVICE_NO_TARGET);
	assert_true(tuple_is_equal(news->tuple, &tuple));
	told++;
}

static struct service_options options;

static int setup(void **state)
{
	(void)state;
	options = (struct service_options){.connect_ns = 20 * CLOCK_NS_PER_S, .tell = tell};
	target = -1;
	told = 0;
	for (int i = 0; i < 2; i++) {
		listeners[i] = listen_anywhere(&names[i]);
		assert_int_equal(fcntl(listeners[i], F_SETFL, O_NONBLOCK), 0);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		close(listeners[i]);
	close(target);
	return 0;
}

static void stop_listening(int which)
{
	close(listeners[which]);
	listeners[which] = -1;
}

static void take(void)
{
	int fd;

	client = connect_pair(&fd);
	service_take(service, fd, &tuple);
}

static void start(size_t count)
{
	char spec[128];

	snprintf(spec, sizeof(spec),
		 count > 1 ? "forward:127.0.0.1:%u,127.0.0.1:%u" : "forward:127.0.0.1:%u",
		 ntohs(names[0].sin_port), ntohs(names[1].sin_port));
	start_service_with(spec, &options);
}

static bool has_come_to(int which)
{
	target = accept4(listeners[which], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return target >= 0;
}

static struct service_stats stats(void)
{
	struct service_stats all;

	service_read_stats(service, &all);
	return all;
}

static void join(void)
{
	start(1);
	take();
	RUN_UNTIL(has_come_to(0));
	RUN_UNTIL(stats().forwarded == 1);
}

/* Of either end. */
static void expect_bytes(int fd, const char *expected)
{
	char text[256];
	ssize_t len;

	RUN_UNTIL((len = recv(fd, text, sizeof(text), MSG_DONTWAIT)) >= 0 || errno != EAGAIN);
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(text, expected, strlen(expected));
}

static void put(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static bool is_reset(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET;
}

static void an_end_is_passed_on_and_the_other_way_goes_on(void **state)
{
	(void)state;
	join();
	put(client, "question");
	expect_bytes(target, "question");
	shutdown(client, SHUT_WR);
	expect_bytes(target, "");
	put(target, "answer");
	expect_bytes(client, "answer");
	assert_int_equal(service_active(service), 1);
	shutdown(target, SHUT_WR);
	expect_bytes(client, "");
	RUN_UNTIL(service_active(service) == 0);
	assert_int_equal(stats().forward_sent_bytes, 8);
	assert_int_equal(stats().forward_received_bytes, 6);
	assert_int_equal(stats().forward_aborted, 0);
	stop_serving();
}

static void the_target_may_end_first(void **state)
{
	(void)state;
	join();
	put(target, "220 hello");
	expect_bytes(client, "220 hello");
	shutdown(target, SHUT_WR);
	expect_bytes(client, "");
	put(client, "still here");
	expect_bytes(target, "still here");
	shutdown(client, SHUT_WR);
	expect_bytes(target, "");
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

static void what_came_before_there_was_a_target_is_passed_on(void **state)
{
	(void)state;
	start(1);
	take();
	put(client, "early");
	shutdown(client, SHUT_WR);
	RUN_UNTIL(has_come_to(0));
	expect_bytes(target, "early");
	expect_bytes(target, "");
	stop_serving();
}

static void reset(int *fd)
{
	const struct linger linger = {.l_onoff = 1};

	assert_int_equal(setsockopt(*fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(*fd);
	*fd = -1;
}

static void a_reset_of_the_remote_resets_the_target(void **state)
{
	(void)state;
	join();
	reset(&client);
	RUN_UNTIL(is_reset(target));
	assert_int_equal(service_active(service), 0);
	assert_int_equal(stats().forward_aborted, 1);
	stop_serving();
}

static void a_reset_of_the_target_resets_the_remote(void **state)
{
	(void)state;
	join();
	reset(&target);
	RUN_UNTIL(is_reset(client));
	assert_int_equal(service_active(service), 0);
	stop_serving();
}

static void a_remote_that_resets_early_is_not_forwarded(void **state)
{
	(void)state;
	start(1);
	take();
	reset(&client);
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

/* One end writes until nothing goes any more; in 200 turns of the loop nothing does. */
static size_t fill_up(int fd)
{
	static uint8_t zeros[16384];
	unsigned int idle_turns = 0;
	size_t sent = 0;

	while (idle_turns < 200) {
		ssize_t len = send(fd, zeros, sizeof(zeros), MSG_NOSIGNAL | MSG_DONTWAIT);

		sent += len > 0 ? (size_t)len : 0;
		idle_turns = len > 0 ? 0 : idle_turns + 1;
		assert_true(loop_wait(loop, 0) >= 0);
	}
	return sent;
}

static bool drain(int fd, size_t *received)
{
	static uint8_t piece[65536];
	ssize_t len = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);

	*received += len > 0 ? (size_t)len : 0;
	return !len;
}

static void who_does_not_read_stops_who_writes(void **state)
{
	size_t sent, received = 0;

	(void)state;
	join();
	sent = fill_up(client);
	shutdown(client, SHUT_WR);
	RUN_UNTIL(drain(target, &received));
	assert_int_equal(received, sent);
	stop_serving();
}

/* Both ends of the remote's socket are known to be over, and its last bytes wait: the loop must not tell so for ever. */
static void an_end_behind_what_waits_does_not_spin(void **state)
{
	unsigned int calls = 0;
	size_t sent, received = 0;

	(void)state;
	join();
	sent = fill_up(client);
	shutdown(client, SHUT_WR);
	shutdown(target, SHUT_WR);
	expect_bytes(client, "");
	for (int i = 0; i < 200; i++)
		calls += (unsigned int)loop_wait(loop, 0);
	assert_true(calls < 20);
	RUN_UNTIL(drain(target, &received));
	assert_int_equal(received, sent);
	RUN_UNTIL(service_active(service) == 0);
	assert_int_equal(stats().forward_aborted, 0);
	stop_serving();
}

static void a_reset_ends_what_waits(void **state)
{
	(void)state;
	join();
	fill_up(client);
	reset(&target);
	RUN_UNTIL(service_active(service) == 0);
	assert_true(is_reset(client));
	stop_serving();
}

static void targets_take_turns(void **state)
{
	(void)state;
	start(2);
	for (int i = 0; i < 4; i++) {
		take();
		RUN_UNTIL(has_come_to(i % 2));
		close(client);
		close(target);
		RUN_UNTIL(service_active(service) == 0);
	}
	client = target = -1;
	stop_serving();
}

static void another_target_stands_in_and_is_first_for_a_while(void **state)
{
	(void)state;
	stop_listening(0);
	start(2);
	for (int i = 0; i < 3; i++) {
		take();
		RUN_UNTIL(has_come_to(1));
		RUN_UNTIL(stats().forwarded == i + 1u);
		close(client);
		close(target);
		RUN_UNTIL(service_active(service) == 0);
	}
	client = target = -1;
	assert_int_equal(stats().forward_failed, 1);
	assert_int_equal(stats().forward_failed_over, 2);
	stop_serving();
}

static void without_a_target_the_remote_is_reset(void **state)
{
	(void)state;
	stop_listening(0);
	stop_listening(1);
	start(2);
	take();
	RUN_UNTIL(is_reset(client));
	assert_int_equal(service_active(service), 0);
	assert_int_equal(stats().forward_failed, 2);
	assert_int_equal(stats().forward_no_target, 1);
	assert_int_equal(told, 1);
	stop_serving();
}

/* Its queue is full: what comes is not answered. */
static void block(int which, int fillers[4])
{
	for (int i = 0; i < 4; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		connect(fillers[i], (struct sockaddr *)&names[which], sizeof(names[which]));
	}
}

static void who_does_not_answer_is_given_up(void **state)
{
	int fillers[4];

	(void)state;
	block(0, fillers);
	options.connect_ns = 30 * CLOCK_NS_PER_MS;
	start(2);
	take();
	RUN_UNTIL(has_come_to(1));
	RUN_UNTIL(stats().forwarded == 1);
	assert_int_equal(stats().forward_failed, 1);
	for (int i = 0; i < 4; i++)
		close(fillers[i]);
	stop_serving();
}

static void the_header_comes_first(void **state)
{
	uint8_t bytes[64];
	ssize_t len;

	(void)state;
	options.has_proxy_header = true;
	join();
	RUN_UNTIL((len = recv(target, bytes, sizeof(bytes), 0)) > 0);
	assert_int_equal(len, 28);
	assert_memory_equal(bytes, "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16);
	put(client, "question");
	expect_bytes(target, "question");
	stop_serving();
}

static size_t count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void who_rests_has_two_descriptors(void **state)
{
	int clients[8], targets[8];
	size_t before;

	(void)state;
	join();
	put(client, "x");
	expect_bytes(target, "x");
	before = count_descriptors();
	for (int i = 0; i < 8; i++) {
		const int first_client = client, first_target = target;

		take();
		RUN_UNTIL(has_come_to(0));
		put(client, "x");
		expect_bytes(target, "x");
		clients[i] = client;
		targets[i] = target;
		client = first_client;
		target = first_target;
	}
	/* Two are the test's own. */
	assert_int_equal(count_descriptors() - before, 8 * (2 + 2));
	for (int i = 0; i < 8; i++) {
		close(clients[i]);
		close(targets[i]);
	}
	stop_serving();
}

static void what_is_left_is_reset_at_the_end(void **state)
{
	(void)state;
	join();
	service_free(service);
	service = NULL;
	assert_true(is_reset(client));
	assert_true(is_reset(target));
	stop_serving();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_end_is_passed_on_and_the_other_way_goes_on),
		TEST(the_target_may_end_first),
		TEST(what_came_before_there_was_a_target_is_passed_on),
		TEST(a_reset_of_the_remote_resets_the_target),
		TEST(a_reset_of_the_target_resets_the_remote),
		TEST(a_remote_that_resets_early_is_not_forwarded),
		TEST(who_does_not_read_stops_who_writes),
		TEST(an_end_behind_what_waits_does_not_spin),
		TEST(a_reset_ends_what_waits),
		TEST(targets_take_turns),
		TEST(another_target_stands_in_and_is_first_for_a_while),
		TEST(without_a_target_the_remote_is_reset),
		TEST(who_does_not_answer_is_given_up),
		TEST(the_header_comes_first),
		TEST(who_rests_has_two_descriptors),
		TEST(what_is_left_is_reset_at_the_end),
	};

	if (!own_netns_enter())
		return own_netns_skip("forward");
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("forward", tests, NULL, NULL);
}
