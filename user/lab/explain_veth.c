/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* RTM_NEWLINK with the attributes that a veth needs; see rtnetlink(7). */
#include "explain_veth.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct message {
	struct nlmsghdr header;
	struct ifinfomsg link;
	uint8_t attributes[256];
};

static struct rtattr *tail(struct message *message)
{
	return (struct rtattr *)((uint8_t *)message + NLMSG_ALIGN(message->header.nlmsg_len));
}

/* The message is large enough for all that veth_make() puts into it. */
static struct rtattr *put(struct message *message, uint16_t type, const void *data, size_t len)
{
	struct rtattr *attribute = tail(message);

	attribute->rta_type = type;
	attribute->rta_len = (uint16_t)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(attribute), data, len);
	message->header.nlmsg_len =
		(uint32_t)(NLMSG_ALIGN(message->header.nlmsg_len) + RTA_SPACE(len));
	return attribute;
}

static void end_nest(struct message *message, struct rtattr *nest)
{
	nest->rta_len = (uint16_t)((uint8_t *)tail(message) - (uint8_t *)nest);
}

static void build(struct message *message, const char *ifname, int other_namespace)
{
	const struct ifinfomsg nothing = {0};
	struct rtattr *info, *data, *peer;

	memset(message, 0, sizeof(*message));
	message->header.nlmsg_len = NLMSG_LENGTH(sizeof(message->link));
	message->header.nlmsg_type = RTM_NEWLINK;
	message->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
	put(message, IFLA_IFNAME, ifname, strlen(ifname) + 1);
	info = put(message, IFLA_LINKINFO, NULL, 0);
	put(message, IFLA_INFO_KIND, "veth", 4);
	data = put(message, IFLA_INFO_DATA, NULL, 0);
	peer = put(message, VETH_INFO_PEER, &nothing, sizeof(nothing));
	put(message, IFLA_IFNAME, ifname, strlen(ifname) + 1);
	put(message, IFLA_NET_NS_FD, &other_namespace, sizeof(other_namespace));
	end_nest(message, peer);
	end_nest(message, data);
	end_nest(message, info);
}

static int read_answer(int fd)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		uint8_t rest[512]; /* the request, and what the kernel says about it */
	} answer;
	const ssize_t len = recv(fd, &answer, sizeof(answer), 0);

	if (len < 0)
		return -errno;
	if ((size_t)len < NLMSG_LENGTH(sizeof(answer.error)) ||
	    answer.header.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.error.error;
}

int veth_make(const char *ifname, int other_namespace)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), err = 0;
	struct message message;

	if (fd < 0)
		return -errno;
	build(&message, ifname, other_namespace);
	if (send(fd, &message, message.header.nlmsg_len, 0) < 0)
		err = -errno;
	if (!err)
		err = read_answer(fd);
	close(fd);
	return err;
}
