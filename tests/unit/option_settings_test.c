/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The configuration file: what it means, what is wrong with it and where, and that what is printed means the same. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_setup.h"

#include "loader_options.h"

#define MAX_ARGUMENTS 16
#define TEXT_SIZE 65536

static struct loader_options options, again;
static char error[OPTION_ERROR_SIZE], path[] = "/tmp/nolisten-settings-XXXXXX";
static char config[sizeof(path) + 16]; /* "--config=PATH" */

static int make_file(void **state)
{
	const int fd = mkstemp(path);

	(void)state;
	snprintf(config, sizeof(config), "--config=%s", path);
	return fd < 0 || close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void write_text(const char *text)
{
	write_file(text, strlen(text));
}

static int free_options(void **state)
{
	(void)state;
	loader_command.release(&options);
	loader_command.release(&again);
	return 0;
}

static int parse_into(struct loader_options *to, const char *const *arguments)
{
	char *argv[MAX_ARGUMENTS + 2] = {"nolisten-loader"};
	int argc = 1;

	loader_command.release(to);
	for (; *arguments && argc <= MAX_ARGUMENTS; arguments++)
		argv[argc++] = (char *)*arguments;
	return command_parse(&loader_command, to, argv, error);
}

#define PARSE(...) parse_into(&options, (const char *const[]){__VA_ARGS__, NULL})
/* With such a file. */
#define READ(text, ...)                     \
	({                                  \
		write_text(text);           \
		PARSE(config, __VA_ARGS__); \
	})

static void each_line_is_an_option(void **state)
{
	(void)state;
	assert_int_equal(
		READ("# ports\n\nport = 80,443\n\tmethod=engine \r\nquiet\n"
		     "service = banner:a = # \\r\\n\nverbose\nverbose\naddress = 10.0.0.0/24\n"
		     "address = fd00::1\nring = 64",
		     "eth0"),
		0);
	assert_int_equal(port_set_count(&options.config.ports), 2);
	assert_true(port_set_has(&options.config.ports, 443));
	assert_int_equal(options.config.method, NOL_METHOD_ENGINE);
	assert_true(options.config.is_quiet);
	assert_string_equal(options.config.service, "banner:a = # \\r\\n");
	assert_int_equal(options.verbose, 2);
	assert_int_equal(options.config.prefix_count, 2);
	assert_int_equal(options.config.ring_size, 65536);
	assert_string_equal(options.config.ifname, "eth0");
}

static void an_empty_file_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(READ("", "eth0"), 0);
	assert_true(port_set_has(&options.config.ports, 34567));
	assert_string_equal(options.config.service, "echo");
}

static void the_command_line_replaces_all_lines_of_an_option(void **state)
{
	(void)state;
	assert_int_equal(READ("port = 80\nport = 81\nmethod = xdp\nqueue = 7\nquiet\n", "-p", "443",
			      "eth0", "-mengine"),
			 0);
	assert_int_equal(port_set_count(&options.config.ports), 1);
	assert_true(port_set_has(&options.config.ports, 443));
	assert_int_equal(options.config.method, NOL_METHOD_ENGINE);
	assert_int_equal(options.config.queue_max, 7);
	assert_true(options.config.is_quiet);
	assert_int_equal(READ("port = 80\n", "-p443,", "eth0"), -EINVAL);
	assert_string_equal(error, "--port: '443,': a port is missing before or after a comma");
}

static void quotes_keep_what_cannot_stand_otherwise(void **state)
{
	(void)state;
	assert_int_equal(
		READ("events = \" a \\\"b\\\\\\n\\r\\t \"\nservice = banner:\"x\"\n", "eth0"), 0);
	assert_string_equal(options.config.events.target, " a \"b\\\n\r\t ");
	assert_string_equal(options.config.service, "banner:\"x\"");
	assert_int_equal(READ("events=\"\"\n", "eth0"), -EINVAL);
}

/* The error, without the path in front of it. */
static const char *why(const char *text, size_t len, const char *more)
{
	write_file(text, len);
	assert_int_equal(PARSE(config, "eth0", more), -EINVAL);
	assert_int_equal(strncmp(error, path, strlen(path)), 0);
	return error + strlen(path);
}

