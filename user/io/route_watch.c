/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rtnetlink: a subscribed socket says when to look, and the whole list is read anew. */
#include "route_watch.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#include "netlink.h"

/* The kernel's flushes of routes tell of the link or the address alone. */
#define GROUPS                                                                                     \
	(RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE | 1 << (RTNLGRP_IPV6_RULE - 1) | \
	 RTMGRP_LINK | RTMGRP_IPV4_IFADDR)

struct route_watch {
	int fd;
	uint32_t ifindex;
	bool is_stale;
	bool has_metrics; /* some route of the last list */
};

/* What a message says, beside the route itself. */
struct found {
	struct host_route route;
	uint32_t ifindex;
};

static bool find_rank(uint32_t table, uint8_t *out)
{
	switch (table) {
	case RT_TABLE_LOCAL:
		*out = 0;
		return true;
	case RT_TABLE_MAIN:
		*out = 1;
		return true;
	case RT_TABLE_DEFAULT:
		*out = 2;
		return true;
	}
	return false;
}

static void read_metric(const struct nlattr *attribute, struct route_metrics *out)
{
	const uint32_t value =
		mnl_attr_get_payload_len(attribute) >= 4 ? mnl_attr_get_u32(attribute) : 0;

	switch (mnl_attr_get_type(attribute)) {
	case RTAX_MTU:
		out->mtu = value;
		break;
	case RTAX_ADVMSS:
		out->advmss = value;
		break;
	case RTAX_WINDOW:
		out->window = value;
		break;
	case RTAX_INITRWND:
		out->initrwnd = value;
		break;
	case RTAX_FEATURES:
		out->has_ecn = value & RTAX_FEATURE_ECN;
		break;
	}
}

static void read_attribute(const struct nlattr *attribute, bool is_v4, struct found *out)
{
	const void *payload = mnl_attr_get_payload(attribute);
	const size_t len = mnl_attr_get_payload_len(attribute);
	const struct nlattr *nested;

	switch (mnl_attr_get_type(attribute)) {
	case RTA_DST:
		if (len == (is_v4 ? 4 : 16))
			out->route.prefix.addr =
				is_v4 ? addr_from_v4(payload) : addr_from_v6(payload);
		break;
	case RTA_PRIORITY:
		out->route.priority = mnl_attr_get_u32(attribute);
		break;
	case RTA_OIF:
		out->ifindex = mnl_attr_get_u32(attribute);
		break;
	case RTA_METRICS:
		mnl_attr_for_each_nested(nested, attribute)
			read_metric(nested, &out->route.metrics);
		break;
	}
}

/* Of two links the same addresses: a listener's answer leaves by that on which the SYN came. */
static bool is_elsewhere(const struct route_watch *watch, const struct found *found)
{
	const struct addr *addr = &found->route.prefix.addr;

	if (addr_is_v4(addr) || found->ifindex == watch->ifindex)
		return false;
	return addr_is_link_local(addr) || addr_is_multicast(addr);
}

/* False: no route that a SYN-ACK might take. What has been learnt about a path is no route (RTM_F_CLONED). */
static bool read_route(const struct route_watch *watch, const struct nlmsghdr *message,
		       struct found *out)
{
	static const uint8_t zero[4];
	const struct rtmsg *body = mnl_nlmsg_get_payload(message);
	const bool is_v4 = body->rtm_family == AF_INET;
	const struct nlattr *attribute;

	*out = (struct found){0};
	if (!is_v4 && body->rtm_family != AF_INET6)
		return false;
	if (!find_rank(body->rtm_table, &out->route.rank) || body->rtm_flags & RTM_F_CLONED ||
	    body->rtm_tos || body->rtm_src_len || body->rtm_type == RTN_THROW)
		return false;
	if (is_v4)
		out->route.prefix.addr = addr_from_v4(zero);
	out->route.prefix.bits = (uint8_t)(body->rtm_dst_len + (is_v4 ? 96 : 0));
	mnl_attr_for_each(attribute, message, sizeof(*body)) read_attribute(attribute, is_v4, out);
	/* ::ffff:0:0/96 as a destination of IPv6 is none that anybody reaches. */
	if (!is_v4 && addr_is_v4(&out->route.prefix.addr))
		return false;
	return !is_elsewhere(watch, out);
}

static bool has_metrics(const struct route_metrics *metrics)
{
	return metrics->mtu || metrics->advmss || metrics->window || metrics->initrwnd ||
	       metrics->has_ecn;
}

static void hear(void *context, const struct nlmsghdr *message)
{
	struct route_watch *watch = context;
	struct found found;

	switch (message->nlmsg_type) {
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		if (read_route(watch, message, &found))
			watch->is_stale |= watch->has_metrics || has_metrics(&found.route.metrics);
		break;
	case RTM_NEWRULE:
	case RTM_DELRULE:
		watch->is_stale = true;
		break;
	default:
		watch->is_stale |= watch->has_metrics;
	}
}

