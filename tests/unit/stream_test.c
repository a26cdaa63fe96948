/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One direction of forward, between two socket pairs, with and without a descriptor for a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/cmocka_setup.h"

#include "stream.h"

#define AMOUNT (3u << 20)

static int source[2], sink[2]; /* [0] is the test's end */
static struct stream stream;
static struct stream_tools tools;
static uint8_t scratch[65536];

static int setup(void **state)
{
	const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, type, 0, source), 0);
	assert_int_equal(socketpair(AF_UNIX, type, 0, sink), 0);
	stream = (struct stream){.from = source[1], .to = sink[1]};
	tools = (struct stream_tools){.scratch = scratch, .scratch_size = sizeof(scratch)};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	stream_free(&stream);
	pipes_free(&tools.pipes);
	for (int i = 0; i < 2; i++) {
		close(source[i]);
		close(sink[i]);
	}
	return 0;
}

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

static size_t pump_out(size_t sent)
{
	uint8_t piece[10000];
	size_t len = AMOUNT - sent < sizeof(piece) ? AMOUNT - sent : sizeof(piece);
	ssize_t done;

	for (size_t i = 0; i < len; i++)
		piece[i] = pattern(sent + i);
	done = send(source[0], piece, len, MSG_NOSIGNAL);
	return done > 0 ? (size_t)done : 0;
}

/* True at the end. */
static bool pump_in(size_t *received)
{
	uint8_t piece[7000];
	ssize_t len = recv(sink[0], piece, sizeof(piece), 0);

	for (ssize_t i = 0; i < len; i++)
		assert_int_equal(piece[i], pattern((*received)++));
	return !len;
}

static void move_all(void)
{
	size_t sent = 0, received = 0;

	do {
		sent += pump_out(sent);
		if (sent == AMOUNT)
			shutdown(source[0], SHUT_WR);
		assert_int_equal(stream_move(&stream, &tools), 0);
	} while (!pump_in(&received));
	assert_int_equal(received, AMOUNT);
	assert_int_equal(stream.bytes, AMOUNT);
	assert_true(stream.is_over);
}

static void every_byte_and_the_end_are_passed_on(void **state)
{
	(void)state;
	move_all();
	assert_false(stream.has_pipe);
	assert_int_equal(tools.pipes.count, 1);
}

static void leave_no_descriptors(struct rlimit *old)
{
	struct rlimit none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, old), 0);
	none = (struct rlimit){.rlim_cur = 3, .rlim_max = old->rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void every_byte_is_passed_on_without_a_pipe(void **state)
{
	struct rlimit old;

	(void)state;
	leave_no_descriptors(&old);
	move_all();
	assert_int_equal(tools.pipes.count, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

static void fill_up(void)
{
	size_t sent = 0;

	for (int i = 0; i < 1000; i++) {
		sent += pump_out(sent);
		assert_int_equal(stream_move(&stream, &tools), 0);
	}
	assert_true(sent < AMOUNT);
}

static void what_has_no_room_waits_in_a_pipe(void **state)
{
	(void)state;
	assert_true(stream_wants_read(&stream));
	assert_false(stream_wants_write(&stream));
	fill_up();
	assert_true(stream_wants_write(&stream));
	assert_false(stream_wants_read(&stream));
	assert_true(stream.has_pipe);
}

static void what_has_no_room_waits_where_it_is_without_a_pipe(void **state)
{
	struct rlimit old;

	(void)state;
	leave_no_descriptors(&old);
	fill_up();
	assert_true(stream_wants_write(&stream));
	assert_false(stream_wants_read(&stream));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

static void nobody_to_write_to_is_an_error(void **state)
{
	(void)state;
	close(sink[0]);
	sink[0] = -1;
	assert_int_equal(pump_out(0), 10000);
	assert_true(stream_move(&stream, &tools) < 0);
}

static void a_pipe_that_holds_something_is_nobody_elses(void **state)
{
	(void)state;
	fill_up();
	assert_int_equal(tools.pipes.count, 0);
	stream_free(&stream);
	assert_int_equal(tools.pipes.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_byte_and_the_end_are_passed_on),
		TEST(every_byte_is_passed_on_without_a_pipe),
		TEST(what_has_no_room_waits_in_a_pipe),
		TEST(what_has_no_room_waits_where_it_is_without_a_pipe),
		TEST(nobody_to_write_to_is_an_error),
		TEST(a_pipe_that_holds_something_is_nobody_elses),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
