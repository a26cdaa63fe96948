/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sysctls beside what their files say, in the network namespace that this runs in. */
#include <string.h>

#include "unit/cmocka_setup.h"

#include "numbers.h"
#include "sysctls.h"

static struct sysctls *sysctls;
static struct tcp_sysctls values;

static int setup(void **state)
{
	(void)state;
	memset(&values, 0xff, sizeof(values));
	return sysctls_new(&sysctls, "lo");
}

static int teardown(void **state)
{
	(void)state;
	sysctls_free(sysctls);
	return 0;
}

static uint64_t in_file(const char *path, unsigned int index)
{
	uint64_t value;

	assert_int_equal(number_read_file(path, index, &value), 0);
	return value;
}

static void reads_what_the_files_say(void **state)
{
	(void)state;
	assert_true(sysctls_read(sysctls, &values));
	assert_int_equal(values.rmem_default, in_file("/proc/sys/net/ipv4/tcp_rmem", 1));
	assert_int_equal(values.rmem_max, in_file("/proc/sys/net/ipv4/tcp_rmem", 2));
	assert_int_equal(values.timestamps, in_file("/proc/sys/net/ipv4/tcp_timestamps", 0));
	assert_int_equal(values.synack_retries,
			 in_file("/proc/sys/net/ipv4/tcp_synack_retries", 0));
}

static void is_told_the_largest_buffer_by_a_socket(void **state)
{
	uint64_t expected;

	(void)state;
	if (number_read_file("/proc/sys/net/core/rmem_max", 0, &expected))
		skip(); /* an older kernel, and a network namespace of one's own */
	sysctls_read(sysctls, &values);
	assert_int_equal(values.core_rmem_max, expected);
}

static void has_news_once(void **state)
{
	struct tcp_sysctls again;

	(void)state;
	assert_true(sysctls_read(sysctls, &values));
	assert_false(sysctls_read(sysctls, &again));
	assert_memory_equal(&again, &values, sizeof(values));
}

/* 65 of 256 in Linux 6.6, half of it since 6.10. */
static void measures_how_much_of_a_buffer_is_for_data(void **state)
{
	(void)state;
	sysctls_read(sysctls, &values);
	assert_true(values.scaling_ratio == 0 || values.scaling_ratio == 128 ||
		    (values.scaling_ratio > 60 && values.scaling_ratio < 70));
}

static void takes_no_mtu_from_an_interface_that_is_not_there(void **state)
{
	(void)state;
	sysctls_free(sysctls);
	assert_int_equal(sysctls_new(&sysctls, "nosuchdevice"), 0);
	sysctls_read(sysctls, &values);
	assert_int_equal(values.mtu_v6, 0);
	assert_int_equal(values.rmem_default, in_file("/proc/sys/net/ipv4/tcp_rmem", 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_what_the_files_say),
		TEST(is_told_the_largest_buffer_by_a_socket),
		TEST(has_news_once),
		TEST(measures_how_much_of_a_buffer_is_for_data),
		TEST(takes_no_mtu_from_an_interface_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
