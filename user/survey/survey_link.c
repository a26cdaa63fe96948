/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The interface itself: what it belongs to, what is on top of it, whether it is up, what native XDP may not like. */
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "netlink.h"
#include "survey.h"

#define KIND_SIZE 16
#define WAY_SIZE 96
#define NATIVE_MTU \
	3498 /* a page less headroom, skb_shared_info and link header: what the strictest drivers take */

struct link {
	uint32_t ifindex, below, master;
	char name[IF_NAMESIZE], kind[KIND_SIZE];
	bool is_elsewhere; /* what is below is in another network namespace */
	bool has_carrier;
};

struct links {
	struct survey *survey;
	const struct survey_target *target;
	struct link own;
	char master_name[IF_NAMESIZE], master_kind[KIND_SIZE];
};

static void read_kind(const struct nlattr *info, struct link *out)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, info) if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		snprintf(out->kind, sizeof(out->kind), "%s", mnl_attr_get_str(attr));
}

static void read_link(const struct nlmsghdr *message, struct link *out)
{
	const struct ifinfomsg *body = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;

	*out = (struct link){.ifindex = (uint32_t)body->ifi_index,
			     .has_carrier = body->ifi_flags & IFF_RUNNING};
	mnl_attr_for_each(attr, message, sizeof(*body))
	{
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			snprintf(out->name, sizeof(out->name), "%s", mnl_attr_get_str(attr));
			break;
		case IFLA_LINK:
			out->below = mnl_attr_get_u32(attr);
			break;
		case IFLA_MASTER:
			out->master = mnl_attr_get_u32(attr);
			break;
		case IFLA_LINK_NETNSID:
			out->is_elsewhere = true;
			break;
		case IFLA_LINKINFO:
			read_kind(attr, out);
			break;
		}
	}
}

static void take_own(void *context, const struct nlmsghdr *message)
{
	struct links *links = context;
	struct link link;

	read_link(message, &link);
	if (link.ifindex == links->target->link->ifindex)
		links->own = link;
}

static void tell_vlan(const struct links *links, const struct link *link)
{
	char way[WAY_SIZE];

	snprintf(way, sizeof(way), "--vlan, or a loader on %s", link->name);
	survey_add(links->survey, SURVEY_NOTE, "vlan", way,
		   "%s is a VLAN device on top of %s: its connections are not answered", link->name,
		   links->target->ifname);
}

/* Devices that look at the packets of what they are on before its own stack does. */
static void tell_macvlan(const struct links *links, const struct link *link)
{
	survey_add(
		links->survey, SURVEY_NOTE, "link", "",
		"%s (%s) is on top of %s: XDP sees its packets too, and leaves those alone whose "
		"addresses are not answered",
		link->name, link->kind, links->target->ifname);
}

static void take_other(void *context, const struct nlmsghdr *message)
{
	struct links *links = context;
	struct link link;

	read_link(message, &link);
	if (links->own.master && link.ifindex == links->own.master) {
		memcpy(links->master_name, link.name, sizeof(links->master_name));
		memcpy(links->master_kind, link.kind, sizeof(links->master_kind));
	}
	if (link.below != links->target->link->ifindex || link.is_elsewhere)
		return;
	if (!strcmp(link.kind, "vlan"))
		tell_vlan(links, &link);
	else if (strncmp(link.kind, "veth", 4))
		tell_macvlan(links, &link);
}

/* In a VRF packets still arrive on the device itself. */
static void tell_master(const struct links *links)
{
	const char *name = links->master_name, *kind = links->master_kind;
	char way[WAY_SIZE];

	if (!*name)
		return;
	if (!strcmp(kind, "vrf")) {
		survey_add(links->survey, SURVEY_MAY, "link", "",
			   "%s belongs to the VRF %s: sockets of the connections are not bound to "
			   "it, and their routes are those of the main table",
			   links->target->ifname, name);
		return;
	}
	snprintf(way, sizeof(way), "run it on %s", name);
	survey_add(links->survey, SURVEY_BLOCKS, "link", way,
		   "%s is a port of %s (%s): what arrives belongs to %s, which has the addresses",
		   links->target->ifname, name, *kind ? kind : "another device", name);
}

static void look_at_native(struct survey *survey, const struct survey_target *target)
{
	char way[WAY_SIZE];

	if (!target->is_native || target->link->mtu <= NATIVE_MTU)
		return;
	snprintf(way, sizeof(way), "--xdp=generic, or: ip link set %s mtu 1500", target->ifname);
	survey_add(survey, SURVEY_MAY, "mtu", way,
		   "the MTU is %u: many drivers have no native XDP for what does not fit "
		   "into a page, and refuse it",
		   target->link->mtu);
}

void survey_link(struct survey *survey, const struct survey_target *target)
{
	struct links links = {.survey = survey, .target = target};
	union netlink_request request;
	char way[WAY_SIZE];

	netlink_request_init(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	if (netlink_ask_once(NETLINK_ROUTE, &request, take_own, &links) ||
	    netlink_ask_once(NETLINK_ROUTE, &request, take_other, &links))
		survey_add(survey, SURVEY_NOTE, "link", "",
			   "the other interfaces could not be looked at");
	tell_master(&links);
	snprintf(way, sizeof(way), "ip link set dev %s up", target->ifname);
	if (!target->link->is_up)
		survey_add(survey, SURVEY_BLOCKS, "link", way,
			   "%s is down: nothing arrives until it is up", target->ifname);
	else if (links.own.ifindex && !links.own.has_carrier)
		survey_add(survey, SURVEY_BLOCKS, "link", "",
			   "%s has no carrier: nothing arrives until there is one", target->ifname);
	if (!target->prefix_count)
		survey_add(survey, SURVEY_BLOCKS, "address", "give it an address, or use --address",
			   "%s has no address: nothing is answered until it has one",
			   target->ifname);
	look_at_native(survey, target);
}
