/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets that no process has are ended, the others stay. */
#include "sock_diag.h"

#include <netinet/tcp.h>
#include <sys/utsname.h>

#include "service_fixture.h"

#define PAIRS 300
#define NOT_LISTENING (~(1u << TCP_LISTEN))

static int count_sockets(uint32_t states)
{
	return sock_diag_visit(states, NULL, NULL);
}

static bool ends_what_still_sends(void)
{
	struct utsname name;
	unsigned int major, minor;

	assert_int_equal(uname(&name), 0);
	assert_int_equal(sscanf(name.release, "%u.%u", &major, &minor), 2);
	return major > 6 || (major == 6 && minor >= 11);
}

static void set_loopback(bool is_up)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = is_up ? IFF_UP | IFF_RUNNING : 0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

static void sockets_that_a_process_has_stay(void **state)
{
	struct sockaddr_in name;
	int other, listener = listen_anywhere(&name);
	const int fd = connect_pair(&other);
	uint8_t tcp_state;

	(void)state;
	assert_int_equal(sock_diag_end_orphans(), 0);
	assert_int_equal(sock_diag_find(&tuple, 0, &tcp_state), 0);
	assert_int_equal(tcp_state, TCP_ESTABLISHED);
	assert_int_equal(count_sockets(1u << TCP_LISTEN), 1);
	close(fd);
	assert_int_equal(sock_diag_end_orphans(), 1);
	close(other);
	close(listener);
	sock_diag_end_orphans();
	assert_int_equal(count_sockets(NOT_LISTENING), 0);
}

static void what_waits_for_accept_is_reset(void **state)
{
	struct sockaddr_in name;
	int listener = listen_anywhere(&name);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte;

	(void)state;
	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(sock_diag_end_orphans(), 1);
	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
	close(listener);
}

/* What is left out while the kernel lists is found again. */
static void many_that_send_to_nobody_are_all_ended(void **state)
{
	int fds[PAIRS], others[PAIRS];

	(void)state;
	for (int i = 0; i < PAIRS; i++)
		fds[i] = connect_pair(&others[i]);
	set_loopback(false);
	for (int i = 0; i < PAIRS; i++) {
		close(fds[i]);
		close(others[i]);
	}
	assert_int_equal(count_sockets(NOT_LISTENING), 2 * PAIRS);
	assert_true(sock_diag_end_orphans() >= 2 * PAIRS);
	if (ends_what_still_sends())
		assert_int_equal(count_sockets(NOT_LISTENING), 0);
	set_loopback(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets_that_a_process_has_stay),
		cmocka_unit_test(what_waits_for_accept_is_reset),
		cmocka_unit_test(many_that_send_to_nobody_are_all_ended),
	};

	if (!own_netns_enter())
		return own_netns_skip("sock_diag");
	return cmocka_run_group_tests_name("sock_diag", tests, NULL, NULL);
}
