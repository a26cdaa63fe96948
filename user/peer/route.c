/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Questions to rtnetlink. */
#include "route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>

#include "netlink.h"
#include "tcp_open.h"

struct route {
	uint32_t ifindex; /* 0: none is told */
	uint8_t type; /* RTN_UNICAST and so on */
	struct route_metrics metrics;
};

/* local: NULL if it may be any. via: 0 likewise. */
static void ask_for(union netlink_request *request, const struct addr *local,
		    const struct addr *remote, uint32_t via)
{
	const bool is_v4 = addr_is_v4(remote);
	const size_t len = is_v4 ? 4 : 16;
	const uint32_t scope = via || !local ? via : tcp_find_scope(local);
	struct rtmsg *body = netlink_request_init(request, RTM_GETROUTE, 0, sizeof(*body));

	body->rtm_family = is_v4 ? AF_INET : AF_INET6;
	body->rtm_dst_len = (uint8_t)(len * 8);
	body->rtm_src_len = local ? (uint8_t)(len * 8) : 0;
	mnl_attr_put(&request->header, RTA_DST, len, remote->bytes + 16 - len);
	if (local)
		mnl_attr_put(&request->header, RTA_SRC, len, local->bytes + 16 - len);
	if (scope)
		mnl_attr_put_u32(&request->header, RTA_OIF, scope);
}

static void take_metric(const struct nlattr *attribute, struct route_metrics *out)
{
	const uint32_t value = mnl_attr_get_payload_len(attribute) < sizeof(value)
				       ? 0
				       : mnl_attr_get_u32(attribute);

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
	}
}

static void take_metrics(const struct nlmsghdr *message, struct route_metrics *out)
{
	const struct nlattr *attribute, *nested;

	mnl_attr_for_each(attribute, message, sizeof(struct rtmsg))
	{
		if (mnl_attr_get_type(attribute) != RTA_METRICS)
			continue;
		mnl_attr_for_each_nested(nested, attribute) take_metric(nested, out);
	}
}

static void take_route(void *context, const struct nlmsghdr *message)
{
	const struct rtmsg *body = mnl_nlmsg_get_payload(message);
	struct route *route = context;
	const void *ifindex = netlink_find(message, sizeof(*body), RTA_OIF, sizeof(route->ifindex));

	if (message->nlmsg_type != RTM_NEWROUTE)
		return;
	route->type = body->rtm_type;
	if (ifindex)
		memcpy(&route->ifindex, ifindex, sizeof(route->ifindex));
	take_metrics(message, &route->metrics);
}

static int find(const struct addr *local, const struct addr *remote, uint32_t via,
		struct route *out)
{
	union netlink_request request;

	*out = (struct route){0};
	ask_for(&request, local, remote, via);
	return netlink_ask_once(NETLINK_ROUTE, &request, take_route, out);
}

int route_find_metrics(const struct addr *local, const struct addr *remote, uint32_t via,
		       uint32_t *ifindex, struct route_metrics *metrics)
{
	struct route route;
	int err = find(local, remote, via, &route);

	if (err || !route.ifindex)
		return err ?: -ENETUNREACH;
	*ifindex = route.ifindex;
	*metrics = route.metrics;
	return 0;
}

int route_find(const struct addr *local, const struct addr *remote, uint32_t *ifindex)
{
	struct route_metrics metrics;

	return route_find_metrics(local, remote, 0, ifindex, &metrics);
}

bool route_is_broadcast(const struct addr *addr)
{
	struct route route;

	return addr_is_v4(addr) && !find(NULL, addr, 0, &route) && route.type == RTN_BROADCAST;
}
