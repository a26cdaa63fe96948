/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --sockopt: its names and ranges, and what is set when on sockets of both families. */
#include "sockopts.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/cmocka_setup.h"

static struct sockopts sockopts;
static char why[SOCKOPT_WHY_SIZE];

static int clear(void **state)
{
	(void)state;
	memset(&sockopts, 0, sizeof(sockopts));
	memset(why, 0, sizeof(why));
	return 0;
}

static bool parse(const char *text)
{
	return sockopts_parse(&sockopts, text, why);
}

static void takes_each_name_at_both_ends_of_its_range(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max;
	} all[] = {
#define ROW(member, text, min, max) {text, min, max},
		SOCKOPTS(ROW)
#undef ROW
	};
	char text[64];

	(void)state;
	for (size_t i = SOCKOPT_MAXSEG; i < SOCKOPT_COUNT; i++) {
		assert_string_equal(sockopts_name(i), all[i].text);
		snprintf(text, sizeof(text), "%s=%llu", all[i].text,
			 (unsigned long long)all[i].max);
		assert_true(parse(text));
		assert_int_equal(sockopts.values[i], all[i].max);
		snprintf(text, sizeof(text), "%s=%llu", all[i].text,
			 (unsigned long long)all[i].max + 1);
		assert_false(parse(text));
		snprintf(text, sizeof(text), "%s=%llu", all[i].text,
			 (unsigned long long)all[i].min);
		assert_true(parse(text));
		assert_int_equal(sockopts.values[i], all[i].min);
		assert_true(sockopts_has(&sockopts, (enum sockopt)i));
	}
	assert_null(sockopts_name(SOCKOPT_COUNT));
}

static void says_which_names_there_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		static const char *const strangers[] = {"foo=1", "maxse=700", "maxsegs=700", ""};

		assert_false(parse(strangers[i]));
		assert_non_null(strstr(why, "no such option, one of: congestion, maxseg, "));
		assert_non_null(strstr(why, ", defer-accept"));
	}
	assert_int_equal(sockopts.given, 0);
}

static void says_what_a_value_may_be(void **state)
{
	(void)state;
	assert_false(parse("maxseg=87"));
	assert_string_equal(why, "a number from 88 to 32767 is needed");
	assert_false(parse("keepcnt"));
	assert_string_equal(why, "a number from 1 to 127 is needed");
	assert_false(parse("nodelay=yes"));
	assert_string_equal(why, "a number from 0 to 1 is needed");
	assert_false(parse("congestion="));
	assert_string_equal(why, "a congestion control's name is needed");
	assert_false(parse("congestion=0123456789abcdef"));
	assert_int_equal(sockopts.given, 0);
}

static void of_two_of_a_name_the_later_counts(void **state)
{
	char text[64];

	(void)state;
	assert_true(parse("congestion=cubic"));
	assert_true(parse("congestion=reno"));
	assert_true(parse("mark=5"));
	assert_true(parse("mark=4294967295"));
	assert_string_equal(sockopts_format(&sockopts, SOCKOPT_CONGESTION, text),
			    "congestion=reno");
	assert_string_equal(sockopts_format(&sockopts, SOCKOPT_MARK, text), "mark=4294967295");
}

static int get(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void sets_what_is_to_be_set_then(void **state)
{
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_true(parse("nodelay=1") && parse("keepalive=1") && parse("defer-accept=1"));
	assert_int_equal(sockopts_apply(fd, &sockopts, SOCKOPTS_BEFORE_CONNECT, NULL), 0);
	assert_int_equal(get(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(get(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
	assert_int_equal(sockopts_apply(fd, &sockopts, SOCKOPTS_CONNECTED, NULL), 0);
	assert_int_equal(get(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(get(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
	assert_int_equal(sockopts_apply(fd, &sockopts, SOCKOPTS_LISTENER, NULL), 0);
	assert_int_equal(get(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 1);
	close(fd);
}

static void one_tos_is_of_both_families_and_gives_no_priority(void **state)
{
	const int v4 = socket(AF_INET, SOCK_STREAM, 0), v6 = socket(AF_INET6, SOCK_STREAM, 0);

	(void)state;
	assert_true(parse("tos=72"));
	assert_int_equal(sockopts_apply(v4, &sockopts, SOCKOPTS_BEFORE_CONNECT, NULL), 0);
	assert_int_equal(get(v4, IPPROTO_IP, IP_TOS), 72);
	assert_int_equal(get(v4, SOL_SOCKET, SO_PRIORITY), 0);
	assert_int_equal(sockopts_apply(v6, &sockopts, SOCKOPTS_BEFORE_CONNECT, NULL), 0);
	assert_int_equal(get(v6, IPPROTO_IPV6, IPV6_TCLASS), 72);
	assert_int_equal(get(v6, IPPROTO_IP, IP_TOS), 72);
	close(v4);
	close(v6);
}

static void tells_what_the_kernel_refuses(void **state)
{
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	enum sockopt failed = SOCKOPT_COUNT;

	(void)state;
	assert_int_equal(sockopts_apply(fd, NULL, SOCKOPTS_LISTENER, &failed), 0);
	assert_true(parse("congestion=no-such-thing") && parse("nodelay=1"));
	assert_int_equal(sockopts_apply(fd, &sockopts, SOCKOPTS_LISTENER, &failed), -ENOENT);
	assert_int_equal(failed, SOCKOPT_CONGESTION);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup(name, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_each_name_at_both_ends_of_its_range),
		TEST(says_which_names_there_are),
		TEST(says_what_a_value_may_be),
		TEST(of_two_of_a_name_the_later_counts),
		TEST(sets_what_is_to_be_set_then),
		TEST(one_tos_is_of_both_families_and_gives_no_priority),
		TEST(tells_what_the_kernel_refuses),
	};

	return cmocka_run_group_tests_name("sockopts", tests, NULL, NULL);
}
