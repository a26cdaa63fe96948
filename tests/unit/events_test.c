/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The lines that tell what happened: their form. */
#include "events_fixture.h"

/* What is written for one event, as JSON to a file or for people to standard error. */
static void expect_line(const struct event *event, bool is_json, const char *expected)
{
	struct events_options options = make_options(is_json ? path : NULL);
	struct events *events;
	char text[2 * EVENT_LINE_SIZE];

	options.is_quiet = is_json;
	unlink(path);
	if (!is_json)
		replace_fd(STDERR_FILENO, open_temporary(O_WRONLY | O_CREAT));
	assert_int_equal(events_new(&events, &options), 0);
	events_emit(events, event);
	events_free(events);
	if (!is_json)
		restore_fd(STDERR_FILENO);
	read_temporary(text, sizeof(text));
	assert_string_equal(text + (is_json ? TIME_LEN : 0), expected);
}

static void an_established_connection_has_all_its_fields_in_order(void **state)
{
	struct event event = make_event(EVENT_ESTABLISHED);

	(void)state;
	event.method = NOL_METHOD_ENGINE;
	event.rtt_us = 31;
	event.handoff_us = 9;
	expect_line(&event, true,
		    ORIGIN FLOW ",\"nolisten\":{\"event\":\"established\",\"method\":\"engine\","
				"\"rtt_us\":31,\"handoff_us\":9}}\n");
	expect_line(&event, false,
		    "10.0.0.1:50814 > 10.0.0.2:34567 established "
		    "(engine, rtt 31 us, hand-off 9 us)\n");
}

static void what_is_absent_is_left_out(void **state)
{
	struct event event = make_event(EVENT_SYN);

	(void)state;
	expect_line(&event, true, ORIGIN FLOW ",\"nolisten\":{\"event\":\"syn\"}}\n");
	expect_line(&event, false, "10.0.0.1:50814 > 10.0.0.2:34567 SYN\n");
}

static void a_loss_has_a_reason_and_a_count_and_no_connection(void **state)
{
	struct event event = make_event(EVENT_LOST);

	(void)state;
	event.tuple = NULL;
	event.reason = "ring_full";
	event.count = 12;
	expect_line(&event, true,
		    ORIGIN ",\"nolisten\":{\"event\":\"lost\",\"reason\":\"ring_full\","
			   "\"count\":12}}\n");
	expect_line(&event, false, "lost (ring_full, 12 packets)\n");
}

static void a_dropped_rst_has_a_count(void **state)
{
	struct event event = make_event(EVENT_RST_DROPPED);

	(void)state;
	event.count = 1;
	expect_line(&event, true,
		    ORIGIN FLOW ",\"nolisten\":{\"event\":\"rst_dropped\",\"count\":1}}\n");
	expect_line(&event, false, "10.0.0.1:50814 > 10.0.0.2:34567 RST dropped (1 packet)\n");
}

static void every_kind_is_valid_json_under_its_name(void **state)
{
	const struct events_options options = make_options(path);
	struct events *events;
	char text[2 * EVENT_LINE_SIZE], *rest = text;

	(void)state;
	unlink(path);
	assert_int_equal(events_new(&events, &options), 0);
	for (enum event_kind kind = EVENT_SYN; kind < EVENT_KINDS; kind++) {
		struct event event = make_event(kind);

		events_emit(events, &event);
	}
	events_free(events);
	read_temporary(text, sizeof(text));
	for (enum event_kind kind = EVENT_SYN; kind < EVENT_KINDS; kind++) {
		json_t *object = json_loads(strsep(&rest, "\n"), 0, NULL), *own;

		own = json_object_get(object, "nolisten");
		assert_non_null(own);
		assert_string_equal(json_string_value(json_object_get(own, "event")),
				    event_kind_text(kind));
		json_decref(object);
	}
	assert_string_equal(rest, "");
}

static void times_are_written_as_suricata_does_and_never_go_back(void **state)
{
	struct event event = make_event(EVENT_SYN);
	const struct events_options options = make_options(path);
	struct events *events;
	char text[4 * EVENT_LINE_SIZE], *rest = text, *line, last[TIME_LEN + 1] = "";
	unsigned int microseconds;

	(void)state;
	unlink(path);
	assert_int_equal(events_new(&events, &options), 0);
	for (int i = 0; i < 20; i++)
		events_emit(events, &event);
	events_free(events);
	read_temporary(text, sizeof(text));
	while (*(line = strsep(&rest, "\n"))) {
		line[TIME_LEN] = '\0';
		assert_int_equal(sscanf(line, "{\"timestamp\":\"2%*3d-%*2d-%*2dT%*2d:%*2d:%*2d.%6u",
					&microseconds),
				 1);
		assert_string_equal(line + TIME_LEN - 6, "+0000\"");
		assert_true(strcmp(last, line) <= 0);
		strcpy(last, line);
	}
}

static void a_file_is_appended_to(void **state)
{
	struct event event = make_event(EVENT_SYN);
	const struct events_options options = make_options(path);
	struct events *events;
	struct stat before, after;

	(void)state;
	unlink(path);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(events_new(&events, &options), 0);
		events_emit(events, &event);
		events_flush(events);
		assert_int_equal(stat(path, i ? &after : &before), 0);
		events_free(events);
	}
	assert_int_equal(after.st_size, 2 * before.st_size);
}

static void nothing_is_written_before_the_flush(void **state)
{
	struct event event = make_event(EVENT_SYN);
	const struct events_options options = make_options(path);
	struct events *events;
	struct stat status;

	(void)state;
	unlink(path);
	assert_int_equal(events_new(&events, &options), 0);
	events_emit(events, &event);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 0);
	events_flush(events);
	assert_int_equal(stat(path, &status), 0);
	assert_true(status.st_size > 0);
	events_free(events);
}

static void a_file_that_cannot_be_opened_is_an_error(void **state)
{
	const struct events_options options = make_options("/nonexistent/events");
	struct events *events = NULL;

	(void)state;
	assert_int_equal(events_new(&events, &options), -ENOENT);
	assert_null(events);
}

static void a_fifo_without_a_reader_is_an_error_and_no_wait(void **state)
{
	const struct events_options options = make_options(path);
	struct events *events = NULL;

	(void)state;
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(events_new(&events, &options), -ENXIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_established_connection_has_all_its_fields_in_order),
		TEST(what_is_absent_is_left_out),
		TEST(a_loss_has_a_reason_and_a_count_and_no_connection),
		TEST(a_dropped_rst_has_a_count),
		TEST(every_kind_is_valid_json_under_its_name),
		TEST(times_are_written_as_suricata_does_and_never_go_back),
		TEST(a_file_is_appended_to),
		TEST(nothing_is_written_before_the_flush),
		TEST(a_file_that_cannot_be_opened_is_an_error),
		TEST(a_fifo_without_a_reader_is_an_error_and_no_wait),
	};

	return cmocka_run_group_tests_name("events", tests, make_directory, remove_directory);
}
