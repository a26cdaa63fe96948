/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* echo, discard, hold and banner over the loopback of a namespace of our own. */
#include "service_fixture.h"

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

/* Send as much as goes of the pattern's bytes from *sent up to len. */
static void pump_out(size_t *sent, size_t len)
{
	uint8_t piece[10000];
	ssize_t done = 0;

	while (*sent < len && done >= 0) {
		size_t count = len - *sent < sizeof(piece) ? len - *sent : sizeof(piece);

		for (size_t i = 0; i < count; i++)
			piece[i] = pattern(*sent + i);
		done = send(client, piece, count, 0);
		if (done > 0)
			*sent += done;
	}
}

static bool pump_in(size_t *received)
{
	uint8_t piece[10000];
	ssize_t len;

	while ((len = recv(client, piece, sizeof(piece), 0)) > 0)
		for (ssize_t i = 0; i < len; i++)
			assert_int_equal(piece[i], pattern((*received)++));
	if (len < 0)
		assert_int_equal(errno, EAGAIN);
	return len == 0;
}

static bool echo_round(size_t *sent, size_t *received, size_t len)
{
	if (*sent < len) {
		pump_out(sent, len);
		if (*sent == len)
			shutdown(client, SHUT_WR);
	}
	return pump_in(received);
}

static void echo_sends_back_every_byte_and_then_ends(void **state)
{
	const size_t len = 16 << 20;
	size_t sent = 0, received = 0;

	(void)state;
	serve("echo");
	RUN_UNTIL(echo_round(&sent, &received, len));
	assert_int_equal(received, len);
	assert_int_equal(service_active(service), 0);
	stop_serving();
}

/* Nothing is read back, and in 200 turns of the loop nothing more could be sent. */
static bool is_stuck(size_t *sent, unsigned int *idle_turns)
{
	const size_t before = *sent;

	pump_out(sent, SIZE_MAX);
	*idle_turns = *sent == before ? *idle_turns + 1 : 0;
	return *idle_turns == 200;
}

static void echo_stops_reading_when_the_remote_does(void **state)
{
	size_t sent = 0, received = 0;
	unsigned int idle_turns = 0;

	(void)state;
	serve("echo");
	RUN_UNTIL(is_stuck(&sent, &idle_turns));
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	RUN_UNTIL(pump_in(&received));
	assert_int_equal(received, sent);
	assert_int_equal(service_active(service), 0);
	stop_serving();
}

