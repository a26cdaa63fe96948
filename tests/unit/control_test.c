/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The control socket, both sides, in a network namespace of our own: abstract names belong to one. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "control.h"
#include "control_server.h"
#include "own_netns.h"

#define DEADLINE_S 20
#define MANY 20000

static struct loop *loop;
static struct control_server *server;

#define RUN_UNTIL(condition)                                          \
	do {                                                          \
		const uint64_t start_ns = clock_monotonic_ns();       \
                                                                      \
		while (!(condition)) {                                \
			assert_true(clock_monotonic_ns() - start_ns < \
				    DEADLINE_S * CLOCK_NS_PER_S);     \
			assert_true(loop_wait(loop, 1) >= 0);         \
		}                                                     \
	} while (0)

static int give_answer(void *context, const char *command, struct control_answer *answer)
{
	char line[64];

	(void)context;
	if (strcmp(command, "status") == 0)
		return control_answer_add(answer, "{\"pid\":1}");
	if (strcmp(command, "nothing") == 0)
		return 0;
	if (strcmp(command, "many") != 0)
		return -ENOENT;
	for (int i = 0; i < MANY; i++) {
		snprintf(line, sizeof(line), "{\"line\":%d}", i);
		control_answer_add(answer, line);
	}
	return 0;
}

static int start_server(void **state)
{
	int fd = control_listen("test0");

	(void)state;
	if (fd < 0 || loop_new(&loop))
		return -1;
	return control_server_new(&server, fd, loop, give_answer, NULL);
}

static int stop_server(void **state)
{
	(void)state;
	control_server_free(server);
	loop_free(loop);
	return 0;
}

static int ask(const char *command)
{
	int fd = control_connect("test0", command);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static bool has_message(int fd, char **message, int *len)
{
	*message = NULL;
	*len = control_read(fd, message);
	return *len != -EAGAIN;
}

static void expect_message(int fd, const char *expected)
{
	char *message;
	int len;

	RUN_UNTIL(has_message(fd, &message, &len));
	assert_int_equal(len, strlen(expected));
	assert_string_equal(message, expected);
	free(message);
}

static void expect_end(int fd)
{
	char *message;
	int len;

	RUN_UNTIL(has_message(fd, &message, &len));
	assert_int_equal(len, 0);
	close(fd);
}

static void a_command_gets_its_answer_and_the_end(void **state)
{
	int fd = ask("status");

	(void)state;
	expect_message(fd, "{\"pid\":1}");
	expect_end(fd);
}

static void an_empty_answer_is_the_end(void **state)
{
	(void)state;
	expect_end(ask("nothing"));
}

static void an_unknown_command_gets_an_error(void **state)
{
	int fd = ask("nonsense");

	(void)state;
	expect_message(fd, "{\"error\":\"no such command\"}");
	expect_end(fd);
}

static void a_command_that_is_too_long_is_dropped(void **state)
{
	char command[1000];
	char *message;
	int fd, len;

	(void)state;
	memset(command, 'x', sizeof(command));
	command[sizeof(command) - 1] = '\0';
	fd = ask(command);
	RUN_UNTIL(has_message(fd, &message, &len));
	assert_true(len <= 0);
	close(fd);
}

static void a_long_answer_arrives_whole_and_in_order(void **state)
{
	int fd = ask("many");
	char expected[64];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(expected, sizeof(expected), "{\"line\":%d}", i);
		expect_message(fd, expected);
	}
	expect_end(fd);
}

static void a_slow_client_does_not_keep_others_waiting(void **state)
{
	int slow = ask("many"), fd;

	(void)state;
	expect_message(slow, "{\"line\":0}");
	fd = ask("status");
	expect_message(fd, "{\"pid\":1}");
	expect_end(fd);
	expect_message(slow, "{\"line\":1}");
	close(slow);
}

static void the_oldest_client_makes_room_for_a_new_one(void **state)
{
	int fds[CONTROL_SERVER_CLIENTS], fd;

	(void)state;
	for (int i = 0; i < CONTROL_SERVER_CLIENTS; i++) {
		fds[i] = ask("many");
		expect_message(fds[i], "{\"line\":0}");
	}
	fd = ask("status");
	expect_message(fd, "{\"pid\":1}");
	expect_end(fd);
	for (int i = 0; i < CONTROL_SERVER_CLIENTS; i++)
		close(fds[i]);
}

static void a_client_that_goes_away_is_forgotten(void **state)
{
	int fd;

	(void)state;
	close(ask("many"));
	fd = ask("status");
	expect_message(fd, "{\"pid\":1}");
	expect_end(fd);
}

static void the_name_is_the_lock(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(control_listen("test0"), -EADDRINUSE);
	fd = control_listen("test1");
	assert_true(fd >= 0);
	close(fd);
	fd = control_listen("test1");
	assert_true(fd >= 0);
	close(fd);
}

static void nobody_there_is_connection_refused(void **state)
{
	(void)state;
	assert_int_equal(control_connect("test1", "status"), -ECONNREFUSED);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
	char name[200];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(control_listen(name), -ENAMETOOLONG);
	assert_int_equal(control_connect(name, "status"), -ENAMETOOLONG);
}

