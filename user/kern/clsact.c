/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What else is on a clsact qdisc: libbpf can make and destroy one, but not look. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "kern_private.h"

enum dump_state {
	DUMP_MORE,
	DUMP_EMPTY,
	DUMP_NOT_EMPTY, /* or failed */
};

static bool request_filters(int fd, uint32_t ifindex, uint32_t parent)
{
	struct {
		struct nlmsghdr header;
		struct tcmsg tc;
	} request = {
		.header.nlmsg_len = sizeof(request),
		.header.nlmsg_type = RTM_GETTFILTER,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.tc.tcm_family = AF_UNSPEC,
		.tc.tcm_ifindex = ifindex,
		.tc.tcm_parent = parent,
	};

	return send(fd, &request, sizeof(request), 0) == sizeof(request);
}

static enum dump_state read_part(int fd)
{
	char buffer[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t received = recv(fd, buffer, sizeof(buffer), 0);
	size_t len = received > 0 ? received : 0;

	if (!len)
		return DUMP_NOT_EMPTY;
	for (struct nlmsghdr *header = (void *)buffer; NLMSG_OK(header, len);
	     header = NLMSG_NEXT(header, len)) {
		if (header->nlmsg_type == NLMSG_DONE)
			return DUMP_EMPTY;
		if (header->nlmsg_type == NLMSG_ERROR || header->nlmsg_type == RTM_NEWTFILTER)
			return DUMP_NOT_EMPTY;
	}
	return DUMP_MORE;
}

static bool has_no_filter(uint32_t ifindex, uint32_t parent)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	enum dump_state state = DUMP_NOT_EMPTY;

	if (fd < 0)
		return false;
	if (request_filters(fd, ifindex, parent)) {
		do
			state = read_part(fd);
		while (state == DUMP_MORE);
	}
	close(fd);
	return state == DUMP_EMPTY;
}

bool clsact_is_empty(uint32_t ifindex)
{
	return has_no_filter(ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)) &&
	       has_no_filter(ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
}
