/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * mnl_cb_run() would give up where a table changes while it is listed. Whoever asks here either hears of the change as
 * well or asks again, so messages are walked through one by one.
 */
#include "netlink.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#define RECEIVE_SIZE 32768

int netlink_open(int protocol, uint32_t groups, int flags)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, protocol);
	int err;

	if (fd < 0)
		return -errno;
	/* What only asks is bound by its first request. */
	if (groups && bind(fd, (const struct sockaddr *)&address, sizeof(address))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

void *netlink_request_init(union netlink_request *request, uint16_t type, uint16_t flags,
			   size_t body_size)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(request);
	const bool is_dump = (flags & NLM_F_DUMP) == NLM_F_DUMP;

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags | (is_dump ? 0 : NLM_F_ACK);
	return mnl_nlmsg_put_extra_header(header, body_size);
}

/* One datagram: 1 at the end of the answer, 0 if more may follow, or -errno. */
static int read_datagram(int fd, int flags, netlink_fn fn, void *context)
{
	char buffer[RECEIVE_SIZE] __attribute__((aligned(8)));
	const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
	int left = (int)recv(fd, buffer, sizeof(buffer), flags);

	if (left < 0)
		return -errno;
	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (message->nlmsg_type == NLMSG_DONE)
			return 1;
		if (message->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(message))->error
				       ?: 1;
		if (fn)
			fn(context, message);
	}
	return 0;
}

int netlink_ask(int fd, const union netlink_request *request, netlink_fn fn, void *context)
{
	int result = send(fd, request, request->header.nlmsg_len, 0) < 0 ? -errno : 0;

	while (!result)
		result = read_datagram(fd, 0, fn, context);
	return result < 0 ? result : 0;
}

int netlink_ask_once(int protocol, const union netlink_request *request, netlink_fn fn,
		     void *context)
{
	int fd = netlink_open(protocol, 0, 0);
	int err;

	if (fd < 0)
		return fd;
	err = netlink_ask(fd, request, fn, context);
	close(fd);
	return err;
}

int netlink_read(int fd, netlink_fn fn, void *context)
{
	int result, lost = 0;

	do {
		result = read_datagram(fd, MSG_DONTWAIT, fn, context);
		if (result == -ENOBUFS)
			lost = result;
	} while (result >= 0 || result == -ENOBUFS);
	return result == -EAGAIN ? lost : result;
}

const void *netlink_find(const struct nlmsghdr *message, size_t body_size, uint16_t type,
			 size_t len)
{
	const struct nlattr *attribute;

	if (mnl_nlmsg_get_payload_len(message) < body_size)
		return NULL;
	mnl_attr_for_each(attribute, message,
			  body_size) if (mnl_attr_get_type(attribute) ==
					 type) return mnl_attr_get_payload_len(attribute) >= len
		? mnl_attr_get_payload(attribute)
		: NULL;
	return NULL;
}
