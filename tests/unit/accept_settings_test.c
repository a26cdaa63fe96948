/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is said of the kernel's settings, in a network namespace where they can be changed. */
#include "accept_settings.h"

#include <errno.h>
#include <fcntl.h>

#include "cmocka_setup.h"
#include "own_netns.h"

#define SYNCOOKIES "/proc/sys/net/ipv4/tcp_syncookies"
#define LOOSE "/proc/sys/net/netfilter/nf_conntrack_tcp_loose"

static char said[512];

static bool set(const char *path, char value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_set = fd >= 0 && write(fd, &value, 1) == 1;

	if (fd >= 0)
		close(fd);
	return is_set;
}

static void set_cookies(char value)
{
	assert_true(set(SYNCOOKIES, value));
}

/* What fn writes to standard error, in said; what it returns. */
static int hear(int (*fn)(const char *ifname))
{
	int saved = dup(STDERR_FILENO), ends[2], result;
	ssize_t len;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	result = fn("eth9");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[1]);
	len = read(ends[0], said, sizeof(said) - 1);
	said[len > 0 ? len : 0] = '\0';
	close(ends[0]);
	return result;
}

static int beat(const char *ifname)
{
	accept_settings_beat(ifname);
	return 0;
}

static void a_kernel_that_takes_cookies_will_do(void **state)
{
	(void)state;
	for (char value = '1'; value <= '2'; value++) {
		set_cookies(value);
		assert_int_equal(hear(accept_settings_check), 0);
		assert_string_equal(said, "");
	}
}

static void one_that_takes_none_will_not(void **state)
{
	(void)state;
	set_cookies('0');
	assert_int_equal(hear(accept_settings_check), -ENOTSUP);
	assert_string_equal(said,
			    "nolisten: eth9: method accept needs net.ipv4.tcp_syncookies=1 (or 2), "
			    "which is 0\n");
}

static void a_change_is_told_once_each_time(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		set_cookies('1');
		hear(beat);
		assert_string_equal(said, "");
		set_cookies('0');
		hear(beat);
		assert_string_equal(
			said, "nolisten: eth9: net.ipv4.tcp_syncookies is 0 now: no handshake "
			      "can be completed\n");
		hear(beat);
		assert_string_equal(said, "");
	}
	set_cookies('1');
}

static void strict_connection_tracking_is_warned_of(void **state)
{
	(void)state;
	set_cookies('1');
	if (!set(LOOSE, '0'))
		skip(); /* no connection tracking here */
	assert_int_equal(hear(accept_settings_check), 0);
	assert_non_null(strstr(said, "eth9: net.netfilter.nf_conntrack_tcp_loose is 0: "));
	assert_true(set(LOOSE, '1'));
	assert_int_equal(hear(accept_settings_check), 0);
	assert_string_equal(said, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kernel_that_takes_cookies_will_do),
		cmocka_unit_test(one_that_takes_none_will_not),
		cmocka_unit_test(a_change_is_told_once_each_time),
		cmocka_unit_test(strict_connection_tracking_is_warned_of),
	};

	if (!own_netns_enter())
		return own_netns_skip("accept_settings_test");
	return cmocka_run_group_tests_name("accept_settings", tests, NULL, NULL);
}
