/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Without parents: a client of its own for each endpoint and loader, which gets its connections as descriptors. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "plane_private.h"

/* IPv6 without the addresses that stand for IPv4. */
#define V6_ALONE "::1,2000::/3,fc00::/7,fe80::/10"

static bool is_same(const struct plane_endpoint *a, const struct plane_endpoint *b)
{
	return a->local.port == b->local.port && a->is_v6only == b->is_v6only &&
	       addr_is_equal(&a->local.addr, &b->local.addr);
}

static struct plane_asked **find(struct plane *plane, const struct plane_endpoint *at)
{
	struct plane_asked **link = &plane->asked;

	while (*link && !is_same(&(*link)->at, at))
		link = &(*link)->next;
	return link;
}

/* NULL: any. */
static const char *format_addresses(const struct plane_endpoint *at, char text[ADDR_TEXT_SIZE])
{
	if (!addr_is_unspecified(&at->local.addr)) {
		addr_format(&at->local.addr, text);
		return text;
	}
	if (addr_is_v4(&at->local.addr))
		return "0.0.0.0/0";
	return at->is_v6only ? V6_ALONE : NULL;
}

static int ask_link(struct plane *plane, struct plane_asked *asked, size_t i)
{
	char ports[8], address[ADDR_TEXT_SIZE];
	const struct nolisten_options options = {
		.path = plane_link_path(&plane->links[i]),
		.ports = ports,
		.addresses = format_addresses(&asked->at, address),
		.flags = NOLISTEN_NONBLOCK,
	};
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
	int err;

	if (asked->clients[i] || !plane->links[i].client)
		return 0;
	snprintf(ports, sizeof(ports), "%u", asked->at.local.port);
	err = nolisten_open(&asked->clients[i], &options);
	if (!err &&
	    epoll_ctl(plane->epoll_fd, EPOLL_CTL_ADD, nolisten_fd(asked->clients[i]), &event)) {
		err = -errno;
		nolisten_close(asked->clients[i]);
		asked->clients[i] = NULL;
	}
	if (err)
		snprintf(plane->why, sizeof(plane->why), "%s", nolisten_why());
	return err;
}

int plane_ask(struct plane *plane, const struct plane_endpoint *at)
{
	struct plane_asked **link = find(plane, at), *asked = *link;
	int err = 0;

	if (!asked) {
		asked = calloc(1, sizeof(*asked) + plane->count * sizeof(asked->clients[0]));
		if (!asked)
			return -ENOMEM;
		asked->at = *at;
		*link = asked;
	}
	for (size_t i = 0; i < plane->count && !err; i++)
		err = ask_link(plane, asked, i);
	if (err)
		plane_unask(plane, at);
	return err;
}

void plane_unask(struct plane *plane, const struct plane_endpoint *at)
{
	struct plane_asked **link = find(plane, at), *asked = *link;

	if (!asked)
		return;
	*link = asked->next;
	for (size_t i = 0; i < plane->count; i++)
		nolisten_close(asked->clients[i]);
	free(asked);
}

void plane_unask_all(struct plane *plane)
{
	while (plane->asked)
		plane_unask(plane, &plane->asked->at);
}

static void read_sockaddr(const union nolisten_address *from, struct endpoint *out)
{
	endpoint_from_sockaddr(&from->any, out);
}

/* 0, -EAGAIN, -EMFILE, or its loader has gone. */
static int take_from(struct plane_asked *asked, size_t i, struct plane_connection *out)
{
	struct nolisten_connection connection;
	int fd = asked->clients[i] ? nolisten_accept(asked->clients[i], &connection) : -EAGAIN;

	if (fd == -ESHUTDOWN) {
		nolisten_close(asked->clients[i]);
		asked->clients[i] = NULL;
		return -EAGAIN;
	}
	if (fd < 0)
		return fd;
	out->fd = fd;
	read_sockaddr(&connection.local, &out->tuple.local);
	read_sockaddr(&connection.remote, &out->tuple.remote);
	return 0;
}

int plane_accept(struct plane *plane, struct plane_connection *out)
{
	int err = -EAGAIN;

	for (struct plane_asked *asked = plane->asked; asked; asked = asked->next)
		for (size_t i = 0; err == -EAGAIN && i < plane->count; i++)
			err = take_from(asked, i, out);
	return err;
}
