/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Command lines by a table: what a command may have that nolisten-loader has not (for which see options_test.c). */
#include <errno.h>
#include <string.h>

#include "cmocka_setup.h"

#include "option.h"

#define MAX_ARGUMENTS 8

struct fields {
	bool is_bare;
	uint16_t small;
	uint64_t large;
	unsigned int demos;
	const char *demo, *first, *second;
	char **rest;
};

static int take_demo(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	((struct fields *)parse->options)->demos++;
	return option_take_text(parse, row, arg);
}

static int keep_rest(struct option_parse *parse)
{
	struct fields *fields = parse->options;

	fields->rest = parse->rest;
	return fields->first ? 0 : option_fail_usage(parse, "which first? ");
}

#define FIELD(member) OPTION_FIELD(fields, member)
static const struct option_row options[] = {
	{"bare", 'b', NULL, "bare", option_take_flag, FIELD(is_bare)},
	{"small", 's', "N", "small, %s", option_take_number, FIELD(small), 1, 65535},
	{"large", 0, "N", "large", option_take_number, FIELD(large), 0, UINT64_MAX},
	{"demo", 'd', "SCENE", "demo", take_demo, FIELD(demo), .is_optional = true},
	OPTION_HELP,
	{0},
};
static const struct option_row arguments[] = {
	{.arg = "FIRST", .take = option_take_text, FIELD(first)},
	{.arg = "SECOND", .take = option_take_text, FIELD(second)},
	{0},
};
static const struct fields defaults = {.large = 7};
static const struct command command = {
	.program = "test",
	.name = "it",
	.usages = {"FIRST [SECOND]", "--demo"},
	.options = options,
	.arguments = arguments,
	.size = sizeof(struct fields),
	.defaults = &defaults,
	.check = keep_rest,
};

static struct fields fields;
static char error[OPTION_ERROR_SIZE];

static int parse(const struct command *of, const char *const *given)
{
	static char *argv[MAX_ARGUMENTS + 2];
	int argc = 1;

	memset(argv, 0, sizeof(argv));
	argv[0] = (char *)"it";
	for (; *given && argc <= MAX_ARGUMENTS; given++)
		argv[argc++] = (char *)*given;
	return command_parse(of, &fields, argv, error);
}

#define PARSE_OF(of, ...) parse(of, (const char *const[]){__VA_ARGS__, NULL})
#define PARSE(...) PARSE_OF(&command, __VA_ARGS__)

static void numbers_fit_their_fields(void **state)
{
	(void)state;
	assert_int_equal(PARSE("x", "--small=65535", "--large", "18446744073709551615"), 0);
	assert_int_equal(fields.small, 65535);
	assert_true(fields.large == UINT64_MAX);
	assert_false(fields.is_bare);
	assert_int_equal(PARSE("x"), 0);
	assert_int_equal(fields.small, 0);
	assert_int_equal(fields.large, 7);
}

static void an_optional_argument_comes_with_its_option_only(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--demo", "x"), 0);
	assert_int_equal(fields.demos, 1);
	assert_null(fields.demo);
	assert_string_equal(fields.first, "x");
	assert_int_equal(PARSE("--dem=y", "x"), 0);
	assert_string_equal(fields.demo, "y");
	assert_int_equal(PARSE("-bd", "x"), 0);
	assert_null(fields.demo);
	assert_true(fields.is_bare);
	assert_int_equal(PARSE("-bdb", "x"), 0);
	assert_string_equal(fields.demo, "b");
	assert_int_equal(PARSE("--demo=", "x"), 0);
	assert_string_equal(fields.demo, "");
}

static void arguments_are_known_by_their_places(void **state)
{
	(void)state;
	assert_int_equal(PARSE("1", "-b", "-", "--small", "3"), 0);
	assert_string_equal(fields.first, "1");
	assert_string_equal(fields.second, "-");
	assert_int_equal(PARSE("--", "--bare", "-b"), 0);
	assert_string_equal(fields.first, "--bare");
	assert_string_equal(fields.second, "-b");
	assert_false(fields.is_bare);
	assert_int_equal(PARSE("1", "", "3"), -EINVAL);
	assert_string_equal(error,
			    "'3': one too many: usage: test it FIRST [SECOND], or test it --demo");
}

static void what_is_not_ours_is_left_alone(void **state)
{
	struct command with_rest = command;

	(void)state;
	with_rest.has_rest = true;
	assert_int_equal(PARSE_OF(&with_rest, "1", "--", "cat", "-Z", "--", "x"), 0);
	assert_string_equal(fields.rest[0], "cat");
	assert_string_equal(fields.rest[1], "-Z");
	assert_string_equal(fields.rest[3], "x");
	assert_null(fields.rest[4]);
	assert_null(fields.second);
	assert_int_equal(PARSE_OF(&with_rest, "1", "--"), 0);
	assert_null(fields.rest[0]);
	assert_int_equal(PARSE_OF(&with_rest, "1"), 0);
	assert_null(fields.rest);
}

static void a_command_without_its_dashes_is_told_of_them(void **state)
{
	struct command with_rest = command, with_nothing_else = command;

	(void)state;
	with_rest.has_rest = with_nothing_else.has_rest = true;
	with_nothing_else.arguments = NULL;
	assert_int_equal(PARSE_OF(&with_rest, "1", "2", "cat", "-Z"), -EINVAL);
	assert_string_equal(error, "'cat': one too many, and a command needs -- in front of it "
				   "(see test it --help)");
	assert_int_equal(PARSE_OF(&with_nothing_else, "--bare", "cat", "-Z"), -EINVAL);
	assert_string_equal(error, "'cat': a command needs -- in front of it (see test it --help)");
	assert_int_equal(PARSE_OF(&with_nothing_else, "eth0", "--", "cat"), -EINVAL);
	assert_string_equal(error, "'eth0': not understood (see test it --help)");
}

static void what_is_missing_is_asked_for(void **state)
{
	struct command without_arguments = command;

	(void)state;
	assert_int_equal(PARSE("-b"), -EINVAL);
	assert_string_equal(error, "which first? usage: test it FIRST [SECOND], or test it --demo");
	without_arguments.arguments = NULL;
	assert_int_equal(PARSE_OF(&without_arguments, "1"), -EINVAL);
	assert_string_equal(error, "'1': not understood (see test it --help)");
}

static void a_question_mark_asks_for_help_too(void **state)
{
	static const struct option_row help[] = {
		{"help", 'h', NULL, "help", option_take_flag, FIELD(is_bare)}, {0}};
	struct command with_help = command;

	(void)state;
	with_help.options = help;
	assert_int_equal(PARSE_OF(&with_help, "1", "-?"), 0);
	assert_true(fields.is_bare);
	assert_int_equal(PARSE_OF(&with_help, "1", "--h"), 0);
	assert_true(fields.is_bare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_fit_their_fields),
		cmocka_unit_test(an_optional_argument_comes_with_its_option_only),
		cmocka_unit_test(arguments_are_known_by_their_places),
		cmocka_unit_test(what_is_not_ours_is_left_alone),
		cmocka_unit_test(a_command_without_its_dashes_is_told_of_them),
		cmocka_unit_test(what_is_missing_is_asked_for),
		cmocka_unit_test(a_question_mark_asks_for_help_too),
	};

	return cmocka_run_group_tests_name("option", tests, NULL, NULL);
}
