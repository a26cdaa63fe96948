/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Readers at sockets, who come and go; files that are renamed. */
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

#include "event_target.h"
#include "events_fixture.h"

static char target[sizeof(path) + 8];

static int bind_reader(int type)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	strcpy(name.sun_path, path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	snprintf(target, sizeof(target), "unix:%s", path);
	return fd;
}

static int listen_for_events(void)
{
	int fd = bind_reader(SOCK_STREAM);

	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static struct events *open_events(const char *where)
{
	const struct events_options options = make_options(where);
	struct events *events;

	assert_int_equal(events_new(&events, &options), 0);
	return events;
}

static void emit(struct events *events, uint16_t port)
{
	struct event event = make_event(EVENT_SYN);

	tuple.remote.port = port;
	events_emit(events, &event);
	events_flush(events);
}

/* What is there to be read, within a second. */
static void read_text(int fd, char *text, size_t size)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	ssize_t len;

	assert_int_equal(poll(&poll_fd, 1, 1000), 1);
	len = read(fd, text, size - 1);
	assert_true(len >= 0);
	text[len] = '\0';
}

static void expect_port(const char *line, uint16_t port)
{
	json_t *object = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);

	assert_non_null(object);
	assert_int_equal(json_integer_value(json_object_get(object, "src_port")), port);
	json_decref(object);
}

static void a_stream_gets_lines(void **state)
{
	int listener = listen_for_events(), reader;
	struct events *events = open_events(target);
	char text[EVENT_LINE_SIZE], *second;

	(void)state;
	emit(events, 1);
	emit(events, 2);
	reader = accept(listener, NULL, NULL);
	read_text(reader, text, sizeof(text));
	expect_port(text, 1);
	second = strchr(text, '\n') + 1;
	expect_port(second, 2);
	assert_string_equal(strchr(second, '\n'), "\n");
	events_free(events);
	close(reader);
	close(listener);
}

static void a_datagram_socket_gets_a_line_each(void **state)
{
	int reader = bind_reader(SOCK_DGRAM);
	struct events *events = open_events(target);
	char text[EVENT_LINE_SIZE];

	(void)state;
	emit(events, 1);
	emit(events, 2);
	for (uint16_t port = 1; port <= 2; port++) {
		read_text(reader, text, sizeof(text));
		expect_port(text, port);
		assert_string_equal(strchr(text, '\n'), "\n");
	}
	events_free(events);
	close(reader);
}

/* Nobody is there at the start, then somebody comes: what was told meanwhile was kept. */
static void events_wait_for_a_reader(void **state)
{
	int listener = listen_for_events(), reader;
	struct events *events;
	char text[EVENT_LINE_SIZE];

	(void)state;
	close(listener);
	events = open_events(target);
	emit(events, 1);
	listener = listen_for_events();
	events_reopen(events);
	emit(events, 2);
	reader = accept(listener, NULL, NULL);
	read_text(reader, text, sizeof(text));
	expect_port(text, 1);
	expect_port(strchr(text, '\n') + 1, 2);
	assert_int_equal(events_lost(events), 0);
	events_free(events);
	close(reader);
	close(listener);
}

/* The line of which the old reader had a part is whole for the new one. */
static void a_new_reader_begins_with_a_whole_line(void **state)
{
	int listener = listen_for_events(), reader;
	struct events *events = open_events(target);
	char text[65536];
	uint16_t port = 0;

	(void)state;
	while (events_lost(events) == 0)
		emit(events, ++port);
	reader = accept(listener, NULL, NULL);
	close(reader);
	emit(events, port); /* finds out */
	events_reopen(events);
	emit(events, port);
	reader = accept(listener, NULL, NULL);
	read_text(reader, text, sizeof(text));
	assert_int_equal(text[0], '{');
	json_decref(json_loads(text, JSON_DISABLE_EOF_CHECK, NULL));
	*strchr(text, '\n') = '\0';
	assert_int_equal(text[strlen(text) - 1], '}');
	events_free(events);
	close(reader);
	close(listener);
}

