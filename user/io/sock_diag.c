/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* NETLINK_SOCK_DIAG requests and their answers. */
#include "sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#include "netlink.h"

#define WATCH_BUFFER \
	(4 << 20) /* bytes that may wait while we are busy: some ten thousand sockets */

/* Who hears of the sockets in an answer, and how many there were. */
#define TIMER_OF_TIME_WAIT 3 /* of struct inet_diag_msg, as /proc/net/tcp has it */

struct visit {
	sock_diag_fn fn; /* NULL: nobody */
	void *context;
	int count;
};

static struct addr addr_of(uint8_t family, const __be32 words[4])
{
	return family == AF_INET6 ? addr_from_v6(words) : addr_from_v4(words);
}

/*
 * What is left of a socket that was closed in FIN-WAIT-2, and waits for the remote's FIN, says FIN-WAIT-2. The timer tells that it is
 * what a TIME-WAIT socket is: small, nobody's, and gone without another word.
 */
static uint8_t state_of(const struct inet_diag_msg *body)
{
	return body->idiag_timer == TIMER_OF_TIME_WAIT ? TCP_TIME_WAIT : body->idiag_state;
}

static void report(const struct visit *visit, const struct nlmsghdr *message)
{
	const struct inet_diag_msg *body = mnl_nlmsg_get_payload(message);
	struct tuple tuple;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*body))
		return;
	tuple.local.addr = addr_of(body->idiag_family, body->id.idiag_src);
	tuple.local.port = ntohs(body->id.idiag_sport);
	tuple.remote.addr = addr_of(body->idiag_family, body->id.idiag_dst);
	tuple.remote.port = ntohs(body->id.idiag_dport);
	visit->fn(visit->context, &tuple, state_of(body));
}

static void take_message(void *context, const struct nlmsghdr *message)
{
	struct visit *visit = context;

	if (visit->fn)
		report(visit, message);
	visit->count++;
}

int sock_diag_watch(void)
{
	const uint32_t groups =
		1u << (SKNLGRP_INET_TCP_DESTROY - 1) | 1u << (SKNLGRP_INET6_TCP_DESTROY - 1);
	const int size = WATCH_BUFFER;
	int fd = netlink_open(NETLINK_SOCK_DIAG, groups, SOCK_NONBLOCK);

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

int sock_diag_read(int watch_fd, sock_diag_fn fn, void *context)
{
	struct visit visit = {.fn = fn, .context = context};
	int err = netlink_read(watch_fd, take_message, &visit);

	return err ?: visit.count;
}

int sock_diag_open(void)
{
	return netlink_open(NETLINK_SOCK_DIAG, 0, 0);
}

/* Number of sockets in the answer or -errno. */
static int ask(const union netlink_request *request, sock_diag_fn fn, void *context)
{
	struct visit visit = {.fn = fn, .context = context};
	int err = netlink_ask_once(NETLINK_SOCK_DIAG, request, take_message, &visit);

	return err ?: visit.count;
}

static struct inet_diag_req_v2 *init_request(union netlink_request *request, uint16_t type,
					     uint16_t flags, uint8_t family)
{
	struct inet_diag_req_v2 *body = netlink_request_init(request, type, flags, sizeof(*body));

	body->sdiag_family = family;
	body->sdiag_protocol = IPPROTO_TCP;
	body->id.idiag_cookie[0] = body->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return body;
}

int sock_diag_visit(uint32_t states, sock_diag_fn fn, void *context)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	union netlink_request request;
	int total = 0, count;

	for (unsigned int i = 0; i < sizeof(families); i++) {
		init_request(&request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, families[i])->idiag_states =
			states;
		count = ask(&request, fn, context);
		if (count < 0)
			return count;
		total += count;
	}
	return total;
}

struct listeners {
	sock_diag_listener_fn fn;
	void *context;
};

static void take_listener(void *context, const struct nlmsghdr *message)
{
	const struct listeners *listeners = context;
	const struct inet_diag_msg *body = mnl_nlmsg_get_payload(message);
	struct endpoint local;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*body))
		return;
	local.addr = addr_of(body->idiag_family, body->id.idiag_src);
	local.port = ntohs(body->id.idiag_sport);
	listeners->fn(listeners->context, &local, body->idiag_inode);
}

