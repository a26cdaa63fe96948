/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One dump of all links, in which each says what it is on top of. */
#include "vlan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "log.h"
#include "netlink.h"
#include "vlan_id.h"

struct search {
	uint32_t ifindex;
	uint16_t id;
	char *ifname;
};

static const struct nlattr *find_nested(const struct nlattr *nest, uint16_t type, size_t len)
{
	const struct nlattr *attr;

	if (!nest)
		return NULL;
	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) == type && mnl_attr_get_payload_len(attr) >= len)
			return attr;
	}
	return NULL;
}

/* info: IFLA_LINKINFO. */
static uint16_t read_id(const struct nlattr *info)
{
	const struct nlattr *kind = find_nested(info, IFLA_INFO_KIND, sizeof("vlan"));
	const struct nlattr *data = find_nested(info, IFLA_INFO_DATA, 0);
	const struct nlattr *vlan_id = find_nested(data, IFLA_VLAN_ID, sizeof(uint16_t));
	const struct nlattr *protocol = find_nested(data, IFLA_VLAN_PROTOCOL, sizeof(uint16_t));

	if (!kind || strcmp(mnl_attr_get_str(kind), "vlan") || !vlan_id || !protocol ||
	    mnl_attr_get_u16(protocol) != htons(ETH_P_8021Q))
		return 0;
	return mnl_attr_get_u16(vlan_id);
}

uint16_t vlan_id_of(const struct nlmsghdr *message)
{
	const struct nlattr *attr, *info = NULL;

	mnl_attr_for_each(attr, message, sizeof(struct ifinfomsg))
	{
		if (mnl_attr_get_type(attr) == IFLA_LINKINFO)
			info = attr;
	}
	return read_id(info);
}

static void take_link(void *context, const struct nlmsghdr *message)
{
	const struct search *search = context;
	const size_t body_size = sizeof(struct ifinfomsg);
	const char *name = netlink_find(message, body_size, IFLA_IFNAME, 2);
	const uint32_t *below =
		netlink_find(message, body_size, IFLA_LINK, sizeof(search->ifindex));

	if (message->nlmsg_type != RTM_NEWLINK || !name || !below || *below != search->ifindex)
		return;
	/* An index of another namespace. */
	if (netlink_find(message, body_size, IFLA_LINK_NETNSID, 0))
		return;
	if (vlan_id_of(message) == search->id)
		snprintf(search->ifname, IF_NAMESIZE, "%s", name);
}

int vlan_find(uint32_t ifindex, uint16_t id, char ifname[IF_NAMESIZE])
{
	union netlink_request request;
	struct search search = {.ifindex = ifindex, .id = id, .ifname = ifname};
	int err;

	ifname[0] = '\0';
	netlink_request_init(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	err = netlink_ask_once(NETLINK_ROUTE, &request, take_link, &search);
	return err ?: ifname[0] ? 0 : -ENODEV;
}

int vlan_find_named(const char *below, uint32_t ifindex, uint16_t id, char ifname[IF_NAMESIZE])
{
	int err = vlan_find(ifindex, id, ifname);

	if (err == -ENODEV)
		log_error("%s: has no device for VLAN %u: \"ip link add link %s name "
			  "%s.%u type vlan id %u\" makes one",
			  below, id, below, below, id, id);
	else if (err)
		log_error("%s: cannot look for the device of VLAN %u: %s", below, id,
			  strerror(-err));
	return err;
}
