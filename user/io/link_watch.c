/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rtnetlink: one subscribed socket, and short-lived ones for questions. */
#include "link_watch.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#include "netlink.h"
#include "vlan_id.h"

struct link_watch {
	int fd;
	uint32_t ifindex;
	bool is_of_host;
	link_fn fn;
	void *context;
	bool has_removed; /* an address, since the last list */
};

static bool is_known_type(uint16_t type)
{
	return type == ARPHRD_ETHER || type == ARPHRD_LOOPBACK || type == ARPHRD_NONE ||
	       type == ARPHRD_RAWIP || type == ARPHRD_PPP || type == ARPHRD_TUNNEL ||
	       type == ARPHRD_TUNNEL6 || type == ARPHRD_SIT || type == ARPHRD_IPGRE;
}

static void read_link(const struct nlmsghdr *message, struct link_info *out)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	const void *mtu = netlink_find(message, sizeof(*link), IFLA_MTU, sizeof(out->mtu));

	out->ifindex = link->ifi_index;
	out->is_up = link->ifi_flags & IFF_UP;
	out->is_loopback = link->ifi_type == ARPHRD_LOOPBACK;
	out->has_link_header = out->is_loopback || link->ifi_type == ARPHRD_ETHER;
	if (mtu)
		memcpy(&out->mtu, mtu, sizeof(out->mtu));
}

struct found_link {
	struct link_info info;
	uint16_t type;
};

static void take_link(void *context, const struct nlmsghdr *message)
{
	struct found_link *found = context;

	if (message->nlmsg_type != RTM_NEWLINK)
		return;
	found->type = ((const struct ifinfomsg *)mnl_nlmsg_get_payload(message))->ifi_type;
	read_link(message, &found->info);
	found->info.vlan_id = vlan_id_of(message);
}

int link_find(const char *ifname, struct link_info *out)
{
	union netlink_request request;
	struct found_link found = {0};
	int err;

	if (strlen(ifname) >= IFNAMSIZ)
		return -ENODEV;
	netlink_request_init(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(&request.header, IFLA_IFNAME, ifname);
	err = netlink_ask_once(NETLINK_ROUTE, &request, take_link, &found);
	if (err || !found.info.ifindex)
		return err ?: -ENODEV;
	if (!is_known_type(found.type))
		return -EPFNOSUPPORT;
	*out = found.info;
	return 0;
}

static bool is_wanted(const struct link_watch *watch, const struct ifaddrmsg *address)
{
	return address->ifa_index == watch->ifindex ||
	       (watch->is_of_host && address->ifa_scope < RT_SCOPE_LINK);
}

static void report_addr(struct link_watch *watch, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *body = mnl_nlmsg_get_payload(message);
	const bool is_v6 = body->ifa_family == AF_INET6;
	const size_t len = is_v6 ? 16 : 4;
	/* On a point-to-point link IFA_ADDRESS is the other end's. */
	const void *bytes = netlink_find(message, sizeof(*body), IFA_LOCAL, len);
	struct addr addr;

	if (!bytes && is_v6)
		bytes = netlink_find(message, sizeof(*body), IFA_ADDRESS, len);
	if (!is_wanted(watch, body) || !bytes)
		return;
	addr = is_v6 ? addr_from_v6(bytes) : addr_from_v4(bytes);
	watch->has_removed |= message->nlmsg_type == RTM_DELADDR;
	watch->fn(watch->context,
		  message->nlmsg_type == RTM_NEWADDR ? LINK_ADDR_ADDED : LINK_ADDR_REMOVED, NULL,
		  &addr);
}

static void report_link(struct link_watch *watch, const struct nlmsghdr *message)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	struct link_info info = {0};

	/* AF_BRIDGE speaks of bridge ports, also when one leaves its bridge. */
	if ((uint32_t)link->ifi_index != watch->ifindex || link->ifi_family != AF_UNSPEC)
		return;
	read_link(message, &info);
	watch->fn(watch->context, message->nlmsg_type == RTM_DELLINK ? LINK_GONE : LINK_CHANGED,
		  &info, NULL);
}

static void report_message(void *context, const struct nlmsghdr *message)
{
	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		report_link(context, message);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		report_addr(context, message);
		break;
	}
}

static int list_addrs(struct link_watch *watch)
{
	union netlink_request request;

	netlink_request_init(&request, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	return netlink_ask_once(NETLINK_ROUTE, &request, report_message, watch);
}

int link_watch_new(struct link_watch **out, uint32_t ifindex, bool is_of_host, link_fn fn,
		   void *context)
{
	struct link_watch *watch = calloc(1, sizeof(*watch));
	int err;

	if (!watch)
		return -ENOMEM;
	watch->ifindex = ifindex;
	watch->is_of_host = is_of_host;
	watch->fn = fn;
	watch->context = context;
	watch->fd =
		netlink_open(NETLINK_ROUTE, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
			     SOCK_NONBLOCK);
	err = watch->fd < 0 ? watch->fd : list_addrs(watch);
	if (err) {
		link_watch_free(watch);
		return err;
	}
	*out = watch;
	return 0;
}

void link_watch_free(struct link_watch *watch)
{
	if (!watch)
		return;
	if (watch->fd >= 0)
		close(watch->fd);
	free(watch);
}

int link_watch_fd(const struct link_watch *watch)
{
	return watch->fd;
}

int link_watch_read(struct link_watch *watch)
{
	int err = netlink_read(watch->fd, report_message, watch);

	/* Changes were lost, or what was removed is there a second time, with another prefix length: read them anew. */
	if (err == -ENOBUFS || watch->has_removed) {
		watch->has_removed = false;
		return list_addrs(watch);
	}
	return err;
}

static void take_route_type(void *context, const struct nlmsghdr *message)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type == RTM_NEWROUTE)
		*(bool *)context = route->rtm_type == RTN_LOCAL;
}

int link_is_local(const struct addr *addr, bool *out)
{
	const bool is_v4 = addr_is_v4(addr);
	const size_t size = is_v4 ? 4 : 16;
	union netlink_request request;
	struct rtmsg *route = netlink_request_init(&request, RTM_GETROUTE, 0, sizeof(struct rtmsg));
	int err;

	route->rtm_family = is_v4 ? AF_INET : AF_INET6;
	route->rtm_dst_len = (uint8_t)(size * 8);
	mnl_attr_put(&request.header, RTA_DST, size, addr->bytes + 16 - size);
	*out = false;
	err = netlink_ask_once(NETLINK_ROUTE, &request, take_route_type, out);
	/* No route at all is an answer too. */
	return err == -ENETUNREACH || err == -EHOSTUNREACH ? 0 : err;
}
