/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* NETLINK_SOCK_DIAG requests and their answers. */
#include "sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_SIZE 32768
#define WATCH_BUFFER \
	(4 << 20) /* bytes that may wait while we are busy: some ten thousand sockets */

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};

static struct addr addr_of(uint8_t family, const __be32 words[4])
{
	return family == AF_INET6 ? addr_from_v6(words) : addr_from_v4(words);
}

static void report_message(const struct nlmsghdr *header, sock_diag_fn fn, void *context)
{
	const struct inet_diag_msg *message = NLMSG_DATA(header);
	struct tuple tuple;

	if (header->nlmsg_len < NLMSG_LENGTH(sizeof(*message)))
		return;
	tuple.local.addr = addr_of(message->idiag_family, message->id.idiag_src);
	tuple.local.port = ntohs(message->id.idiag_sport);
	tuple.remote.addr = addr_of(message->idiag_family, message->id.idiag_dst);
	tuple.remote.port = ntohs(message->id.idiag_dport);
	fn(context, &tuple, message->idiag_state);
}

/* One datagram of messages: 1 at the end of the list, 0 if more may follow, or -errno. */
static int read_messages(int fd, int flags, sock_diag_fn fn, void *context, int *count)
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
		if (fn)
			report_message(header, fn, context);
		++*count;
	}
	return 0;
}

int sock_diag_watch(void)
{
	static const int groups[] = {SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY};
	const int size = WATCH_BUFFER;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	int err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		goto fail;
	for (unsigned int i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof(groups[i])))
			goto fail;
	}
	return fd;
fail:
	err = -errno;
	close(fd);
	return err;
}

int sock_diag_read(int watch_fd, sock_diag_fn fn, void *context)
{
	int count = 0;
	int err;

	do {
		err = read_messages(watch_fd, MSG_DONTWAIT, fn, context, &count);
	} while (!err);
	return err == -EAGAIN || err > 0 ? count : err;
}

int sock_diag_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	return fd < 0 ? -errno : fd;
}

/* Send one request and read the whole answer. */
static int ask_on(int fd, const struct request *request, sock_diag_fn fn, void *context)
{
	int count = 0;
	int err = send(fd, request, sizeof(*request), 0) < 0 ? -errno : 0;

	while (!err)
		err = read_messages(fd, 0, fn, context, &count);
	return err < 0 ? err : count;
}

/* The same on a socket of its own. */
static int ask(const struct request *request, sock_diag_fn fn, void *context)
{
	int fd = sock_diag_open();
	int result;

	if (fd < 0)
		return fd;
	result = ask_on(fd, request, fn, context);
	close(fd);
	return result;
}

static struct request request_of(uint16_t type, uint16_t flags, uint8_t family)
{
	return (struct request){
		.header = {.nlmsg_len = sizeof(struct request),
			   .nlmsg_type = type,
			   .nlmsg_flags = NLM_F_REQUEST | flags},
		.body = {.sdiag_family = family,
			 .sdiag_protocol = IPPROTO_TCP,
			 .id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}},
	};
}

int sock_diag_visit(uint32_t states, sock_diag_fn fn, void *context)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	int total = 0;

	for (unsigned int i = 0; i < sizeof(families); i++) {
		struct request request = request_of(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, families[i]);
		int count;

		request.body.idiag_states = states;
		count = ask(&request, fn, context);
		if (count < 0)
			return count;
		total += count;
	}
	return total;
}

static void set_endpoint(const struct endpoint *endpoint, __be16 *port, __be32 words[4])
{
	const bool is_v4 = addr_is_v4(&endpoint->addr);

	*port = htons(endpoint->port);
	memcpy(words, endpoint->addr.bytes + (is_v4 ? 12 : 0), is_v4 ? 4 : 16);
}

static struct request request_for(uint16_t type, const struct tuple *tuple, uint32_t ifindex)
{
	const uint8_t family = addr_is_v4(&tuple->local.addr) ? AF_INET : AF_INET6;
	struct request request = request_of(type, NLM_F_ACK, family);
	struct inet_diag_sockid *id = &request.body.id;

	set_endpoint(&tuple->local, &id->idiag_sport, id->idiag_src);
	set_endpoint(&tuple->remote, &id->idiag_dport, id->idiag_dst);
	id->idiag_if = ifindex;
	request.body.idiag_states = ~0u;
	return request;
}

static void take_state(void *context, const struct tuple *tuple, uint8_t tcp_state)
{
	(void)tuple;
	*(uint8_t *)context = tcp_state;
}

int sock_diag_find(const struct tuple *tuple, uint32_t ifindex, uint8_t *tcp_state)
{
	const struct request request = request_for(SOCK_DIAG_BY_FAMILY, tuple, ifindex);
	uint8_t state = 0;
	int result = ask(&request, take_state, &state);

	if (result < 0)
		return result;
	/* The kernel's look-up falls back to a listener of the port. */
	if (!state || state == TCP_LISTEN)
		return -ENOENT;
	*tcp_state = state;
	return 0;
}

int sock_diag_has_owner(int fd, const struct tuple *tuple, uint32_t ifindex, bool *out)
{
	const struct request request = request_for(SOCK_DIAG_BY_FAMILY, tuple, ifindex);
	int result = ask_on(fd, &request, NULL, NULL);

	if (result < 0 && result != -ENOENT)
		return result;
	*out = result >= 0;
	return 0;
}

int sock_diag_end_time_wait(const struct tuple *tuple, uint32_t ifindex)
{
	const struct request request = request_for(SOCK_DESTROY, tuple, ifindex);
	uint8_t state;
	int result = sock_diag_find(tuple, ifindex, &state);

	if (!result && state != TCP_TIME_WAIT)
		return -EADDRINUSE;
	if (!result)
		result = ask(&request, NULL, NULL);
	return result < 0 ? result : 0;
}