static void echo_ends_at_a_reset(void **state)
{
	(void)state;
	serve("echo");
	send_text("x");
	reset_client();
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

static void echo_ends_at_a_reset_while_it_cannot_write(void **state)
{
	size_t sent = 0;
	unsigned int idle_turns = 0;

	(void)state;
	serve("echo");
	RUN_UNTIL(is_stuck(&sent, &idle_turns));
	reset_client();
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

static void expect_now(const char *expected)
{
	char text[64];

	assert_int_equal(recv(client, text, sizeof(text), 0), strlen(expected));
	assert_memory_equal(text, expected, strlen(expected));
}

/* Nobody asks the loop for what is there already. */
static void what_is_there_is_echoed_at_once(void **state)
{
	int fd;

	(void)state;
	start_service("echo", 4);
	client = connect_pair(&fd);
	send_text("hello");
	assert_int_equal(service_take_ready(service, fd, &tuple), 0);
	expect_now("hello");
	send_text("again");
	assert_int_equal(loop_wait(loop, 10000), 1);
	expect_now("again");
	stop_serving();
}

static void what_has_ended_already_is_over_at_once(void **state)
{
	int fd;

	(void)state;
	start_service("echo", 4);
	client = connect_pair(&fd);
	reset_client();
	assert_int_equal(service_take_ready(service, fd, &tuple), 0);
	assert_int_equal(service_active(service), 0);
	assert_int_equal(service_refused(service), 0);
	stop_serving();
}

/* It is watched for what it waits for, not for what it was not asked to read. */
static void what_cannot_be_written_at_once_is_kept(void **state)
{
	size_t sent = 0, received = 0;
	int fd, size = 4096;

	(void)state;
	start_service("echo", 4);
	client = connect_pair(&fd);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	pump_out(&sent, 65536);
	assert_int_equal(service_take_ready(service, fd, &tuple), 0);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	RUN_UNTIL(pump_in(&received));
	assert_int_equal(received, sent);
	stop_serving();
}

static void hold_is_not_asked_to_read_what_is_there(void **state)
{
	int fd;

	(void)state;
	start_service("hold", 4);
	client = connect_pair(&fd);
	send_text("hello");
	assert_int_equal(service_take_ready(service, fd, &tuple), 0);
	assert_int_equal(service_active(service), 1);
	stop_serving();
}

static void discard_reads_all_and_then_ends(void **state)
{
	size_t sent = 0;

	(void)state;
	serve("discard");
	RUN_UNTIL((pump_out(&sent, 32 << 20), sent == 32 << 20));
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	expect_stream("", 0);
	assert_int_equal(service_active(service), 0);
	stop_serving();
}

static void hold_does_not_read(void **state)
{
	size_t sent = 0;
	unsigned int idle_turns = 0;

	(void)state;
	serve("hold");
	RUN_UNTIL(is_stuck(&sent, &idle_turns));
	assert_int_equal(service_active(service), 1);
	reset_client();
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

static void hold_notices_a_fin_behind_unread_data(void **state)
{
	(void)state;
	serve("hold");
	send_text("unread");
	assert_true(loop_wait(loop, 50) == 0);
	assert_int_equal(service_active(service), 1);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

static void banner_sends_its_text_with_the_escapes_resolved(void **state)
{
	(void)state;
	serve("banner:a:\\r\\n\\t\\\\\\x00\\xfFz");
	shutdown(client, SHUT_WR);
	expect_stream("a:\r\n\t\\\0\xffz", 9);
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

static void banner_survives_what_the_remote_has_written(void **state)
{
	(void)state;
	serve("banner:hello");
	send_text("GET / HTTP/1.0\r\n\r\n");
	expect_stream("hello", 5);
	send_text("more");
	assert_true(loop_wait(loop, 1000) > 0);
	assert_int_equal(service_active(service), 1);
	shutdown(client, SHUT_WR);
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

static void what_is_left_is_closed_at_the_end(void **state)
{
	(void)state;
	serve("hold");
	service_free(service);
	service = NULL;
	expect_stream("", 0);
	stop_serving();
}

static void malformed_services_are_refused(void **state)
{
	static const char *const specs[] = {
		"",	"ech",	 "echoo",      "echo:",	      "hold:1",	   "banner",	 "banner:",
		"exec", "exec:", "banner:\\q", "banner:\\x4", "banner:\\", "banner:\\x", "socket",
	};
	const char *error;

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		error = NULL;
		assert_int_equal(service_check(specs[i], &error), -EINVAL);
		assert_non_null(error);
	}
	assert_int_equal(service_check("banner:\\x41", &error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo_sends_back_every_byte_and_then_ends),
		cmocka_unit_test(echo_stops_reading_when_the_remote_does),
		cmocka_unit_test(echo_ends_at_a_reset),
		cmocka_unit_test(echo_ends_at_a_reset_while_it_cannot_write),
		cmocka_unit_test(what_is_there_is_echoed_at_once),
		cmocka_unit_test(what_has_ended_already_is_over_at_once),
		cmocka_unit_test(what_cannot_be_written_at_once_is_kept),
		cmocka_unit_test(hold_is_not_asked_to_read_what_is_there),
		cmocka_unit_test(discard_reads_all_and_then_ends),
		cmocka_unit_test(hold_does_not_read),
		cmocka_unit_test(hold_notices_a_fin_behind_unread_data),
		cmocka_unit_test(banner_sends_its_text_with_the_escapes_resolved),
		cmocka_unit_test(banner_survives_what_the_remote_has_written),
		cmocka_unit_test(what_is_left_is_closed_at_the_end),
		cmocka_unit_test(malformed_services_are_refused),
	};

	if (!own_netns_enter())
		return own_netns_skip("service");
	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
