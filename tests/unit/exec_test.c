/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* exec:COMMAND: what the command gets, and what becomes of it. */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "service_fixture.h"

/*
 * A connection is over when its command has closed it, and what ends last, the process, may outlive the service: nobody
 * else reaps it, and the next test would find it among its own children.
 */
static int reap_children(void **state)
{
	(void)state;
	while (waitpid(-1, NULL, 0) > 0)
		;
	return 0;
}

static void exec_joins_the_command_to_the_connection(void **state)
{
	(void)state;
	serve("exec:read word; echo got $word; exec cat");
	send_text("one\ntwo\n");
	shutdown(client, SHUT_WR);
	expect_stream("got one\ntwo\n", 12);
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

static void exec_tells_who_is_connected(void **state)
{
	char expected[256];

	(void)state;
	setenv("TCPREMOTEIP", "192.0.2.1", 1);
	serve("exec:echo $PROTO $TCPLOCALIP $TCPLOCALPORT $TCPREMOTEIP $TCPREMOTEPORT");
	snprintf(expected, sizeof(expected), "TCP 127.0.0.1 %u 127.0.0.1 %u\n", tuple.local.port,
		 tuple.remote.port);
	expect_stream(expected, strlen(expected));
	stop_serving();
	unsetenv("TCPREMOTEIP");
}

static void exec_passes_on_no_other_descriptor(void **state)
{
	(void)state;
	assert_int_equal(dup2(STDERR_FILENO, 100), 100);
	serve("exec:test -e /proc/$$/fd/100 && echo open || echo closed");
	expect_stream("closed\n", 7);
	close(100);
	stop_serving();
}

/* The last seven digits: glibc keeps the signals 32 and 33 for itself and ignores them. */
static void exec_gives_default_signals(void **state)
{
	sigset_t set, before;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, &before);
	signal(SIGPIPE, SIG_IGN);
	serve("exec:exec sed -n 's/^Sig\\(Blk\\|Ign\\):.*\\(.......\\)$/\\2/p' /proc/self/status");
	expect_stream("0000000\n0000000\n", 16);
	stop_serving();
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void exec_gives_a_blocking_descriptor(void **state)
{
	int fd;

	(void)state;
	start_service("exec:read word; echo $word", 1);
	client = connect_pair(&fd);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(service_take(service, fd, &tuple), 0);
	send_text("late\n");
	expect_stream("late\n", 5);
	stop_serving();
}

static void exec_refuses_more_than_max_children(void **state)
{
	int first, fd;

	(void)state;
	start_service("exec:exec cat", 1);
	client = connect_pair(&fd);
	first = client;
	assert_int_equal(service_take(service, fd, &tuple), 0);
	client = connect_pair(&fd);
	assert_int_equal(service_take(service, fd, &tuple), -EAGAIN);
	assert_int_equal(service_refused(service), 1);
	assert_int_equal(service_active(service), 1);
	expect_stream("", 0);
	close(client);
	client = first;
	shutdown(client, SHUT_WR);
	RUN_UNTIL(service_active(service) == 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	stop_serving();
}

static void exec_children_get_sighup_at_the_end(void **state)
{
	char text[16];
	size_t len = 0;

	(void)state;
	serve("exec:trap 'echo hup; exit 0' HUP; echo ready; read word");
	RUN_UNTIL((receive_some(text, sizeof(text), &len), len == 6));
	service_free(service);
	service = NULL;
	expect_stream("hup\n", 4);
	stop_serving();
}

/* Take every descriptor up to and including last. */
static size_t fill_descriptors(int last, int fillers[16], struct rlimit *before)
{
	struct rlimit limit;
	size_t count = 0;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
	limit = *before;
	limit.rlim_cur = last + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while (count < 16 && (fillers[count] = dup(STDERR_FILENO)) >= 0)
		count++;
	assert_true(count < 16);
	return count;
}

/* With no descriptor left there is no pidfd. */
static void exec_without_descriptors_refuses_and_leaves_no_child(void **state)
{
	struct rlimit before;
	int fd, fillers[16];
	size_t count;

	(void)state;
	start_service("exec:exec cat", 4);
	client = connect_pair(&fd);
	count = fill_descriptors(fd, fillers, &before);
	assert_int_equal(service_take(service, fd, &tuple), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	while (count)
		close(fillers[--count]);
	assert_int_equal(service_refused(service), 1);
	assert_int_equal(service_active(service), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	expect_stream("", 0);
	stop_serving();
}

#define exec_test(f) cmocka_unit_test_teardown(f, reap_children)

int main(void)
{
	const struct CMUnitTest tests[] = {
		exec_test(exec_joins_the_command_to_the_connection),
		exec_test(exec_tells_who_is_connected),
		exec_test(exec_passes_on_no_other_descriptor),
		exec_test(exec_gives_default_signals),
		exec_test(exec_gives_a_blocking_descriptor),
		exec_test(exec_refuses_more_than_max_children),
		exec_test(exec_children_get_sighup_at_the_end),
		exec_test(exec_without_descriptors_refuses_and_leaves_no_child),
	};

	if (!own_netns_enter())
		return own_netns_skip("exec");
	return cmocka_run_group_tests_name("exec", tests, NULL, NULL);
}
