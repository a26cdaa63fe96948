/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The filter, its supervisor's end, and what that sees of a caller: with a child each, and no privileges. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "caller.h"
#include "fd_message.h"
#include "filter.h"
#include "interfaces.h"
#include "notify.h"

#define WAIT_MS 10000

struct subject {
	pid_t pid;
	struct notify *notify;
};

/* What fn returns is the child's exit status. */
static void start(struct subject *subject, bool asks_accept, int (*fn)(void))
{
	int fds[2], fd;
	size_t count;
	char byte;
	struct pollfd sent;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	subject->pid = fork();
	if (!subject->pid) {
		fd = filter_install(asks_accept);
		_exit(fd < 0 || fd_message_send(fds[1], "", 1, &fd, 1) ? 99 : fn());
	}
	sent = (struct pollfd){.fd = fds[0], .events = POLLIN};
	close(fds[1]);
	assert_int_equal(poll(&sent, 1, WAIT_MS), 1);
	assert_int_equal(fd_message_receive(fds[0], &byte, 1, &fd, 1, &count), 1);
	assert_int_equal(count, 1);
	close(fds[0]);
	assert_int_equal(notify_new(&subject->notify, fd), 0);
}

/* The next call; false: there will be none. */
static bool next(const struct subject *subject, struct call *out)
{
	struct pollfd asked = {.fd = notify_fd(subject->notify), .events = POLLIN};

	assert_int_equal(poll(&asked, 1, WAIT_MS), 1);
	return asked.revents & POLLIN && !notify_receive(subject->notify, out);
}

static int end(struct subject *subject)
{
	int status;

	assert_int_equal(waitpid(subject->pid, &status, 0), subject->pid);
	notify_free(subject->notify);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Each of these comes back without anybody being asked, or fails at once. */
static int call_what_passes(void)
{
	const struct sockaddr_un nowhere = {.sun_family = AF_UNIX, .sun_path = "/nonexistent/x"};
	int unix_fd = socket(AF_UNIX, SOCK_STREAM, 0), fds[2], value = 0;
	socklen_t len = sizeof(value);
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) || send(fds[0], "x", 1, 0) != 1 ||
	    recv(fds[1], &byte, 1, 0) != 1 || write(fds[0], "y", 1) != 1 ||
	    read(fds[1], &byte, 1) != 1 || close(fds[0]))
		return 1;
	if (!connect(unix_fd, (const struct sockaddr *)&nowhere, sizeof(nowhere)) ||
	    errno != ENOENT || getsockopt(fds[1], SOL_SOCKET, SO_TYPE, &value, &len))
		return 2;
	if (socket(AF_INET, SOCK_STREAM, 262) >= 0 || errno != EPROTONOSUPPORT ||
	    socket(AF_INET6, SOCK_STREAM, 262) >= 0 || errno != EPROTONOSUPPORT)
		return 3;
	return syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno == ENOSYS ? 0 : 4;
}

static void data_is_never_asked_about(void **state)
{
	struct subject subject;
	struct call call;

	(void)state;
	start(&subject, true, call_what_passes);
	assert_false(next(&subject, &call));
	assert_int_equal(end(&subject), 0);
}

static int listen_somewhere(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0), value;
	socklen_t len = sizeof(any);

	getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &len);
	len = sizeof(any);
	bind(fd, (struct sockaddr *)&any, sizeof(any));
	listen(fd, 1);
	getsockname(fd, (struct sockaddr *)&any, &len);
	connect(fd, (struct sockaddr *)&any, sizeof(any));
	fd = accept4(-1, NULL, NULL, 0) < 0 && errno == EBADF ? 0 : 1;
	return fd;
}

static void asks(bool asks_accept)
{
	const int expected[] = {SYS_getsockopt,	 SYS_bind,    SYS_listen,
				SYS_getsockname, SYS_connect, SYS_accept4};
	struct subject subject;
	struct call call;

	start(&subject, asks_accept, listen_somewhere);
	for (size_t i = 0; i < 5u + asks_accept; i++) {
		assert_true(next(&subject, &call));
		assert_int_equal(call.number, expected[i]);
		assert_int_equal(call.tid, subject.pid);
		assert_int_equal(notify_continue(subject.notify, &call), 0);
	}
	assert_false(next(&subject, &call));
	assert_int_equal(end(&subject), 0);
}

