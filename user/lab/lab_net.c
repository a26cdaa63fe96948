/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One request each, on a socket of its own; see rtnetlink(7). */
#include "lab_net.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#include "clock.h"
#include "netlink.h"

#define LOOPBACK 1 /* its index in every network namespace */
#define CREATE (NLM_F_CREATE | NLM_F_EXCL)

static int ask(const union netlink_request *request)
{
	return netlink_ask_once(NETLINK_ROUTE, request, NULL, NULL);
}

static void put_end(struct nlmsghdr *header, const struct lab_veth_end *end)
{
	mnl_attr_put_strz(header, IFLA_IFNAME, end->ifname);
	if (end->mac)
		mnl_attr_put(header, IFLA_ADDRESS, LAB_MAC_SIZE, end->mac);
	if (end->namespace != LAB_NET_HERE)
		mnl_attr_put_u32(header, IFLA_NET_NS_FD, (uint32_t)end->namespace);
}

int lab_net_add_veth(const struct lab_veth_end ends[2])
{
	union netlink_request request;
	struct nlmsghdr *header = &request.header;
	struct nlattr *info, *data, *peer;

	netlink_request_init(&request, RTM_NEWLINK, CREATE, sizeof(struct ifinfomsg));
	put_end(header, &ends[0]);
	info = mnl_attr_nest_start(header, IFLA_LINKINFO);
	mnl_attr_put_str(header, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(header, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	put_end(header, &ends[1]);
	mnl_attr_nest_end(header, peer);
	mnl_attr_nest_end(header, data);
	mnl_attr_nest_end(header, info);
	return ask(&request);
}

static void take_link(void *context, const struct nlmsghdr *message)
{
	const struct ifinfomsg *body = mnl_nlmsg_get_payload(message);
	const void *mac = netlink_find(message, sizeof(*body), IFLA_ADDRESS, LAB_MAC_SIZE);
	struct lab_link *link = context;

	if (message->nlmsg_type != RTM_NEWLINK)
		return;
	link->ifindex = (uint32_t)body->ifi_index;
	link->is_running = body->ifi_flags & IFF_RUNNING;
	if (mac)
		memcpy(link->mac, mac, LAB_MAC_SIZE);
}

int lab_net_find(const char *ifname, struct lab_link *out)
{
	union netlink_request request;

	*out = (struct lab_link){0};
	netlink_request_init(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(&request.header, IFLA_IFNAME, ifname);
	return netlink_ask_once(NETLINK_ROUTE, &request, take_link, out);
}

int lab_net_set_up(uint32_t ifindex)
{
	union netlink_request request;
	struct ifinfomsg *body = netlink_request_init(&request, RTM_NEWLINK, 0, sizeof(*body));

	body->ifi_index = (int)ifindex;
	body->ifi_flags = body->ifi_change = IFF_UP;
	return ask(&request);
}

/* Whatever the news is: the link is looked at again. */
static int await_news(int fd, uint64_t deadline_ns)
{
	const uint64_t now_ns = clock_monotonic_ns();
	struct pollfd news = {.fd = fd, .events = POLLIN};
	int count, err;

	if (now_ns >= deadline_ns)
		return -ETIMEDOUT;
	count = poll(&news, 1, (int)((deadline_ns - now_ns) / CLOCK_NS_PER_MS) + 1);
	if (count < 0)
		return -errno;
	err = netlink_read(fd, NULL, NULL);
	return err == -ENOBUFS ? 0 : err;
}

int lab_net_await_carrier(const char *ifname, uint32_t timeout_ms)
{
	const uint64_t deadline_ns = clock_monotonic_ns() + timeout_ms * CLOCK_NS_PER_MS;
	int fd = netlink_open(NETLINK_ROUTE, RTMGRP_LINK, SOCK_NONBLOCK);
	struct lab_link link;
	int err;

	if (fd < 0)
		return fd;
	err = lab_net_find(ifname, &link);
	while (!err && !link.is_running)
		err = await_news(fd, deadline_ns) ?: lab_net_find(ifname, &link);
	close(fd);
	return err;
}

static void put_addr(struct nlmsghdr *header, uint16_t type, const struct addr *addr)
{
	const size_t len = addr_is_v4(addr) ? 4 : 16;

	mnl_attr_put(header, type, len, addr->bytes + 16 - len);
}

static uint8_t family_of(const struct addr *addr)
{
	return addr_is_v4(addr) ? AF_INET : AF_INET6;
}

int lab_net_add_address(uint32_t ifindex, const struct addr *addr, uint8_t bits)
{
	union netlink_request request;
	struct ifaddrmsg *body = netlink_request_init(&request, RTM_NEWADDR, CREATE, sizeof(*body));

	body->ifa_family = family_of(addr);
	body->ifa_prefixlen = bits;
	body->ifa_index = ifindex;
	put_addr(&request.header, IFA_LOCAL, addr);
	put_addr(&request.header, IFA_ADDRESS, addr);
	return ask(&request);
}

static struct rtmsg *init_route(union netlink_request *request, const struct prefix *to)
{
	struct rtmsg *body = netlink_request_init(request, RTM_NEWROUTE, CREATE, sizeof(*body));

	body->rtm_family = family_of(&to->addr);
	body->rtm_dst_len = to->bits - (addr_is_v4(&to->addr) ? 96 : 0);
	body->rtm_protocol = RTPROT_BOOT;
	put_addr(&request->header, RTA_DST, &to->addr);
	return body;
}

int lab_net_add_route(const struct prefix *to, const struct addr *gateway)
{
	union netlink_request request;
	struct rtmsg *body = init_route(&request, to);

	body->rtm_type = RTN_UNICAST;
	body->rtm_table = RT_TABLE_MAIN;
	body->rtm_scope = RT_SCOPE_UNIVERSE;
	put_addr(&request.header, RTA_GATEWAY, gateway);
	return ask(&request);
}

int lab_net_add_local(const struct prefix *to)
{
	union netlink_request request;
	struct rtmsg *body = init_route(&request, to);

	body->rtm_type = RTN_LOCAL;
	body->rtm_table = RT_TABLE_LOCAL;
	body->rtm_scope = RT_SCOPE_HOST;
	mnl_attr_put_u32(&request.header, RTA_OIF, LOOPBACK);
	return ask(&request);
}

static struct ndmsg *init_neighbour(union netlink_request *request, uint16_t type, uint16_t flags,
				    uint32_t ifindex, const struct addr *addr)
{
	struct ndmsg *body = netlink_request_init(request, type, flags, sizeof(*body));

	body->ndm_family = family_of(addr);
	body->ndm_ifindex = (int)ifindex;
	put_addr(&request->header, NDA_DST, addr);
	return body;
}

int lab_net_set_neighbour(uint32_t ifindex, const struct addr *addr,
			  const uint8_t mac[LAB_MAC_SIZE])
{
	union netlink_request request;

	init_neighbour(&request, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, ifindex, addr)
		->ndm_state = NUD_PERMANENT;
	mnl_attr_put(&request.header, NDA_LLADDR, LAB_MAC_SIZE, mac);
	return ask(&request);
}

int lab_net_forget_neighbour(uint32_t ifindex, const struct addr *addr)
{
	union netlink_request request;
	int err;

	init_neighbour(&request, RTM_DELNEIGH, 0, ifindex, addr);
	err = ask(&request);
	return err == -ENOENT ? 0 : err;
}
