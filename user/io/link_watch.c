/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rtnetlink: one subscribed socket, and short-lived ones for questions. */
#include "link_watch.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_SIZE 32768

struct link_watch {
	int fd;
	uint32_t ifindex;
	link_fn fn;
	void *context;
	bool has_removed; /* an address, since the last list */
};

struct request {
	struct nlmsghdr header;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
		struct rtmsg route;
	};
	char attributes[64];
};

typedef void (*message_fn)(void *context, const struct nlmsghdr *header);

static int open_netlink(uint32_t groups, int flags)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE);
	int err;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* One datagram: 1 at the end of the answer, 0 if more may follow, or -errno. */
static int read_messages(int fd, int flags, message_fn fn, void *context)
{
	char buffer[RECEIVE_SIZE] __attribute__((aligned(8)));
	const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
	ssize_t len = recv(fd, buffer, sizeof(buffer), flags);

	if (len < 0)
		return -errno;
	for (; NLMSG_OK(header, (size_t)len); header = NLMSG_NEXT(header, len)) {
		if (header->nlmsg_type == NLMSG_DONE)
			return 1;
		if (header->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(header))->error ?: 1;
		fn(context, header);
		if (!(header->nlmsg_flags & NLM_F_MULTI) && !(flags & MSG_DONTWAIT))
			return 1;
	}
	return 0;
}

static int ask(struct request *request, size_t body_len, message_fn fn, void *context)
{
	int fd = open_netlink(0, 0);
	int err;

	if (fd < 0)
		return fd;
	request->header.nlmsg_len = NLMSG_LENGTH(body_len);
	request->header.nlmsg_flags |= NLM_F_REQUEST;
	err = send(fd, request, request->header.nlmsg_len, 0) < 0 ? -errno : 0;
	while (!err)
		err = read_messages(fd, 0, fn, context);
	close(fd);
	return err < 0 ? err : 0;
}

/* The attribute of that type, or NULL; *len gets its payload's length. */
static const void *find_attribute(const struct nlmsghdr *header, size_t body_len, uint16_t type,
				  size_t *len)
{
	const struct rtattr *attribute =
		(const void *)((const char *)NLMSG_DATA(header) + NLMSG_ALIGN(body_len));
	int left = (int)header->nlmsg_len - (int)NLMSG_SPACE(body_len);

	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		if (attribute->rta_type == type) {
			*len = RTA_PAYLOAD(attribute);
			return RTA_DATA(attribute);
		}
	}
	return NULL;
}

static bool is_known_type(uint16_t type)
{
	return type == ARPHRD_ETHER || type == ARPHRD_LOOPBACK || type == ARPHRD_NONE ||
	       type == ARPHRD_RAWIP || type == ARPHRD_PPP || type == ARPHRD_TUNNEL ||
	       type == ARPHRD_TUNNEL6 || type == ARPHRD_SIT || type == ARPHRD_IPGRE;
}

static void read_link(const struct nlmsghdr *header, struct link_info *out)
{
	const struct ifinfomsg *link = NLMSG_DATA(header);
	size_t len = 0;
	const void *mtu = find_attribute(header, sizeof(*link), IFLA_MTU, &len);

	out->ifindex = link->ifi_index;
	out->is_up = link->ifi_flags & IFF_UP;
	out->is_loopback = link->ifi_type == ARPHRD_LOOPBACK;
	out->has_link_header = out->is_loopback || link->ifi_type == ARPHRD_ETHER;
	if (mtu && len == sizeof(out->mtu))
		memcpy(&out->mtu, mtu, sizeof(out->mtu));
}

struct found_link {
	struct link_info info;
	uint16_t type;
};

static void take_link(void *context, const struct nlmsghdr *header)
{
	struct found_link *found = context;

	if (header->nlmsg_type != RTM_NEWLINK)
		return;
	found->type = ((const struct ifinfomsg *)NLMSG_DATA(header))->ifi_type;
	read_link(header, &found->info);
}

int link_find(const char *ifname, struct link_info *out)
{
	struct request request = {.header.nlmsg_type = RTM_GETLINK};
	const size_t name_size = strlen(ifname) + 1;
	struct rtattr *attribute =
		(struct rtattr *)((char *)&request + NLMSG_SPACE(sizeof(request.link)));
	struct found_link found = {0};
	int err;

	if (name_size > IFNAMSIZ)
		return -ENODEV;
	attribute->rta_type = IFLA_IFNAME;
	attribute->rta_len = RTA_LENGTH(name_size);
	memcpy(RTA_DATA(attribute), ifname, name_size);
	err = ask(&request, NLMSG_ALIGN(sizeof(request.link)) + RTA_SPACE(name_size), take_link,
		  &found);
	if (err || !found.info.ifindex)
		return err ?: -ENODEV;
	if (!is_known_type(found.type))
		return -EPFNOSUPPORT;
	*out = found.info;
	return 0;
}

