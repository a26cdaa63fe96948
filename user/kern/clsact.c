/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What else is on a clsact qdisc: libbpf can make and destroy one, but not look. */
#include <sys/socket.h>

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "kern_private.h"
#include "netlink.h"

static void take_filter(void *context, const struct nlmsghdr *message)
{
	*(bool *)context |= message->nlmsg_type == RTM_NEWTFILTER;
}

/* False also where the kernel does not say. */
static bool has_no_filter(uint32_t ifindex, uint32_t parent)
{
	union netlink_request request;
	struct tcmsg *body =
		netlink_request_init(&request, RTM_GETTFILTER, NLM_F_DUMP, sizeof(*body));
	bool has_filter = false;

	body->tcm_family = AF_UNSPEC;
	body->tcm_ifindex = (int)ifindex;
	body->tcm_parent = parent;
	return !netlink_ask_once(NETLINK_ROUTE, &request, take_filter, &has_filter) && !has_filter;
}

bool clsact_is_empty(uint32_t ifindex)
{
	return has_no_filter(ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)) &&
	       has_no_filter(ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
}