#define WHY(text, more) why(text, sizeof(text) - 1, more)

static void a_wrong_line_is_named(void **state)
{
	(void)state;
	assert_string_equal(WHY("\n# x\nring = 7\n", NULL),
			    ":3: --ring: '7': KiB, a power of two from 64 to 16384, are needed");
	assert_string_equal(WHY("prot = 80", NULL),
			    ":1: 'prot': no such option (see nolisten-loader --help)");
	assert_string_equal(WHY("meth = xdp", NULL),
			    ":1: 'meth': no such option (see nolisten-loader --help)");
	assert_string_equal(WHY("= 80", NULL),
			    ":1: '': no such option (see nolisten-loader --help)");
	assert_string_equal(WHY("--port = 80", NULL),
			    ":1: '--port': no such option: names stand here without --");
	assert_string_equal(WHY("port 80\n", NULL),
			    ":1: 'port 80': a = is needed between an option and its argument");
	assert_string_equal(WHY("port\n", NULL), ":1: --port: needs an argument: port = LIST");
	assert_string_equal(WHY("quiet = no\n", NULL), ":1: --quiet: takes no argument");
	assert_string_equal(WHY("config = /x\n", NULL),
			    ":1: --config: goes on the command line only");
	assert_string_equal(WHY("help\n", NULL), ":1: --help: goes on the command line only");
	assert_string_equal(WHY("events = \"x\n", NULL), ":1: the closing \" is missing");
	assert_string_equal(WHY("events = \"x\\\"", NULL), ":1: the closing \" is missing");
	assert_string_equal(
		WHY("events = \"x\\", NULL),
		":1: in quotes, a \\ goes with \" \\ n r t behind it; without them all is "
		"taken as it is");
	assert_string_equal(WHY("events = \"x\" y\n", NULL),
			    ":1: ' y': not understood behind the closing \"");
	assert_string_equal(WHY("quiet\nport = 8\0000\n", NULL),
			    ":2: a NUL is in it, which no text has");
}

static void a_replaced_line_has_to_be_right_too(void **state)
{
	(void)state;
	assert_string_equal(WHY("queue = many\n", "--queue=7"),
			    ":1: --queue: 'many': a number from 1 to 65536 is needed");
}

static void what_only_goes_together_is_blamed_on_its_line(void **state)
{
	(void)state;
	assert_string_equal(WHY("\nfallback = echo\n", NULL),
			    ":2: --fallback: goes with --service=socket:PATH");
	assert_int_equal(READ("quiet\n", "eth0", "--fallback=echo"), -EINVAL);
	assert_string_equal(error, "--fallback: goes with --service=socket:PATH");
	/* The command line's own mistake. */
	assert_int_equal(READ("fallback = hold\n", "eth0", "--fallback=echo"), -EINVAL);
	assert_string_equal(error, "--fallback: goes with --service=socket:PATH");
}

static void a_file_that_cannot_be_read_is_said(void **state)
{
	(void)state;
	assert_int_equal(PARSE("eth0", "--config=/nonexistent"), -EINVAL);
	assert_string_equal(error, "--config: /nonexistent: No such file or directory");
	assert_int_equal(PARSE("eth0", "--config", "/"), -EINVAL);
	assert_string_equal(error, "--config: /: Is a directory");
	assert_int_equal(PARSE("eth0", "--config=/dev/zero"), -EINVAL);
	assert_string_equal(error, "--config: /dev/zero: more than 1024 KiB, no configuration");
	assert_int_equal(PARSE("eth0", "--config="), -EINVAL);
	assert_int_equal(PARSE("eth0", "--config"), -EINVAL);
	assert_string_equal(error, "--config: needs an argument, FILE");
	write_text("");
	assert_int_equal(PARSE("eth0", "--config=/nonexistent", config), -EINVAL);
	assert_non_null(strstr(error, "--config: '/nonexistent': one file only, and '/tmp/"));
	/* What is wrong on the command line comes first. */
	assert_int_equal(PARSE("--config=/nonexistent", "--nothing"), -EINVAL);
	assert_string_equal(error, "--nothing: no such option (see nolisten-loader --help)");
}

