/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* record: what it tells of, when, and how it ends. */
#include "service_fixture.h"

static struct {
	unsigned int count;
	uint8_t payload[65536];
	size_t len;
	const char *reason;
} told;

static struct service_options options;

static void tell(void *context, const struct service_news *news)
{
	(void)context;
	assert_int_equal(news->kind, SERVICE_PAYLOAD);
	assert_true(tuple_is_equal(news->tuple, &tuple));
	told.count++;
	told.len = news->payload_len;
	if (told.len)
		memcpy(told.payload, news->payload, told.len);
	told.reason = news->reason;
}

static int setup(void **state)
{
	(void)state;
	memset(&told, 0, sizeof(told));
	options = (struct service_options){.record_ns = 20 * CLOCK_NS_PER_S, .tell = tell};
	return 0;
}

static void begin(const char *spec)
{
	int fd;

	start_service_with(spec, &options);
	client = connect_pair(&fd);
	assert_int_equal(service_take(service, fd, &tuple), 0);
}

static void expect_told(const char *payload, size_t len, const char *reason)
{
	RUN_UNTIL(told.count);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.len, len);
	assert_memory_equal(told.payload, payload, len);
	assert_string_equal(told.reason, reason);
}

static void bytes_in_pieces_are_one_event(void **state)
{
	(void)state;
	begin("record:10");
	send_text("hello");
	assert_true(loop_wait(loop, 10000) >= 0);
	assert_int_equal(told.count, 0);
	send_text(" world");
	expect_told("hello worl", 10, "full");
	expect_stream("", 0);
	shutdown(client, SHUT_WR);
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

static void the_remotes_end_is_enough(void **state)
{
	(void)state;
	begin("record");
	send_text("GET / HTTP/1.0\r\n\r\n");
	shutdown(client, SHUT_WR);
	expect_told("GET / HTTP/1.0\r\n\r\n", 18, "end");
	expect_stream("", 0);
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

static void who_says_nothing_is_told_of_when_the_time_is_up(void **state)
{
	(void)state;
	options.record_ns = 30 * CLOCK_NS_PER_MS;
	begin("record");
	expect_told("", 0, "time");
	expect_stream("", 0);
	/* And who does not end does not stay. */
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

static void what_there_is_is_told_of_when_the_time_is_up(void **state)
{
	(void)state;
	options.record_ns = 30 * CLOCK_NS_PER_MS;
	begin("record");
	send_text("\x16\x03\x01");
	expect_told("\x16\x03\x01", 3, "time");
	stop_serving();
}

static void a_reset_leaves_what_came_before(void **state)
{
	(void)state;
	begin("record");
	send_text("hello");
	assert_true(loop_wait(loop, 10000) >= 0);
	reset_client();
	expect_told("hello", 5, "reset");
	assert_int_equal(service_active(service), 0);
	stop_serving();
}

/* More than is recorded is no reason for a RST. */
static void what_comes_behind_is_read_and_forgotten(void **state)
{
	static const char zeros[65536];

	(void)state;
	begin("record:65536");
	for (int i = 0; i < 8; i++)
		RUN_UNTIL(send(client, zeros, sizeof(zeros), 0) > 0);
	RUN_UNTIL(told.count);
	assert_int_equal(told.len, 65536);
	expect_stream("", 0);
	assert_int_equal(service_active(service), 1);
	shutdown(client, SHUT_WR);
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_in_pieces_are_one_event),
		TEST(the_remotes_end_is_enough),
		TEST(who_says_nothing_is_told_of_when_the_time_is_up),
		TEST(what_there_is_is_told_of_when_the_time_is_up),
		TEST(a_reset_leaves_what_came_before),
		TEST(what_comes_behind_is_read_and_forgotten),
	};

	if (!own_netns_enter())
		return own_netns_skip("record");
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
