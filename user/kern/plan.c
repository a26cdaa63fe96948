/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "plan.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "kern_private.h"
#include "netlink.h"

struct on_top {
	uint32_t ifindex, master;
	bool has_xdp;
};

static uint32_t number_of(const struct nlmsghdr *message, uint16_t type)
{
	const void *found = netlink_find(message, sizeof(struct ifinfomsg), type, sizeof(uint32_t));
	uint32_t number = 0;

	if (found)
		memcpy(&number, found, sizeof(number));
	return number;
}

/* IFLA_XDP with a mode other than none in it. */
static bool has_xdp(const struct nlmsghdr *message)
{
	const struct nlattr *attr, *inner;

	mnl_attr_for_each(attr, message, sizeof(struct ifinfomsg))
	{
		if (mnl_attr_get_type(attr) != IFLA_XDP)
			continue;
		mnl_attr_for_each_nested(inner,
					 attr) if (mnl_attr_get_type(inner) == IFLA_XDP_ATTACHED &&
						   mnl_attr_get_u8(inner)) return true;
	}
	return false;
}

static void take_master(void *context, const struct nlmsghdr *message)
{
	struct on_top *on_top = context;
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);

	if ((uint32_t)link->ifi_index == on_top->ifindex)
		on_top->master = number_of(message, IFLA_MASTER);
}

/* The peer of a veth in the same namespace looks like what it is on, from both sides. */
static bool is_veth(const struct nlmsghdr *message)
{
	const struct nlattr *attr, *inner;

	mnl_attr_for_each(attr, message, sizeof(struct ifinfomsg))
	{
		if (mnl_attr_get_type(attr) != IFLA_LINKINFO)
			continue;
		mnl_attr_for_each_nested(
			inner, attr) if (mnl_attr_get_type(inner) == IFLA_INFO_KIND &&
					 !strcmp(mnl_attr_get_str(inner), "veth")) return true;
	}
	return false;
}

static void take_link(void *context, const struct nlmsghdr *message)
{
	struct on_top *on_top = context;
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(message);
	const bool is_on_top = number_of(message, IFLA_LINK) == on_top->ifindex &&
			       !netlink_find(message, sizeof(*link), IFLA_LINK_NETNSID, 4) &&
			       !is_veth(message);

	if ((is_on_top || (uint32_t)link->ifi_index == on_top->master) && has_xdp(message))
		on_top->has_xdp = true;
}

bool plan_has_xdp_on_top(uint32_t ifindex)
{
	struct on_top on_top = {.ifindex = ifindex};
	union netlink_request request;

	netlink_request_init(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	if (netlink_ask_once(NETLINK_ROUTE, &request, take_master, &on_top) ||
	    netlink_ask_once(NETLINK_ROUTE, &request, take_link, &on_top))
		return false;
	return on_top.has_xdp;
}

int kern_plan(const struct kern *kern, struct kern_plan *out)
{
	int err, tc_err;

	*out = (struct kern_plan){.xdp = "none", .why = "", .tc = "none"};
	pin_plan(kern, out);
	err = xdp_plan(kern, out);
	tc_err = err ? 0 : tc_plan(kern, out);
	return err ?: tc_err;
}