/* A comment, and an option as the last line, which has no end. */
static void a_file_is_read_to_its_end_however_long_it_is(void **state)
{
	static const char last[] = "\nworkers = 3";
	static const size_t lens[] = {13, 1023, 1024, 1025, 2048, 5000, 1 << 20};
	static char text[(1 << 20) + 1];

	(void)state;
	memset(text, '#', sizeof(text));
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		const size_t before = lens[i] - (sizeof(last) - 1);

		memset(text, '#', before);
		memcpy(text + before, last, sizeof(last) - 1);
		write_file(text, lens[i]);
		assert_int_equal(PARSE("eth0", config), 0);
		assert_int_equal(options.config.workers, 3);
		loader_command.release(&options);
	}
	write_file(text, sizeof(text));
	assert_int_equal(PARSE("eth0", config), -EINVAL);
	assert_non_null(strstr(error, "more than 1024 KiB, no configuration"));
}

static void print_into_file(const struct option_settings *settings)
{
	static char text[TEXT_SIZE];
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	option_settings_print(&loader_command, settings, out);
	assert_int_equal(fclose(out), 0);
	write_text(text);
}

static bool is_same_text(const void *a, const void *b)
{
	const char *one = *(const char *const *)a, *other = *(const char *const *)b;

	return one && other && !strcmp(one, other);
}

/* What each row has filled: the same bytes, or pointers to the same text. */
static void assert_same_options(const char *of)
{
	for (const struct option_row *row = loader_command.options; row->take; row++) {
		const char *one = (const char *)&options + row->offset;
		const char *other = (const char *)&again + row->offset;

		if (!row->size || !memcmp(one, other, row->size))
			continue;
		if (row->size != sizeof(char *) || !is_same_text(one, other))
			fail_msg("--%s: what is printed with %s means something else", row->name,
				 of);
	}
	assert_int_equal(options.config.prefix_count, again.config.prefix_count);
	if (options.config.prefix_count)
		assert_memory_equal(options.config.prefixes, again.config.prefixes,
				    again.config.prefix_count * sizeof(*again.config.prefixes));
}

static void assert_means_the_same(const char *of)
{
	unsigned int line;

	print_into_file(&options.settings);
	if (parse_into(&again, (const char *const[]){config, "--print-config", NULL}))
		fail_msg("what is printed with %s is wrong: %s", of, error);
	assert_same_options(of);
	for (const struct option_row *row = loader_command.options; row->take; row++)
		if (!row->is_request)
			assert_true(option_settings_agree(&options.settings, &again.settings, row,
							  &line));
}

/* Does the option take it, whatever else may be missing? */
static bool takes(const struct option_row *row, const char *arg)
{
	static struct loader_options scratch;
	struct option_parse parse = {.command = &loader_command,
				     .options = &scratch,
				     .settings = &scratch.settings,
				     .error = error};
	bool is_taken;

	scratch = (struct loader_options){0};
	is_taken = !row->take(&parse, row, arg);
	loader_command.release(&scratch);
	return is_taken;
}

/* Something that the option takes, as odd as it may be. */
static const char *find_sample(const struct option_row *row)
{
	static const char *const samples[] = {" \"odd\\ \n", "80,443",	   "10.0.0.0/24,fd00::1",
					      "24,56",	     "64",	   "nodelay=1",
					      "hold",	     ":9469",	   "auto",
					      "all",	     "1",	   "unix:/x",
					      "eth0",	     "banner: x ", "socket:/x"};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if (takes(row, samples[i]))
			return samples[i];
	for (size_t i = 0; option_word_at(row, i); i++)
		if (takes(row, option_word_at(row, i)))
			return option_word_at(row, i);
	fail_msg("--%s: takes none of the samples here: add one", row->name);
	return NULL;
}