static void what_listens_is_asked_about(void **state)
{
	(void)state;
	asks(false);
}

static void accept_is_asked_about_if_wanted(void **state)
{
	(void)state;
	asks(true);
}

static int ask_for_name(void)
{
	struct sockaddr_in name = {0};
	socklen_t len = 4;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (getsockname(fd, (struct sockaddr *)&name, &len) || len != sizeof(name) ||
	    name.sin_family != AF_INET || name.sin_port != htons(80) || name.sin_addr.s_addr)
		return 1;
	return bind(fd, (struct sockaddr *)&name, len) < 0 && errno == EADDRINUSE ? 0 : 2;
}

/* Of its four bytes of room it gets four. */
static void a_caller_is_answered_in_its_memory(void **state)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(80)}, read_name;
	struct subject subject;
	struct call call;
	int fd, own, memory;

	(void)state;
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	start(&subject, false, ask_for_name);
	assert_true(next(&subject, &call));
	fd = (int)call.arguments[0];
	memory = caller_open_memory(call.tid);
	assert_true(memory >= 0);
	assert_int_equal(caller_write_result(memory, call.arguments[1], call.arguments[2], &name,
					     sizeof(name)),
			 0);
	assert_true(notify_is_waiting(subject.notify, &call));
	own = caller_take_fd(call.tid, fd);
	assert_true(own >= 0);
	assert_int_equal(caller_socket(call.tid, fd), caller_socket(getpid(), own));
	assert_true(caller_has_same(call.tid, fd, own));
	assert_false(caller_is_cloexec(call.tid, fd));
	assert_int_equal(caller_interruption(call.tid), 0);
	assert_int_equal(notify_return(subject.notify, &call, 0), 0);
	assert_false(notify_is_waiting(subject.notify, &call));
	assert_true(next(&subject, &call));
	assert_int_equal(caller_read(memory, call.arguments[1], &read_name, sizeof(read_name)), 0);
	assert_int_equal(read_name.sin_port, htons(80));
	assert_int_equal(caller_read(memory, 1, &read_name, sizeof(read_name)), -EFAULT);
	assert_int_equal(notify_return(subject.notify, &call, -EADDRINUSE), 0);
	assert_int_equal(end(&subject), 0);
	assert_int_equal(caller_socket(subject.pid, fd), 0);
	close(own);
	close(memory);
}

static int accept_one(void)
{
	char byte;
	int fd = accept4(0, NULL, NULL, SOCK_CLOEXEC);

	return fd >= 0 && read(fd, &byte, 1) == 1 && byte == 'x' ? 0 : 1;
}

static void a_socket_is_put_in(void **state)
{
	struct subject subject;
	struct call call;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	start(&subject, true, accept_one);
	assert_true(next(&subject, &call));
	assert_int_equal(notify_return_fd(subject.notify, &call, fds[0], true), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(end(&subject), 0);
	close(fds[0]);
	close(fds[1]);
}

static void who_is_killed_waits_no_more(void **state)
{
	struct subject subject;
	struct call call;

	(void)state;
	start(&subject, true, accept_one);
	assert_true(next(&subject, &call));
	kill(subject.pid, SIGKILL);
	assert_int_equal(end(&subject), -1);
	assert_int_equal(caller_open_memory(subject.pid), -ENOENT);
}

static void loopback_addresses_are_of_lo(void **state)
{
	struct addr addr;

	(void)state;
	assert_true(addr_parse("127.0.0.1", &addr));
	assert_true(interfaces_have(NULL, &addr));
	assert_true(interfaces_have("eth0,lo", &addr));
	assert_true(interfaces_have("lo,eth0", &addr));
	assert_false(interfaces_have("eth0,lo1,l", &addr));
	assert_true(addr_parse("0.0.0.0", &addr));
	assert_true(interfaces_have("eth0", &addr));
	assert_true(addr_parse("192.0.2.77", &addr)); /* nobody's */
	assert_true(interfaces_have("eth0", &addr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_is_never_asked_about),
		cmocka_unit_test(what_listens_is_asked_about),
		cmocka_unit_test(accept_is_asked_about_if_wanted),
		cmocka_unit_test(a_caller_is_answered_in_its_memory),
		cmocka_unit_test(a_socket_is_put_in),
		cmocka_unit_test(who_is_killed_waits_no_more),
		cmocka_unit_test(loopback_addresses_are_of_lo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
