/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The lines that tell what happened: their form, and what becomes of them when they cannot be written. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <jansson.h>

#include "events.h"

#define TIME_LEN (sizeof("{\"time\":\"2026-11-21T19:18:38.123456Z\"") - 1)

/* Descriptors 1 and 2 are replaced by what a test reads; these are the real ones. */
static int saved_fds[3] = {-1, -1, -1};
static char directory[] = "/tmp/nolisten-events-XXXXXX";
static char path[sizeof(directory) + 16];
static struct tuple tuple;

static void replace_fd(int target, int fd)
{
	fflush(NULL);
	saved_fds[target] = dup(target);
	assert_int_equal(dup2(fd, target), target);
	close(fd);
}

static void restore_fd(int target)
{
	if (saved_fds[target] < 0)
		return;
	assert_int_equal(dup2(saved_fds[target], target), target);
	close(saved_fds[target]);
	saved_fds[target] = -1;
}

/* After a test that failed in between, too. */
static int restore_outputs(void **state)
{
	(void)state;
	restore_fd(STDOUT_FILENO);
	restore_fd(STDERR_FILENO);
	return 0;
}

static int open_temporary(int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void read_temporary(char *text, size_t size)
{
	int fd = open_temporary(O_RDONLY);
	ssize_t len = read(fd, text, size - 1);

	assert_true(len >= 0);
	text[len] = '\0';
	close(fd);
}

static struct event make_event(enum event_kind kind)
{
	return (struct event){.kind = kind, .tuple = &tuple, .rtt_us = -1, .handoff_us = -1};
}

/* What is written for one event, as JSON to a file or for people to standard error. */
static void expect_line(const struct event *event, bool is_json, const char *expected)
{
	const struct events_options options = {is_json ? path : NULL, is_json};
	struct events *events;
	char text[1024];

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
		    ",\"event\":\"established\",\"local\":\"10.0.0.2:34567\","
		    "\"remote\":\"10.0.0.1:50814\",\"method\":\"engine\",\"rtt_us\":31,"
		    "\"handoff_us\":9}\n");
	expect_line(&event, false,
		    "10.0.0.1:50814 > 10.0.0.2:34567 established "
		    "(engine, rtt 31 us, hand-off 9 us)\n");
}

static void what_is_absent_is_left_out(void **state)
{
	struct event event = make_event(EVENT_SYN);

	(void)state;
	expect_line(&event, true,
		    ",\"event\":\"syn\",\"local\":\"10.0.0.2:34567\","
		    "\"remote\":\"10.0.0.1:50814\"}\n");
	expect_line(&event, false, "10.0.0.1:50814 > 10.0.0.2:34567 SYN\n");
}

static void a_loss_has_a_reason_and_a_count_and_no_connection(void **state)
{
	struct event event = make_event(EVENT_LOST);

	(void)state;
	event.tuple = NULL;
	event.reason = "ring_full";
	event.count = 12;
	expect_line(&event, true, ",\"event\":\"lost\",\"reason\":\"ring_full\",\"count\":12}\n");
	expect_line(&event, false, "lost (ring_full, 12 packets)\n");
}

static void a_dropped_rst_has_a_count(void **state)
{
	struct event event = make_event(EVENT_RST_DROPPED);

	(void)state;
	event.count = 1;
	expect_line(&event, true,
		    ",\"event\":\"rst_dropped\",\"local\":\"10.0.0.2:34567\","
		    "\"remote\":\"10.0.0.1:50814\",\"count\":1}\n");
	expect_line(&event, false, "10.0.0.1:50814 > 10.0.0.2:34567 RST dropped (1 packet)\n");
}

static void every_kind_is_valid_json_under_its_name(void **state)
{
	const struct events_options options = {path, true};
	struct events *events;
	char text[4096], *rest = text;

	(void)state;
	unlink(path);
	assert_int_equal(events_new(&events, &options), 0);
	for (enum event_kind kind = EVENT_SYN; kind <= EVENT_LOST; kind++) {
		struct event event = make_event(kind);

		events_emit(events, &event);
	}
	events_free(events);
	read_temporary(text, sizeof(text));
	for (enum event_kind kind = EVENT_SYN; kind <= EVENT_LOST; kind++) {
		json_t *object = json_loads(strsep(&rest, "\n"), 0, NULL);

		assert_non_null(object);
		assert_string_equal(json_string_value(json_object_get(object, "event")),
				    event_kind_text(kind));
		json_decref(object);
	}
	assert_string_equal(rest, "");
}

static void times_are_rfc_3339_and_never_go_back(void **state)
{
	struct event event = make_event(EVENT_SYN);
	const struct events_options options = {path, true};
	struct events *events;
	char text[4096], *rest = text, *line, last[TIME_LEN + 1] = "";
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
		assert_int_equal(sscanf(line, "{\"time\":\"2%*3d-%*2d-%*2dT%*2d:%*2d:%*2d.%6uZ\"",
					&microseconds),
				 1);
		assert_string_equal(line + TIME_LEN - 2, "Z\"");
		assert_true(strcmp(last, line) <= 0);
		strcpy(last, line);
	}
}

static void a_file_is_appended_to(void **state)
{
	struct event event = make_event(EVENT_SYN);
	const struct events_options options = {path, true};
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
	const struct events_options options = {path, true};
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
	const struct events_options options = {"/nonexistent/events", true};
	struct events *events = NULL;

	(void)state;
	assert_int_equal(events_new(&events, &options), -ENOENT);
	assert_null(events);
}