static void note_name(void *context, const char *ifname)
{
	char *names = context;

	strcat(strcat(names, ifname), " ");
}

static void visit_finds_each_listener_once(void **state)
{
	char names[256] = "";
	int other = control_listen("a.b-1"), connected = ask("many");

	(void)state;
	expect_message(connected, "{\"line\":0}");
	assert_int_equal(control_visit(note_name, names), 2);
	assert_non_null(strstr(names, "test0 "));
	assert_non_null(strstr(names, "a.b-1 "));
	close(connected);
	close(other);
}

#define NOBODY 65534

/* In a process that ends with it, as nobody: 0 if the answer is this one. */
static int ask_as_nobody(const char *answer)
{
	char *message = NULL;
	int fd, len;

	if (setresuid(0, 0, 0) || setgid(NOBODY) || setuid(NOBODY))
		return 1;
	fd = control_connect("test0", "status");
	len = fd < 0 ? fd : control_read(fd, &message);
	return len < 0 ? -len : strcmp(len ? message : "", answer) != 0;
}

static void expect_for_nobody(const char *answer)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(ask_as_nobody(answer));
	RUN_UNTIL(waitpid(pid, &status, WNOHANG) == pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void only_root_is_heard(void **state)
{
	(void)state;
	expect_for_nobody("{\"error\":\"only root and the user that it runs as may ask\"}");
}

/* It has begun to listen as root, and so may be taken for a loader. */
static void the_user_that_it_runs_as_is_heard_too(void **state)
{
	(void)state;
	assert_int_equal(setresuid(0, NOBODY, 0), 0);
	expect_for_nobody("{\"pid\":1}");
	assert_int_equal(setresuid(0, 0, 0), 0);
}

static void root_may_ask_any_users_loader_and_others_only_their_own(void **state)
{
	int listener, fd;

	(void)state;
	assert_int_equal(setresuid(0, NOBODY, 0), 0);
	listener = control_listen("of-nobody");
	fd = control_connect("of-nobody", "status");
	assert_true(listener >= 0 && fd >= 0);
	assert_true(control_is_believed("of-nobody"));
	close(fd);
	assert_int_equal(setresuid(0, 0, 0), 0);
	assert_int_equal(setresuid(0, NOBODY - 1, 0), 0);
	assert_int_equal(control_connect("of-nobody", "status"), -EPERM);
	assert_int_equal(setresuid(0, 0, 0), 0);
	assert_int_equal(control_connect_found("of-nobody", "status"), -EPERM);
	assert_false(control_is_believed("of-nobody"));
	fd = control_connect("of-nobody", "status");
	assert_true(fd >= 0);
	close(fd);
	close(listener);
}

static struct rlimit limit, few;

static void allow_few(int count)
{
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = (rlim_t)count;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
}

static void allow_many(void)
{
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* One after the other, by the descriptor that is kept for them. */
static void clients_are_answered_when_descriptors_have_run_out(void **state)
{
	int first = ask("status"), second = ask("status"), lowest = dup(0);

	(void)state;
	close(lowest);
	allow_few(lowest);
	expect_message(first, "{\"pid\":1}");
	expect_end(first);
	expect_message(second, "{\"pid\":1}");
	expect_end(second);
	allow_many();
}

/* Whatever becomes free is taken by others at once, connections for instance. */
static void the_next_client_is_answered_as_well(void **state)
{
	int taken[64], count = 0, lowest = dup(0), fd;

	(void)state;
	close(lowest);
	allow_few(lowest + 8);
	for (int i = 0; i < 3; i++) {
		while (count < 64 && (fd = dup(0)) >= 0)
			taken[count++] = fd;
		allow_many();
		fd = ask("status");
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		expect_message(fd, "{\"pid\":1}");
		expect_end(fd);
	}
	allow_many();
	while (count)
		close(taken[--count]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_gets_its_answer_and_the_end),
		cmocka_unit_test(an_empty_answer_is_the_end),
		cmocka_unit_test(an_unknown_command_gets_an_error),
		cmocka_unit_test(a_command_that_is_too_long_is_dropped),
		cmocka_unit_test(a_long_answer_arrives_whole_and_in_order),
		cmocka_unit_test(a_slow_client_does_not_keep_others_waiting),
		cmocka_unit_test(the_oldest_client_makes_room_for_a_new_one),
		cmocka_unit_test(a_client_that_goes_away_is_forgotten),
		cmocka_unit_test(the_name_is_the_lock),
		cmocka_unit_test(nobody_there_is_connection_refused),
		cmocka_unit_test(a_name_that_is_too_long_is_refused),
		cmocka_unit_test(visit_finds_each_listener_once),
		cmocka_unit_test(only_root_is_heard),
		cmocka_unit_test(the_user_that_it_runs_as_is_heard_too),
		cmocka_unit_test(root_may_ask_any_users_loader_and_others_only_their_own),
		cmocka_unit_test(clients_are_answered_when_descriptors_have_run_out),
		cmocka_unit_test(the_next_client_is_answered_as_well),
	};

	if (geteuid() != 0) {
		errno = EPERM;
		return own_netns_skip("control");
	}
	if (!own_netns_enter())
		return own_netns_skip("control");
	return cmocka_run_group_tests_name("control", tests, start_server, stop_server);
}
