/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* No more events of a kind than the rate: the others are counted, and told of. The clock stands still. */
#include "clock.h"
#include "events_fixture.h"

static uint64_t now_ns;

uint64_t clock_monotonic_ns(void)
{
	return now_ns;
}

uint64_t clock_realtime_ns(void)
{
	return now_ns;
}

void clock_format(char text[CLOCK_TEXT_SIZE], uint64_t realtime_ns)
{
	(void)realtime_ns;
	memcpy(text, "1970-01-01T00:00:01.000000Z", CLOCK_TEXT_SIZE);
}

static struct events *open_at_rate(uint32_t rate)
{
	struct events_options options = make_options(path);
	struct events *events;

	options.rate = rate;
	now_ns = CLOCK_NS_PER_S;
	unlink(path);
	assert_int_equal(events_new(&events, &options), 0);
	return events;
}

static void emit(struct events *events, enum event_kind kind, unsigned int count)
{
	struct event event = make_event(kind);

	while (count--)
		events_emit(events, &event);
}

/* "syn*3 lost:rate:syn:7": what the file has, in order. */
static void expect_file(const char *expected)
{
	static char text[1 << 20];
	char found[256] = "", last[64] = "", one[64];
	char *rest = text, *line;
	unsigned int count = 0;

	read_temporary(text, sizeof(text));
	while ((line = strsep(&rest, "\n"))) {
		json_t *object = json_loads(line, 0, NULL),
		       *own = json_object_get(object, "nolisten");
		const char *kind = json_string_value(json_object_get(own, "event")) ?: "";
		const char *lost = json_string_value(json_object_get(own, "kind"));

		if (lost)
			snprintf(one, sizeof(one), "%s:%s:%s:%lld", kind,
				 json_string_value(json_object_get(own, "reason")), lost,
				 (long long)json_integer_value(json_object_get(own, "count")));
		else
			snprintf(one, sizeof(one), "%s", kind);
		json_decref(object);
		if (strcmp(one, last) && count)
			snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s*%u",
				 *found ? " " : "", last, count);
		count = strcmp(one, last) ? 1 : count + 1;
		strcpy(last, one);
	}
	assert_string_equal(found, expected);
}

static void what_is_above_the_rate_is_counted_by_kind(void **state)
{
	struct events *events = open_at_rate(3);

	(void)state;
	emit(events, EVENT_SYN, 10);
	emit(events, EVENT_CLOSED, 4);
	emit(events, EVENT_RESET, 3);
	assert_int_equal(events_limited(events), 8);
	assert_int_equal(events_lost(events), 0);
	events_beat(events);
	events_beat(events);
	expect_file("syn*3 closed*3 reset*3 lost:rate:syn:7*1 lost:rate:closed:1*1");
	events_free(events);
}

static void a_second_later_there_is_room_again(void **state)
{
	struct events *events = open_at_rate(2);

	(void)state;
	emit(events, EVENT_SYN, 3);
	events_beat(events);
	now_ns += CLOCK_NS_PER_S;
	emit(events, EVENT_SYN, 2);
	now_ns += CLOCK_NS_PER_S / 2;
	emit(events, EVENT_SYN, 2);
	events_free(events);
	expect_file("syn*2 lost:rate:syn:1*1 syn*3 lost:rate:syn:1*1");
}

static void what_tells_of_losses_is_never_above_it(void **state)
{
	struct events *events = open_at_rate(1);

	(void)state;
	emit(events, EVENT_RST_DROPPED, 5);
	events_free(events);
	expect_file("rst_dropped*5");
}

static void with_0_there_is_no_limit(void **state)
{
	struct events *events = open_at_rate(0);

	(void)state;
	emit(events, EVENT_SYN, 1000);
	assert_int_equal(events_limited(events), 0);
	events_free(events);
	expect_file("syn*1000");
}

static void a_long_payload_is_several_events(void **state)
{
	struct event event = make_event(EVENT_PAYLOAD);
	static uint8_t bytes[2 * EVENT_PAYLOAD_MAX + 1];
	static char text[4 * EVENT_LINE_SIZE];
	struct events *events = open_at_rate(0);
	char *rest = text;

	(void)state;
	/* Each letter is written as two. */
	memset(bytes, '"', sizeof(bytes));
	events_payload(events, &event, bytes, sizeof(bytes));
	events_free(events);
	read_temporary(text, sizeof(text));
	for (int i = 0; i < 3; i++) {
		char *line = strsep(&rest, "\n");
		json_t *object = json_loads(line, 0, NULL),
		       *own = json_object_get(object, "nolisten");

		assert_true(strlen(line) < PIPE_BUF);
		assert_int_equal(json_integer_value(json_object_get(own, "offset")),
				 i * EVENT_PAYLOAD_MAX);
		assert_int_equal(json_integer_value(json_object_get(own, "bytes")), sizeof(bytes));
		assert_int_equal(json_string_length(json_object_get(object, "payload_printable")),
				 i < 2 ? EVENT_PAYLOAD_MAX : 1);
		json_decref(object);
	}
	assert_string_equal(rest, "");
}

static void a_payload_is_base64_and_what_can_be_printed_of_it(void **state)
{
	static const uint8_t bytes[] = {'G', 'E', 'T', '\r', '\n', 0, 0xff, '\\', '"', '\t', 0x7f};
	struct event event = make_event(EVENT_PAYLOAD);
	struct events *events = open_at_rate(0);
	char text[EVENT_LINE_SIZE];
	json_t *object;

	(void)state;
	events_payload(events, &event, bytes, sizeof(bytes));
	events_free(events);
	read_temporary(text, sizeof(text));
	object = json_loads(text, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(object, "payload")),
			    "R0VUDQoA/1wiCX8=");
	assert_string_equal(json_string_value(json_object_get(object, "payload_printable")),
			    "GET\r\n..\\\"..");
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_above_the_rate_is_counted_by_kind),
		TEST(a_second_later_there_is_room_again),
		TEST(what_tells_of_losses_is_never_above_it),
		TEST(with_0_there_is_no_limit),
		TEST(a_long_payload_is_several_events),
		TEST(a_payload_is_base64_and_what_can_be_printed_of_it),
	};

	return cmocka_run_group_tests_name("events_rate", tests, make_directory, remove_directory);
}
