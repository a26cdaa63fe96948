/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What becomes of the lines of events that cannot be written, or not at once. */
#include "events_fixture.h"

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
	const struct events_options options = make_options("-");
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

/* The event that tells of lines that are missing, or NULL; to be given up. */
static json_t *parse_lost(const char *line)
{
	json_t *object = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
	json_t *own = json_incref(json_object_get(object, "nolisten"));

	json_decref(object);
	if (own && !strcmp(json_string_value(json_object_get(own, "event")), "lost"))
		return own;
	json_decref(own);
	return NULL;
}

static bool tells_of_loss(const char *line)
{
	json_t *lost = parse_lost(line);

	json_decref(lost);
	return lost;
}

static void expect_lost(const char *line, const char *reason, uint64_t count)
{
	json_t *lost = parse_lost(line);

	assert_non_null(lost);
	assert_string_equal(json_string_value(json_object_get(lost, "reason")), reason);
	assert_string_equal(json_string_value(json_object_get(lost, "kind")), "any");
	assert_int_equal(json_integer_value(json_object_get(lost, "count")), count);
	json_decref(lost);
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
	const struct events_options options = make_options("-");
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
	const struct events_options options = make_options("-");
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
	/* And one that tells of those that are missing. */
	assert_int_equal(received, emitted - events_lost(events) + 1);
	events_free(events);
	restore_fd(STDOUT_FILENO);
	close(reader);
}

/* As several processes may: each finds room when it comes. */
static void lines_of_two_writers_stay_whole(void **state)
{
	struct event event = make_event(EVENT_SYN);
	const struct events_options options = make_options("-");
	struct events *events[2];
	char text[PIPE_BUF];
	int reader = pipe_output();

	(void)state;
	assert_true(fcntl(reader, F_SETPIPE_SZ, PIPE_BUF) >= PIPE_BUF);
	for (int i = 0; i < 2; i++)
		assert_int_equal(events_new(&events[i], &options), 0);
	for (int i = 0; i < 400; i++)
		events_emit(events[i & 1], &event);
	for (int i = 0; i < 10; i++) {
		ssize_t len;

		events_flush(events[i & 1]);
		len = read(reader, text, sizeof(text));
		assert_true(len > 0);
		assert_int_equal(text[0], '{');
		assert_int_equal(text[len - 1], '\n');
	}
	close(reader);
	for (int i = 0; i < 2; i++)
		events_free(events[i]);
	restore_fd(STDOUT_FILENO);
}

static void limit_file_size(rlim_t size)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The file cannot grow beyond the middle of the second line; then it can again. */
static void a_line_that_the_disk_has_half_of_is_completed(void **state)
{
	struct event event = make_event(EVENT_SYN);
	const struct events_options options = make_options(path);
	struct events *events;
	char text[8 * EVENT_LINE_SIZE], *first, *rest = text;

	(void)state;
	unlink(path);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(events_new(&events, &options), 0);
	limit_file_size(500);
	for (int i = 0; i < 3; i++) {
		events_emit(events, &event);
		events_flush(events);
	}
	read_temporary(text, sizeof(text));
	assert_int_equal(strlen(text), 500);
	limit_file_size(RLIM_INFINITY);
	events_emit(events, &event);
	assert_int_equal(events_lost(events), 0);
	events_free(events);
	read_temporary(text, sizeof(text));
	first = strsep(&rest, "\n");
	for (int i = 1; i < 4; i++)
		assert_string_equal(strsep(&rest, "\n") + TIME_LEN, first + TIME_LEN);
	assert_string_equal(rest, "");
}

static void a_line_that_stays_half_is_taken_back_at_the_end(void **state)
{
	struct event event = make_event(EVENT_SYN);
	const struct events_options options = make_options(path);
	struct events *events;
	char text[2 * EVENT_LINE_SIZE], *rest = text;

	(void)state;
	unlink(path);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(events_new(&events, &options), 0);
	limit_file_size(500);
	events_emit(events, &event);
	events_emit(events, &event);
	events_free(events);
	limit_file_size(RLIM_INFINITY);
	read_temporary(text, sizeof(text));
	assert_non_null(strsep(&rest, "\n"));
	assert_string_equal(rest, "");
}

/* What waits is bounded; what is lost is counted, and told when there is room again. */
static void a_full_disk_loses_events_and_says_how_many(void **state)
{
	static char text[2 << 20];
	struct event event = make_event(EVENT_SYN);
	const struct events_options options = make_options(path);
	const uint64_t emitted = 3000;
	struct events *events;
	uint64_t lost, lines = 0;
	char *rest = text, *line, *last = NULL;

	(void)state;
	unlink(path);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(events_new(&events, &options), 0);
	limit_file_size(500);
	for (uint64_t i = 0; i < emitted; i++) {
		events_emit(events, &event);
		events_flush(events);
	}
	lost = events_lost(events);
	assert_true(lost > 0 && lost < emitted);
	limit_file_size(RLIM_INFINITY);
	while (!tells_of_loss(last ?: "")) {
		events_flush(events);
		read_temporary(text, sizeof(text));
		if (strlen(text) > 500)
			last = (char *)memrchr(text, '\n', strlen(text) - 1) + 1;
	}
	expect_lost(last, "disk_full", lost);
	assert_int_equal(events_lost(events), lost);
	events_free(events);
	while (*(line = strsep(&rest, "\n"))) {
		json_t *object = json_loads(line, 0, NULL);

		assert_non_null(object);
		json_decref(object);
		lines++;
	}
	assert_int_equal(lines, emitted - lost + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_closed_pipe_loses_events_and_nothing_else),
		TEST(lines_of_two_writers_stay_whole),
		TEST(a_slow_reader_loses_whole_lines_and_never_stops_us),
		TEST(what_a_slow_reader_takes_is_whole),
		TEST(a_line_that_the_disk_has_half_of_is_completed),
		TEST(a_line_that_stays_half_is_taken_back_at_the_end),
		TEST(a_full_disk_loses_events_and_says_how_many),
	};

	return cmocka_run_group_tests_name("events_output", tests, make_directory,
					   remove_directory);
}
