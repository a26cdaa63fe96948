/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "ports.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_setup.h"

static void assert_parses_as(const char *text, unsigned int count, const char *shortest)
{
	struct port_set set;
	const char *error = NULL;
	char formatted[64];

	assert_true(port_set_parse(text, &set, &error));
	assert_null(error);
	assert_int_equal(port_set_count(&set), count);
	port_set_format(&set, formatted, sizeof(formatted));
	assert_string_equal(formatted, shortest);
}

static void assert_refused(const char *text, const char *reason)
{
	struct port_set set, before;
	const char *error = NULL;

	memset(&set, 0x5a, sizeof(set));
	before = set;
	assert_false(port_set_parse(text, &set, &error));
	assert_string_equal(error, reason);
	assert_memory_equal(&set, &before, sizeof(set));
}

static void takes_ports_and_ranges(void **state)
{
	(void)state;
	assert_parses_as("80", 1, "80");
	assert_parses_as("80,443,8000-8999", 1002, "80,443,8000-8999");
	assert_parses_as("443,80", 2, "80,443");
	assert_parses_as("80,81", 2, "80,81");
	assert_parses_as("80,81,82", 3, "80-82");
	assert_parses_as("1-10,5-20,20", 20, "1-20");
	assert_parses_as("65535", 1, "65535");
	assert_parses_as("1-1", 1, "1");
}

static void takes_all(void **state)
{
	(void)state;
	assert_parses_as("all", 65535, "all");
	assert_parses_as("1-65535", 65535, "all");
	assert_parses_as("2-65535", 65534, "2-65535");
}

static void says_what_is_wrong(void **state)
{
	static const char syntax[] = "neither a port, nor a range such as 8000-8999, nor \"all\"";
	static const char missing[] = "a port is missing before or after a comma";
	static const char range[] = "ports go from 1 to 65535";

	(void)state;
	assert_refused("", "no port is given");
	assert_refused("0", range);
	assert_refused("65536", range);
	assert_refused("99999999999", range);
	assert_refused("0-80", range);
	assert_refused("80-65536", range);
	assert_refused("9-3", "a range goes from the lower port to the higher one");
	assert_refused("80x", syntax);
	assert_refused("-80", syntax);
	assert_refused("80-", syntax);
	assert_refused("1-2-3", syntax);
	assert_refused(" 80", syntax);
	assert_refused("80,all", syntax);
	assert_refused("80 and all the others", syntax);
	assert_refused("80,", missing);
	assert_refused(",80", missing);
	assert_refused("80,,443", missing);
	assert_refused(",", missing);
}

static void knows_which_ports_it_has(void **state)
{
	struct port_set set = {};

	(void)state;
	port_set_add(&set, 63);
	port_set_add(&set, 64);
	port_set_add(&set, 65535);
	assert_true(port_set_has(&set, 63));
	assert_true(port_set_has(&set, 64));
	assert_true(port_set_has(&set, 65535));
	assert_false(port_set_has(&set, 62));
	assert_false(port_set_has(&set, 65));
	assert_int_equal(port_set_count(&set), 3);
}

static void cuts_a_text_that_does_not_fit_at_any_size(void **state)
{
	static const struct {
		size_t size;
		const char *text;
	} cases[] = {
		{1, ""},	{2, "."},	    {4, "..."},		{7, "80,..."},
		{10, "80,..."}, {11, "80,443,..."}, {15, "80,443,..."}, {17, "80,443,8000-8999"},
	};
	struct port_set set;
	const char *error;
	size_t i;

	(void)state;
	assert_true(port_set_parse("80,443,8000-8999", &set, &error));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = test_malloc(cases[i].size);

		port_set_format(&set, text, cases[i].size);
		assert_string_equal(text, cases[i].text);
		test_free(text);
	}
	port_set_format(&set, NULL, 0);
}

static void takes_what_another_has_out_of_a_set(void **state)
{
	struct port_set set, other;
	const char *error;
	char text[32];

	(void)state;
	assert_true(port_set_parse("1-100,443", &set, &error));
	assert_true(port_set_parse("50-60,100-443", &other, &error));
	port_set_subtract(&set, &other);
	port_set_format(&set, text, sizeof(text));
	assert_string_equal(text, "1-49,61-99");
}

static void an_empty_set_has_an_empty_text(void **state)
{
	struct port_set set = {};
	char text[8] = "x";

	(void)state;
	port_set_format(&set, text, sizeof(text));
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_ports_and_ranges),
		cmocka_unit_test(takes_all),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(knows_which_ports_it_has),
		cmocka_unit_test(cuts_a_text_that_does_not_fit_at_any_size),
		cmocka_unit_test(takes_what_another_has_out_of_a_set),
		cmocka_unit_test(an_empty_set_has_an_empty_text),
	};

	return cmocka_run_group_tests_name("ports", tests, NULL, NULL);
}