int route_watch_new(struct route_watch **out, uint32_t ifindex)
{
	struct route_watch *watch = calloc(1, sizeof(*watch));
	int err;

	if (!watch)
		return -ENOMEM;
	watch->ifindex = ifindex;
	watch->is_stale = true;
	watch->fd = netlink_open(NETLINK_ROUTE, GROUPS, SOCK_NONBLOCK);
	err = watch->fd < 0 ? watch->fd : 0;
	if (err)
		route_watch_free(watch);
	else
		*out = watch;
	return err;
}

void route_watch_free(struct route_watch *watch)
{
	if (!watch)
		return;
	if (watch->fd >= 0)
		close(watch->fd);
	free(watch);
}

bool route_watch_is_stale(struct route_watch *watch)
{
	if (netlink_read(watch->fd, hear, watch))
		watch->is_stale = true; /* some were lost */
	return watch->is_stale;
}

struct listing {
	struct route_watch *watch;
	struct route_list *list;
	size_t room;
	int err;
};

static int make_room(struct listing *listing)
{
	struct route_list *list = listing->list;
	const size_t room = listing->room ? 2 * listing->room : 64;
	struct host_route *grown;

	if (list->count < listing->room)
		return 0;
	grown = reallocarray(list->all, room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->all = grown;
	listing->room = room;
	return 0;
}

static void list_route(void *context, const struct nlmsghdr *message)
{
	struct listing *listing = context;
	struct found found;

	if (message->nlmsg_type != RTM_NEWROUTE || listing->err ||
	    !read_route(listing->watch, message, &found))
		return;
	listing->err = make_room(listing);
	if (listing->err)
		return;
	listing->list->all[listing->list->count++] = found.route;
	listing->watch->has_metrics |= has_metrics(&found.route.metrics);
}

/* For some packets only. */
static bool has_condition(const struct nlmsghdr *message)
{
	const struct nlattr *attribute;

	mnl_attr_for_each(attribute, message, sizeof(struct fib_rule_hdr))
	{
		switch (mnl_attr_get_type(attribute)) {
		case FRA_TABLE:
		case FRA_PRIORITY:
		case FRA_PROTOCOL:
			break;
		case FRA_SUPPRESS_PREFIXLEN:
			if (mnl_attr_get_u32(attribute) == UINT32_MAX)
				break;
			return true;
		default:
			return true;
		}
	}
	return false;
}

/* Those that every host has say: look into local, main, default. */
static void list_rule(void *context, const struct nlmsghdr *message)
{
	const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(message);
	struct listing *listing = context;
	uint8_t rank;

	if (message->nlmsg_type != RTM_NEWRULE)
		return;
	listing->list->has_rules |= rule->action != FR_ACT_TO_TBL ||
				    !find_rank(rule->table, &rank) || rule->dst_len ||
				    rule->src_len || rule->tos || has_condition(message);
}

static int dump(struct listing *listing, uint16_t type, uint8_t family)
{
	union netlink_request request;
	/* Both kinds of body begin with the family, and have the same size. */
	struct rtmsg *body = netlink_request_init(&request, type, NLM_F_DUMP, sizeof(struct rtmsg));
	int err;

	_Static_assert(sizeof(struct rtmsg) == sizeof(struct fib_rule_hdr), "one body for both");
	body->rtm_family = family;
	err = netlink_ask_once(NETLINK_ROUTE, &request,
			       type == RTM_GETRULE ? list_rule : list_route, listing);
	/* A kernel without that family, or without rules. */
	return err == -EOPNOTSUPP || err == -EAFNOSUPPORT ? 0 : err;
}

static int dump_all(struct listing *listing)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	int err = 0;

	for (size_t i = 0; i < 2 && !err; i++) {
		err = dump(listing, RTM_GETRULE, families[i]);
		if (!err)
			err = dump(listing, RTM_GETROUTE, families[i]);
	}
	return err ?: listing->err;
}

/* Without other rules than its own the kernel has IPv4's local and main in one trie: the longest prefix of both counts. */
static void join_local_and_main(struct route_list *list)
{
	for (size_t i = 0; i < list->count && !list->has_rules; i++) {
		struct host_route *route = &list->all[i];

		if (route->rank == 1 && route->prefix.bits >= 96 && addr_is_v4(&route->prefix.addr))
			route->rank = 0;
	}
}

int route_watch_list(struct route_watch *watch, struct route_list *out)
{
	struct listing listing = {.watch = watch, .list = out};
	int err;

	*out = (struct route_list){0};
	/* Changes of from now on are heard of. */
	netlink_read(watch->fd, NULL, NULL);
	watch->is_stale = false;
	watch->has_metrics = false;
	err = dump_all(&listing);
	if (err || !watch->has_metrics) {
		free(out->all);
		out->all = NULL;
		out->count = 0;
	}
	join_local_and_main(out);
	watch->is_stale |= err;
	return err;
}