static void report_addr(struct link_watch *watch, const struct nlmsghdr *header)
{
	const struct ifaddrmsg *message = NLMSG_DATA(header);
	const bool is_v6 = message->ifa_family == AF_INET6;
	/* On a point-to-point link IFA_ADDRESS is the other end's. */
	const uint16_t type = is_v6 ? IFA_ADDRESS : IFA_LOCAL;
	size_t len = 0;
	const void *bytes = find_attribute(header, sizeof(*message), type, &len);
	const void *local = find_attribute(header, sizeof(*message), IFA_LOCAL, &len);
	struct addr addr;

	bytes = local ?: bytes;
	if (message->ifa_index != watch->ifindex || !bytes)
		return;
	addr = is_v6 ? addr_from_v6(bytes) : addr_from_v4(bytes);
	watch->has_removed |= header->nlmsg_type == RTM_DELADDR;
	watch->fn(watch->context,
		  header->nlmsg_type == RTM_NEWADDR ? LINK_ADDR_ADDED : LINK_ADDR_REMOVED, NULL,
		  &addr);
}

static void report_link(struct link_watch *watch, const struct nlmsghdr *header)
{
	const struct ifinfomsg *link = NLMSG_DATA(header);
	struct link_info info = {0};

	/* AF_BRIDGE speaks of bridge ports, also when one leaves its bridge. */
	if ((uint32_t)link->ifi_index != watch->ifindex || link->ifi_family != AF_UNSPEC)
		return;
	read_link(header, &info);
	watch->fn(watch->context, header->nlmsg_type == RTM_DELLINK ? LINK_GONE : LINK_CHANGED,
		  &info, NULL);
}

static void report_message(void *context, const struct nlmsghdr *header)
{
	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		report_link(context, header);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		report_addr(context, header);
		break;
	}
}

static int list_addrs(struct link_watch *watch)
{
	struct request request = {
		.header = {.nlmsg_type = RTM_GETADDR, .nlmsg_flags = NLM_F_DUMP},
	};

	return ask(&request, sizeof(request.addr), report_message, watch);
}

int link_watch_new(struct link_watch **out, uint32_t ifindex, link_fn fn, void *context)
{
	struct link_watch *watch = calloc(1, sizeof(*watch));
	int err;

	if (!watch)
		return -ENOMEM;
	watch->ifindex = ifindex;
	watch->fn = fn;
	watch->context = context;
	watch->fd =
		open_netlink(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR, SOCK_NONBLOCK);
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
	int err;

	do {
		err = read_messages(watch->fd, MSG_DONTWAIT, report_message, watch);
	} while (err >= 0);
	/* Changes were lost, or what was removed is there a second time, with another prefix length: read them anew. */
	if (err == -ENOBUFS || watch->has_removed) {
		watch->has_removed = false;
		return list_addrs(watch);
	}
	return err == -EAGAIN ? 0 : err;
}

static void take_route_type(void *context, const struct nlmsghdr *header)
{
	const struct rtmsg *route = NLMSG_DATA(header);

	if (header->nlmsg_type == RTM_NEWROUTE)
		*(bool *)context = route->rtm_type == RTN_LOCAL;
}

int link_is_local(const struct addr *addr, bool *out)
{
	const bool is_v4 = addr_is_v4(addr);
	const size_t size = is_v4 ? 4 : 16;
	struct request request = {
		.header.nlmsg_type = RTM_GETROUTE,
		.route = {.rtm_family = is_v4 ? AF_INET : AF_INET6, .rtm_dst_len = size * 8},
	};
	struct rtattr *attribute =
		(struct rtattr *)((char *)&request + NLMSG_SPACE(sizeof(request.route)));
	int err;

	attribute->rta_type = RTA_DST;
	attribute->rta_len = RTA_LENGTH(size);
	memcpy(RTA_DATA(attribute), addr->bytes + 16 - size, size);
	*out = false;
	err = ask(&request, NLMSG_ALIGN(sizeof(request.route)) + RTA_SPACE(size), take_route_type,
		  out);
	/* No route at all is an answer too. */
	return err == -ENETUNREACH || err == -EHOSTUNREACH ? 0 : err;
}