static void a_fifo_without_a_reader_is_an_error_and_no_wait(void **state)
{
	const struct events_options options = {path, true};
	struct events *events = NULL;

	(void)state;
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(events_new(&events, &options), -ENXIO);
}

/* Standard output becomes a pipe; its reading end, which never waits, is returned. */
static int pipe_output(void)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	replace_fd(STDOUT_FILENO, fds[1]);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	return fds[0];
}

static void a_closed_pipe_loses_events_and_nothing_else(void **state)
{
	struct event event = make_event(EVENT_SYN);
	const struct events_options options = {"-", true};
	struct events *events;
	uint64_t lost;

	(void)state;
	close(pipe_output());
	assert_int_equal(events_new(&events, &options), 0);
	for (int i = 0; i < 10; i++) {
		events_emit(events, &event);
		events_flush(events);
	}
	lost = events_lost(events);
	events_free(events);
	restore_fd(STDOUT_FILENO);
	assert_int_equal(lost, 10);
}

static uint64_t count_lines(int fd)
{
	char text[65536];
	uint64_t count = 0;
	ssize_t len;

	while ((len = read(fd, text, sizeof(text))) > 0)
		for (ssize_t i = 0; i < len; i++)
			count += text[i] == '\n';
	return count;
}

static void a_slow_reader_loses_whole_lines_and_never_stops_us(void **state)
{
	const uint64_t emitted = 20000;
	struct event event = make_event(EVENT_SYN);
	const struct events_options options = {"-", true};
	struct events *events;
	uint64_t lost;
	int reader = pipe_output();

	(void)state;
	assert_int_equal(events_new(&events, &options), 0);
	for (uint64_t i = 0; i < emitted; i++) {
		events_emit(events, &event);
		events_flush(events);
	}
	lost = events_lost(events);
	assert_true(lost > 0);
	events_free(events);
	restore_fd(STDOUT_FILENO);
	/* Half of the last line may be there, without its end. */
	assert_true(count_lines(reader) <= emitted - lost);
	close(reader);
}

static void what_a_slow_reader_takes_is_whole(void **state)
{
	struct event event = make_event(EVENT_SYN);
	const struct events_options options = {"-", true};
	struct events *events;
	uint64_t emitted = 0, received = 0;
	int reader = pipe_output();

	(void)state;
	assert_int_equal(events_new(&events, &options), 0);
	while (events_lost(events) == 0) {
		events_emit(events, &event);
		events_flush(events);
		emitted++;
	}
	for (int i = 0; i < 100; i++) {
		received += count_lines(reader);
		events_flush(events);
	}
	assert_int_equal(received, emitted - events_lost(events));
	events_free(events);
	restore_fd(STDOUT_FILENO);
	close(reader);
}

static void a_full_disk_loses_events_and_nothing_else(void **state)
{
	struct event event = make_event(EVENT_SYN);
	const struct events_options options = {"/dev/full", true};
	struct events *events;

	(void)state;
	assert_int_equal(events_new(&events, &options), 0);
	events_emit(events, &event);
	events_flush(events);
	events_emit(events, &event);
	events_flush(events);
	assert_int_equal(events_lost(events), 2);
	events_free(events);
}

static void limit_file_size(rlim_t size)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The file cannot grow beyond the middle of the second line; then it can again. */
static void a_torn_line_does_not_spoil_the_next(void **state)
{
	struct event event = make_event(EVENT_SYN);
	const struct events_options options = {path, true};
	struct events *events;
	char text[1024], *first, *torn, *last, *rest = text;

	(void)state;
	unlink(path);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(events_new(&events, &options), 0);
	limit_file_size(150);
	for (int i = 0; i < 3; i++) {
		events_emit(events, &event);
		events_flush(events);
	}
	assert_int_equal(events_lost(events), 2);
	limit_file_size(RLIM_INFINITY);
	events_emit(events, &event);
	events_free(events);
	read_temporary(text, sizeof(text));
	first = strsep(&rest, "\n");
	torn = strsep(&rest, "\n");
	last = strsep(&rest, "\n");
	assert_true(strlen(torn) < strlen(first));
	assert_string_equal(last + TIME_LEN, first + TIME_LEN);
	assert_string_equal(rest, "");
}

static int make_directory(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/events", directory);
	endpoint_parse("10.0.0.2:34567", &tuple.local);
	endpoint_parse("10.0.0.1:50814", &tuple.remote);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

#define TEST(name) cmocka_unit_test_teardown(name, restore_outputs)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_established_connection_has_all_its_fields_in_order),
		TEST(what_is_absent_is_left_out),
		TEST(a_loss_has_a_reason_and_a_count_and_no_connection),
		TEST(a_dropped_rst_has_a_count),
		TEST(every_kind_is_valid_json_under_its_name),
		TEST(times_are_rfc_3339_and_never_go_back),
		TEST(a_file_is_appended_to),
		TEST(nothing_is_written_before_the_flush),
		TEST(a_file_that_cannot_be_opened_is_an_error),
		TEST(a_fifo_without_a_reader_is_an_error_and_no_wait),
		TEST(a_closed_pipe_loses_events_and_nothing_else),
		TEST(a_slow_reader_loses_whole_lines_and_never_stops_us),
		TEST(what_a_slow_reader_takes_is_whole),
		TEST(a_torn_line_does_not_spoil_the_next),
		TEST(a_full_disk_loses_events_and_nothing_else),
	};

	return cmocka_run_group_tests_name("events", tests, make_directory, remove_directory);
}