/* A second after the reader has gone, without anybody's word. */
static void a_reader_that_comes_back_is_found(void **state)
{
	int listener = listen_for_events(), reader;
	struct events *events = open_events(target);
	char text[EVENT_LINE_SIZE];
	struct pollfd poll_fd;

	(void)state;
	reader = accept(listener, NULL, NULL);
	close(reader);
	emit(events, 1);
	poll_fd = (struct pollfd){.fd = listener, .events = POLLIN};
	while (poll(&poll_fd, 1, 50) == 0)
		events_beat(events);
	reader = accept(listener, NULL, NULL);
	read_text(reader, text, sizeof(text));
	expect_port(text, 1);
	events_free(events);
	close(reader);
	close(listener);
}

static void a_file_that_was_renamed_is_begun_anew(void **state)
{
	char old[sizeof(path) + 8], text[EVENT_LINE_SIZE];
	struct events *events;

	(void)state;
	unlink(path);
	snprintf(old, sizeof(old), "%s.1", path);
	events = open_events(path);
	emit(events, 1);
	assert_int_equal(rename(path, old), 0);
	emit(events, 2);
	assert_true(events_reopen(events));
	emit(events, 3);
	read_temporary(text, sizeof(text));
	expect_port(text, 3);
	assert_string_equal(strchr(text, '\n'), "\n");
	/* Where it cannot be opened again, the old one is better than none. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(events_reopen(events));
	emit(events, 4);
	assert_int_equal(events_lost(events), 0);
	events_free(events);
	rmdir(path);
	unlink(old);
}

static void standard_output_cannot_be_opened_again(void **state)
{
	struct events *events = open_events("-");

	(void)state;
	assert_false(events_reopen(events));
	events_free(events);
}

static void what_is_no_socket_is_an_error(void **state)
{
	struct events_options options;
	struct events *events = NULL;

	(void)state;
	unlink(path);
	close(open_temporary(O_WRONLY | O_CREAT));
	snprintf(target, sizeof(target), "unix:%s", path);
	options = make_options(target);
	/* Nobody listens, whatever it is: a reader may take its place. */
	assert_int_equal(events_new(&events, &options), 0);
	events_free(events);
	options = make_options("unix:/etc/passwd/reader");
	assert_int_equal(events_new(&events, &options), -ENOTDIR);
}

static void syslogs_frame_has_the_cookie_of_json(void **state)
{
	struct event_target syslog_target;
	char text[128], date[16], message[64];
	int priority, pid;
	size_t len;
	const char *why;

	(void)state;
	assert_true(event_target_parse(&syslog_target, "syslog:local3", &why));
	len = event_target_frame(&syslog_target, "{\"a\":1}\n", 8, text, sizeof(text));
	assert_int_equal(len, strlen(text));
	assert_int_equal(
		sscanf(text, "<%d>%15[^[] nolisten[%d]: %63[^\n]", &priority, date, &pid, message),
		4);
	assert_int_equal(priority, LOG_LOCAL3 | LOG_INFO);
	assert_int_equal(pid, getpid());
	assert_string_equal(message, "@cee: {\"a\":1}");
	assert_true(event_target_parse(&syslog_target, "syslog:", &why));
	assert_int_equal(syslog_target.priority, LOG_DAEMON | LOG_INFO);
	assert_false(event_target_parse(&syslog_target, "syslog:nobody", &why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stream_gets_lines),
		TEST(a_datagram_socket_gets_a_line_each),
		TEST(events_wait_for_a_reader),
		TEST(a_new_reader_begins_with_a_whole_line),
		TEST(a_reader_that_comes_back_is_found),
		TEST(a_file_that_was_renamed_is_begun_anew),
		TEST(standard_output_cannot_be_opened_again),
		TEST(what_is_no_socket_is_an_error),
		TEST(syslogs_frame_has_the_cookie_of_json),
	};

	return cmocka_run_group_tests_name("events_reader", tests, make_directory,
					   remove_directory);
}