static void what_is_printed_of_each_option_means_the_same(void **state)
{
	(void)state;
	for (const struct option_row *row = loader_command.options; row->take; row++) {
		char name[64];
		const char *arguments[] = {"--print-config", name, NULL, NULL};

		if (row->is_request)
			continue;
		snprintf(name, sizeof(name), "--%s", row->name);
		if (row->arg)
			arguments[2] = find_sample(row);
		/* What goes with something else only is refused as a whole, and needs no file. */
		if (!parse_into(&options, arguments))
			assert_means_the_same(row->name);
	}
}

static void what_is_printed_of_all_means_the_same(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--print-config", "-p80", "-p", "443", "-a10.0.0.1", "--guard=9",
			       "--service=socket:/x", "--fallback=banner: a\nb ", "--queue=9",
			       "--queue-time=10", "--max-per-source=1", "--source-prefix=8",
			       "--sockopt=nodelay=1", "--sockopt=mark=7", "-qvv", "--spin=0"),
			 0);
	assert_means_the_same("all");
	assert_int_equal(again.verbose, 2);
	assert_string_equal(again.config.fallback, "banner: a\nb ");
}

static void what_was_not_given_is_a_comment(void **state)
{
	char text[TEXT_SIZE] = "";
	FILE *file;

	(void)state;
	assert_int_equal(PARSE("--print-config", "-p80"), 0);
	print_into_file(&options.settings);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	assert_non_null(strstr(text, "\nport = 80\n"));
	assert_non_null(strstr(text, "\n#method = METHOD\n"));
	assert_non_null(strstr(text, "\n#quiet\n"));
	assert_non_null(strstr(text, "\n# who answers the SYN: auto, "));
	assert_null(strstr(text, "print-config = "));
	assert_null(strstr(text, "\n#help"));
}

static const struct option_row *row_of(const char *name)
{
	const struct option_row *row = loader_command.options;

	while (strcmp(row->name, name))
		row++;
	return row;
}

static void what_changed_is_found_with_its_line(void **state)
{
	unsigned int line;

	(void)state;
	assert_int_equal(READ("port = 80\nport = 81\nring = 64\n", "-v", "eth0"), 0);
	write_text("ring = 64\nport = 80\nport = 82\nverbose\n");
	assert_int_equal(parse_into(&again, (const char *const[]){config, "-v", "eth0", NULL}), 0);
	assert_true(
		option_settings_agree(&options.settings, &again.settings, row_of("ring"), &line));
	assert_int_equal(line, 1);
	assert_false(
		option_settings_agree(&options.settings, &again.settings, row_of("port"), &line));
	assert_int_equal(line, 3);
	/* The command line has it in any case. */
	assert_true(option_settings_agree(&options.settings, &again.settings, row_of("verbose"),
					  &line));
	assert_true(
		option_settings_agree(&options.settings, &again.settings, row_of("quiet"), &line));
	assert_int_equal(line, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(each_line_is_an_option, free_options),
		cmocka_unit_test_teardown(an_empty_file_changes_nothing, free_options),
		cmocka_unit_test_teardown(the_command_line_replaces_all_lines_of_an_option,
					  free_options),
		cmocka_unit_test_teardown(quotes_keep_what_cannot_stand_otherwise, free_options),
		cmocka_unit_test_teardown(a_wrong_line_is_named, free_options),
		cmocka_unit_test_teardown(a_replaced_line_has_to_be_right_too, free_options),
		cmocka_unit_test_teardown(what_only_goes_together_is_blamed_on_its_line,
					  free_options),
		cmocka_unit_test_teardown(a_file_that_cannot_be_read_is_said, free_options),
		cmocka_unit_test_teardown(a_file_is_read_to_its_end_however_long_it_is,
					  free_options),
		cmocka_unit_test_teardown(what_is_printed_of_each_option_means_the_same,
					  free_options),
		cmocka_unit_test_teardown(what_is_printed_of_all_means_the_same, free_options),
		cmocka_unit_test_teardown(what_was_not_given_is_a_comment, free_options),
		cmocka_unit_test_teardown(what_changed_is_found_with_its_line, free_options),
	};

	return cmocka_run_group_tests_name("option_settings", tests, make_file, remove_file);
}
