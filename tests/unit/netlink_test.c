/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Questions to the kernel: that an answer is whole, ends, and says what the kernel refused. */
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#include "cmocka_setup.h"
#include "netlink.h"
#include "own_netns.h"

struct seen {
	int count;
	uint32_t mtu;
	bool has_unknown, has_longer;
};

static void take_link(void *context, const struct nlmsghdr *message)
{
	const size_t size = sizeof(struct ifinfomsg);
	const uint32_t *mtu = netlink_find(message, size, IFLA_MTU, sizeof(*mtu));
	struct seen *seen = context;

	seen->count++;
	seen->mtu = mtu ? *mtu : 0;
	seen->has_unknown = netlink_find(message, size, IFLA_MAX + 100, 0);
	seen->has_longer = netlink_find(message, size, IFLA_MTU, sizeof(*mtu) + 1);
}

static void ask_for_link(union netlink_request *request, const char *ifname)
{
	netlink_request_init(request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(&request->header, IFLA_IFNAME, ifname);
}

static void finds_an_attribute_of_that_type_and_length_alone(void **state)
{
	union netlink_request request;
	struct seen seen = {0};

	(void)state;
	ask_for_link(&request, "lo");
	assert_int_equal(netlink_ask_once(NETLINK_ROUTE, &request, take_link, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.mtu, 65536);
	assert_false(seen.has_unknown);
	assert_false(seen.has_longer);
}

static void an_answer_leaves_nothing_for_the_next_one(void **state)
{
	int fd = netlink_open(NETLINK_ROUTE, 0, 0);
	union netlink_request request;

	(void)state;
	assert_true(fd >= 0);
	for (int i = 0; i < 3; i++) {
		struct seen seen = {0};

		ask_for_link(&request, "none0");
		assert_int_equal(netlink_ask(fd, &request, take_link, &seen), -ENODEV);
		assert_int_equal(seen.count, 0);
		ask_for_link(&request, "lo");
		assert_int_equal(netlink_ask(fd, &request, take_link, &seen), 0);
		assert_int_equal(seen.count, 1);
		netlink_request_init(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
		assert_int_equal(netlink_ask(fd, &request, NULL, NULL), 0);
	}
	close(fd);
}

static void reads_no_news_without_waiting(void **state)
{
	int fd = netlink_open(NETLINK_ROUTE, RTMGRP_LINK, SOCK_NONBLOCK);
	struct seen seen = {0};

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(netlink_read(fd, take_link, &seen), 0);
	assert_int_equal(seen.count, 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_an_attribute_of_that_type_and_length_alone),
		cmocka_unit_test(an_answer_leaves_nothing_for_the_next_one),
		cmocka_unit_test(reads_no_news_without_waiting),
	};

	if (!own_netns_enter())
		return own_netns_skip("netlink");
	return cmocka_run_group_tests_name("netlink", tests, NULL, NULL);
}
