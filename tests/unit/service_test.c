/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The services, each at the end of a TCP connection over the loopback of a namespace of our own. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "own_netns.h"
#include "service.h"

#define DEADLINE_S 20

static struct loop *loop;
static struct service *service;
static struct tuple tuple;
static int client;

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

static void start_service(const char *spec, uint32_t max_children)
{
	const struct service_options options = {.max_children = max_children};
	const char *error;

	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(service_new(&service, spec, &options, loop, &error), 0);
}

static int listen_anywhere(struct sockaddr_in *name)
{
	socklen_t len = sizeof(*name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*name = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)name, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)name, &len), 0);
	return fd;
}

/* A connection: our end, non-blocking, is returned; *other is the service's, which tuple describes. */
static int connect_pair(int *other)
{
	struct sockaddr_in local, remote;
	socklen_t len = sizeof(remote);
	int listener = listen_anywhere(&local);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&local, sizeof(local)), 0);
	*other = accept4(listener, (struct sockaddr *)&remote, &len, SOCK_CLOEXEC);
	assert_true(*other >= 0);
	close(listener);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_true(endpoint_from_sockaddr((struct sockaddr *)&local, &tuple.local));
	assert_true(endpoint_from_sockaddr((struct sockaddr *)&remote, &tuple.remote));
	return fd;
}

static void serve(const char *spec)
{
	int fd;

	start_service(spec, 4);
	client = connect_pair(&fd);
	assert_int_equal(service_take(service, fd, &tuple), 0);
	assert_int_equal(service_active(service), 1);
}

static void stop_serving(void)
{
	if (client >= 0)
		close(client);
	service_free(service);
	loop_free(loop);
}

static void reset_client(void)
{
	const struct linger linger = {.l_onoff = 1};

	assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(client);
	client = -1;
}

static void send_text(const char *text)
{
	assert_int_equal(send(client, text, strlen(text), 0), strlen(text));
}

/* Append what is there; true at the end of the stream. A reset is a failure. */
static bool receive_some(char *text, size_t size, size_t *len)
{
	ssize_t got = recv(client, text + *len, size - *len, 0);

	if (got < 0)
		assert_int_equal(errno, EAGAIN);
	else
		*len += got;
	return got == 0;
}

static void expect_stream(const char *expected, size_t expected_len)
{
	char text[4096];
	size_t len = 0;

	RUN_UNTIL(receive_some(text, sizeof(text), &len));
	assert_int_equal(len, expected_len);
	assert_memory_equal(text, expected, len);
}

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

/* Send as much as goes of the pattern's bytes from *sent up to len. */
static void pump_out(size_t *sent, size_t len)
{
	uint8_t piece[10000];
	ssize_t done = 0;

	while (*sent < len && done >= 0) {
		size_t count = len - *sent < sizeof(piece) ? len - *sent : sizeof(piece);

		for (size_t i = 0; i < count; i++)
			piece[i] = pattern(*sent + i);
		done = send(client, piece, count, 0);
		if (done > 0)
			*sent += done;
	}
}

static bool pump_in(size_t *received)
{
	uint8_t piece[10000];
	ssize_t len;

	while ((len = recv(client, piece, sizeof(piece), 0)) > 0)
		for (ssize_t i = 0; i < len; i++)
			assert_int_equal(piece[i], pattern((*received)++));
	if (len < 0)
		assert_int_equal(errno, EAGAIN);
	return len == 0;
}

static bool echo_round(size_t *sent, size_t *received, size_t len)
{
	if (*sent < len) {
		pump_out(sent, len);
		if (*sent == len)
			shutdown(client, SHUT_WR);
	}
	return pump_in(received);
}

static void echo_sends_back_every_byte_and_then_ends(void **state)
{
	const size_t len = 16 << 20;
	size_t sent = 0, received = 0;

	(void)state;
	serve("echo");
	RUN_UNTIL(echo_round(&sent, &received, len));
	assert_int_equal(received, len);
	assert_int_equal(service_active(service), 0);
	stop_serving();
}

/* Nothing is read back, and in 200 turns of the loop nothing more could be sent. */
static bool is_stuck(size_t *sent, unsigned int *idle_turns)
{
	const size_t before = *sent;

	pump_out(sent, SIZE_MAX);
	*idle_turns = *sent == before ? *idle_turns + 1 : 0;
	return *idle_turns == 200;
}

