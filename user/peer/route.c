/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Questions to rtnetlink. */
#include "route.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcp_open.h"

#define ANSWER_SIZE 4096

struct question {
	struct nlmsghdr header;
	struct rtmsg route;
	char attributes[64];
};

static void add_attribute(struct question *question, uint16_t type, const void *data, size_t len)
{
	const size_t offset = NLMSG_ALIGN(question->header.nlmsg_len);
	struct rtattr *attribute = (struct rtattr *)((char *)question + offset);

	attribute->rta_type = type;
	attribute->rta_len = RTA_LENGTH(len);
	memcpy(RTA_DATA(attribute), data, len);
	question->header.nlmsg_len = offset + RTA_SPACE(len);
}

/* local: NULL if it may be any. */
static void ask_for(struct question *question, const struct addr *local, const struct addr *remote)
{
	const bool is_v4 = addr_is_v4(remote);
	const size_t len = is_v4 ? 4 : 16;
	const uint32_t scope = local ? tcp_find_scope(local) : 0;

	*question = (struct question){
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			   .nlmsg_type = RTM_GETROUTE,
			   .nlmsg_flags = NLM_F_REQUEST},
		.route = {.rtm_family = is_v4 ? AF_INET : AF_INET6,
			  .rtm_dst_len = len * 8,
			  .rtm_src_len = local ? len * 8 : 0},
	};
	add_attribute(question, RTA_DST, remote->bytes + 16 - len, len);
	if (local)
		add_attribute(question, RTA_SRC, local->bytes + 16 - len, len);
	if (scope)
		add_attribute(question, RTA_OIF, &scope, sizeof(scope));
}

static int read_route(const struct nlmsghdr *header, uint32_t *ifindex)
{
	const struct rtmsg *route = NLMSG_DATA(header);
	int len = (int)header->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*route));

	for (const struct rtattr *one = RTM_RTA(route); RTA_OK(one, len);
	     one = RTA_NEXT(one, len)) {
		if (one->rta_type != RTA_OIF)
			continue;
		memcpy(ifindex, RTA_DATA(one), sizeof(*ifindex));
		return 0;
	}
	return -ENETUNREACH;
}

/* The kernel's answer, in buffer. */
static int ask_kernel(const struct question *question, char buffer[ANSWER_SIZE])
{
	const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t len = -1;
	int err;

	if (fd < 0)
		return -errno;
	if (send(fd, question, question->header.nlmsg_len, 0) >= 0)
		len = recv(fd, buffer, ANSWER_SIZE, 0);
	err = len < 0 ? -errno : 0;
	close(fd);
	if (err)
		return err;
	if (!NLMSG_OK(header, (size_t)len))
		return -EBADMSG;
	if (header->nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)NLMSG_DATA(header))->error;
	return 0;
}

int route_find(const struct addr *local, const struct addr *remote, uint32_t *ifindex)
{
	char buffer[ANSWER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct question question;
	int err;

	ask_for(&question, local, remote);
	err = ask_kernel(&question, buffer);
	return err ?: read_route((const struct nlmsghdr *)buffer, ifindex);
}

bool route_is_broadcast(const struct addr *addr)
{
	char buffer[ANSWER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct rtmsg *route = NLMSG_DATA((struct nlmsghdr *)buffer);
	struct question question;

	if (!addr_is_v4(addr))
		return false;
	ask_for(&question, NULL, addr);
	return !ask_kernel(&question, buffer) && route->rtm_type == RTN_BROADCAST;
}