int sock_diag_visit_listeners(sock_diag_listener_fn fn, void *context)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct listeners listeners = {fn, context};
	union netlink_request request;
	int err = 0;

	for (unsigned int i = 0; !err && i < sizeof(families); i++) {
		init_request(&request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, families[i])->idiag_states =
			1u << TCP_LISTEN;
		err = netlink_ask_once(NETLINK_SOCK_DIAG, &request, take_listener, &listeners);
	}
	return err;
}

static void set_endpoint(const struct endpoint *endpoint, __be16 *port, __be32 words[4])
{
	const bool is_v4 = addr_is_v4(&endpoint->addr);

	*port = htons(endpoint->port);
	memcpy(words, endpoint->addr.bytes + (is_v4 ? 12 : 0), is_v4 ? 4 : 16);
}

static void ask_for(union netlink_request *request, uint16_t type, const struct tuple *tuple,
		    uint32_t ifindex)
{
	const uint8_t family = addr_is_v4(&tuple->local.addr) ? AF_INET : AF_INET6;
	struct inet_diag_req_v2 *body = init_request(request, type, 0, family);
	struct inet_diag_sockid *id = &body->id;

	set_endpoint(&tuple->local, &id->idiag_sport, id->idiag_src);
	set_endpoint(&tuple->remote, &id->idiag_dport, id->idiag_dst);
	id->idiag_if = ifindex;
	body->idiag_states = ~0u;
}

static void take_state(void *context, const struct tuple *tuple, uint8_t tcp_state)
{
	(void)tuple;
	*(uint8_t *)context = tcp_state;
}

int sock_diag_find(const struct tuple *tuple, uint32_t ifindex, uint8_t *tcp_state)
{
	union netlink_request request;
	uint8_t state = 0;
	int result;

	ask_for(&request, SOCK_DIAG_BY_FAMILY, tuple, ifindex);
	result = ask(&request, take_state, &state);
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
	union netlink_request request;
	int err;

	ask_for(&request, SOCK_DIAG_BY_FAMILY, tuple, ifindex);
	err = netlink_ask(fd, &request, NULL, NULL);
	if (err && err != -ENOENT)
		return err;
	*out = !err;
	return 0;
}

int sock_diag_end_time_wait(const struct tuple *tuple, uint32_t ifindex)
{
	union netlink_request request;
	uint8_t state;
	int result = sock_diag_find(tuple, ifindex, &state);

	if (!result && state != TCP_TIME_WAIT)
		return -EADDRINUSE;
	if (result)
		return result;
	ask_for(&request, SOCK_DESTROY, tuple, ifindex);
	result = ask(&request, NULL, NULL);
	return result < 0 ? result : 0;
}

/* Those of a round of end_orphans(). */
struct orphans {
	int fd; /* for the requests */
	int count;
	int err; /* the first */
};

/* The socket itself, by its cookie: another one may have its 4-tuple by now. */
static void end_if_orphan(void *context, const struct nlmsghdr *message)
{
	struct orphans *orphans = context;
	const struct inet_diag_msg *found = mnl_nlmsg_get_payload(message);
	union netlink_request request;
	struct inet_diag_req_v2 *body;
	int err;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*found) || found->idiag_inode)
		return;
	body = init_request(&request, SOCK_DESTROY, 0, found->idiag_family);
	body->id = found->id;
	err = netlink_ask(orphans->fd, &request, NULL, NULL);
	if (!err)
		orphans->count++;
	else if (err != -ENOENT && !orphans->err)
		orphans->err = err;
}

/* What ends while the kernel lists makes it leave out others: again, while they become fewer. An old kernel says that it has ended some which stay. */
static int end_orphans(struct orphans *orphans, uint8_t family)
{
	union netlink_request request;
	int before, last, ended = INT_MAX, err;

	init_request(&request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, family)->idiag_states =
		~(1u << TCP_LISTEN);
	do {
		before = orphans->count;
		last = ended;
		err = netlink_ask_once(NETLINK_SOCK_DIAG, &request, end_if_orphan, orphans)
			      ?: orphans->err;
		ended = orphans->count - before;
	} while (!err && ended && ended < last);
	return err;
}

int sock_diag_end_orphans(void)
{
	struct orphans orphans = {.fd = sock_diag_open()};
	int err;

	if (orphans.fd < 0)
		return orphans.fd;
	err = end_orphans(&orphans, AF_INET) ?: end_orphans(&orphans, AF_INET6);
	close(orphans.fd);
	return err ?: orphans.count;
}