static void echo_stops_reading_when_the_remote_does(void **state)
{
	size_t sent = 0, received = 0;
	unsigned int idle_turns = 0;

	(void)state;
	serve("echo");
	RUN_UNTIL(is_stuck(&sent, &idle_turns));
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	RUN_UNTIL(pump_in(&received));
	assert_int_equal(received, sent);
	assert_int_equal(service_active(service), 0);
	stop_serving();
}

static void echo_ends_at_a_reset(void **state)
{
	(void)state;
	serve("echo");
	send_text("x");
	reset_client();
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

static void echo_ends_at_a_reset_while_it_cannot_write(void **state)
{
	size_t sent = 0;
	unsigned int idle_turns = 0;

	(void)state;
	serve("echo");
	RUN_UNTIL(is_stuck(&sent, &idle_turns));
	reset_client();
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

static void discard_reads_all_and_then_ends(void **state)
{
	size_t sent = 0;

	(void)state;
	serve("discard");
	RUN_UNTIL((pump_out(&sent, 32 << 20), sent == 32 << 20));
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	expect_stream("", 0);
	assert_int_equal(service_active(service), 0);
	stop_serving();
}

static void hold_does_not_read(void **state)
{
	size_t sent = 0;
	unsigned int idle_turns = 0;

	(void)state;
	serve("hold");
	RUN_UNTIL(is_stuck(&sent, &idle_turns));
	assert_int_equal(service_active(service), 1);
	reset_client();
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

static void hold_notices_a_fin_behind_unread_data(void **state)
{
	(void)state;
	serve("hold");
	send_text("unread");
	assert_true(loop_wait(loop, 50) == 0);
	assert_int_equal(service_active(service), 1);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

static void banner_sends_its_text_with_the_escapes_resolved(void **state)
{
	(void)state;
	serve("banner:a:\\r\\n\\t\\\\\\x00\\xfFz");
	shutdown(client, SHUT_WR);
	expect_stream("a:\r\n\t\\\0\xffz", 9);
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
}

static void banner_survives_what_the_remote_has_written(void **state)
{
	(void)state;
	serve("banner:hello");
	send_text("GET / HTTP/1.0\r\n\r\n");
	expect_stream("hello", 5);
	send_text("more");
	assert_true(loop_wait(loop, 1000) > 0);
	assert_int_equal(service_active(service), 1);
	shutdown(client, SHUT_WR);
	RUN_UNTIL(service_active(service) == 0);
	stop_serving();
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
	while (waitpid(-1, NULL, 0) > 0)
		;
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

static void what_is_left_is_closed_at_the_end(void **state)
{
	(void)state;
	serve("hold");
	service_free(service);
	service = NULL;
	expect_stream("", 0);
	stop_serving();
}

static void malformed_services_are_refused(void **state)
{
	static const char *const specs[] = {
		"",	"ech",	 "echoo",      "echo:",	      "hold:1",	   "banner",	 "banner:",
		"exec", "exec:", "banner:\\q", "banner:\\x4", "banner:\\", "banner:\\x", "socket",
	};
	const char *error;

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		error = NULL;
		assert_int_equal(service_check(specs[i], &error), -EINVAL);
		assert_non_null(error);
	}
	assert_int_equal(service_check("banner:\\x41", &error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo_sends_back_every_byte_and_then_ends),
		cmocka_unit_test(echo_stops_reading_when_the_remote_does),
		cmocka_unit_test(echo_ends_at_a_reset),
		cmocka_unit_test(echo_ends_at_a_reset_while_it_cannot_write),
		cmocka_unit_test(discard_reads_all_and_then_ends),
		cmocka_unit_test(hold_does_not_read),
		cmocka_unit_test(hold_notices_a_fin_behind_unread_data),
		cmocka_unit_test(banner_sends_its_text_with_the_escapes_resolved),
		cmocka_unit_test(banner_survives_what_the_remote_has_written),
		cmocka_unit_test(exec_joins_the_command_to_the_connection),
		cmocka_unit_test(exec_tells_who_is_connected),
		cmocka_unit_test(exec_passes_on_no_other_descriptor),
		cmocka_unit_test(exec_gives_default_signals),
		cmocka_unit_test(exec_gives_a_blocking_descriptor),
		cmocka_unit_test(exec_refuses_more_than_max_children),
		cmocka_unit_test(exec_children_get_sighup_at_the_end),
		cmocka_unit_test(exec_without_descriptors_refuses_and_leaves_no_child),
		cmocka_unit_test(what_is_left_is_closed_at_the_end),
		cmocka_unit_test(malformed_services_are_refused),
	};

	if (!own_netns_enter()) {
		printf("1..0 # SKIP no network namespace of our own: %s\n", strerror(errno));
		return 0;
	}
	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
