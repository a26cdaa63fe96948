/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What people see of a stranger's bytes: letters, whatever they are. */
#include <string.h>

#include "unit/cmocka_setup.h"

#include "event_text.h"

static struct event make_payload(const void *bytes, size_t len)
{
	return (struct event){
		.kind = EVENT_PAYLOAD,
		.rtt_us = -1,
		.handoff_us = -1,
		.reason = "end",
		.payload = {.bytes = bytes, .len = len, .total = len},
	};
}

static void expect_text(const struct event *event, const char *expected)
{
	struct event_line line = {.len = 0};

	event_text_build(&line, event);
	assert_int_equal(line.len, strlen(expected));
	assert_memory_equal(line.text, expected, line.len);
}

static void bytes_are_written_as_c_writes_them(void **state)
{
	static const char bytes[] = "GET / \"\\\"\r\n\x1b[2J\x7f\x80\xff";
	const struct event event = make_payload(bytes, sizeof(bytes));

	(void)state;
	expect_text(&event, "payload (end, 19 bytes): "
			    "\"GET / \\\"\\\\\\\"\\r\\n\\x1b[2J\\x7f\\x80\\xff\\x00\"\n");
}

static void of_many_there_is_the_beginning(void **state)
{
	const struct event event = make_payload("0123456789012345678901234567890123456789"
						"0123456789012345678901234567890123456789",
						80);

	(void)state;
	expect_text(&event,
		    "payload (end, 80 bytes): "
		    "\"0123456789012345678901234567890123456789012345678901234567890123\"...\n");
}

static void of_none_there_is_the_number(void **state)
{
	const struct event event = make_payload("", 0);

	(void)state;
	expect_text(&event, "payload (end, 0 bytes)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_written_as_c_writes_them),
		cmocka_unit_test(of_many_there_is_the_beginning),
		cmocka_unit_test(of_none_there_is_the_number),
	};

	return cmocka_run_group_tests_name("events, preview", tests, NULL, NULL);
}
