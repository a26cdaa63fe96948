/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Each endpoint is said to each loader: a remote may come in by any interface. */
#include "plane.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "kern.h"
#include "lib.h"
#include "log.h"
#include "plane_interfaces.h"
#include "plane_private.h"

bool plane_has_parents(void)
{
	return kern_can_accept();
}

/* One that does not says so before it looks at what is asked. */
bool plane_takes_parents(const char *socket)
{
	const struct nolisten_options nothing = {.path = socket, .ports = "none"};
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(1)};
	struct nolisten *client;
	int err;

	if (nolisten_open(&client, &nothing))
		return true;
	err = lib_await(client, (const struct sockaddr *)&any, sizeof(any), true);
	nolisten_close(client);
	return err != -EOPNOTSUPP;
}

const char *plane_why(const struct plane *plane)
{
	return plane->why;
}

static int add_links(struct plane *plane, size_t count)
{
	plane->links = calloc(count, sizeof(*plane->links));
	if (!plane->links)
		return -ENOMEM;
	plane->count = count;
	for (size_t i = 0; i < count; i++)
		plane->links[i].plane = plane;
	return 0;
}

/* All of them are started before the first one is waited for. */
static int begin_all(struct plane *plane)
{
	struct interface_name *names;
	size_t count;
	int err = plane_interfaces_find(&names, &count, plane->options.interfaces);

	if (err)
		return err;
	err = add_links(plane, count);
	for (size_t i = 0; i < count && !err; i++) {
		struct plane_link *link = &plane->links[i];
		const struct plane_loader_options options = {
			.ifname = &link->ifname,
			.has_parents = !plane->options.needs_descriptors,
			.loop = plane->loop,
		};

		link->ifname = names[i];
		snprintf(link->name, sizeof(link->name), "%s", names[i].text);
		err = plane_loader_begin(&link->loader, &options);
	}
	free(names);
	return err;
}

static int begin_dialled(struct plane *plane)
{
	int err = add_links(plane, 1);

	if (!err)
		snprintf(plane->links->name, sizeof(plane->links->name), "%s",
			 plane->options.socket);
	return err;
}

int plane_open(struct plane **out, const struct plane_options *options, struct loop *loop)
{
	struct plane *plane = calloc(1, sizeof(*plane));
	int err = 0;

	if (!plane)
		return -ENOMEM;
	*plane = (struct plane){.options = *options, .loop = loop, .epoll_fd = -1};
	if (options->needs_descriptors) {
		plane->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
		err = plane->epoll_fd < 0 ? -errno : 0;
	}
	if (!err)
		err = options->socket ? begin_dialled(plane) : begin_all(plane);
	for (size_t i = 0; !err && i < plane->count; i++)
		err = plane_link_open(&plane->links[i]);
	if (err)
		plane_close(plane);
	else
		*out = plane;
	return err;
}

enum telling {
	TELL_OFFER,
	TELL_WITHDRAW,
	TELL_AWAIT,
	TELL_UNAWAIT,
};

static int tell(struct nolisten *client, enum telling what, const struct plane_endpoint *at,
		int parent)
{
	struct sockaddr_storage address;
	const socklen_t len = endpoint_to_sockaddr(&at->local, 0, &address);
	const struct sockaddr *local = (const struct sockaddr *)&address;

	if (what == TELL_OFFER)
		return nolisten_offer(client, local, len, parent,
				      at->is_v6only ? NOLISTEN_V6ONLY : 0);
	if (what == TELL_WITHDRAW)
		return nolisten_withdraw(client, local, len, parent);
	return lib_await(client, local, len, what == TELL_AWAIT);
}

static int tell_link(struct plane_link *link, enum telling what, const struct plane_endpoint *at,
		     int parent)
{
	int err = link->client ? tell(link->client, what, at, parent) : 0;

	if (err == -ESHUTDOWN) {
		plane_link_lose(link);
		return 0;
	}
	if (err && (what == TELL_OFFER || what == TELL_AWAIT))
		snprintf(link->plane->why, sizeof(link->plane->why), "%s: %s", link->name,
			 nolisten_why());
	return err;
}

static int tell_all(struct plane *plane, enum telling what, const struct plane_endpoint *at,
		    int parent)
{
	int err = 0;

	for (size_t i = 0; i < plane->count && !err; i++)
		err = tell_link(&plane->links[i], what, at, parent);
	return err == -ENOSPC ? -ENOBUFS : err;
}

int plane_answer(struct plane *plane, const struct plane_endpoint *at, int parent)
{
	int err;

	plane->why[0] = '\0';
	if (plane->options.needs_descriptors)
		return plane_ask(plane, at);
	err = tell_all(plane, TELL_OFFER, at, parent);
	if (err)
		plane_forget(plane, at, parent);
	return err;
}

/* Each link, whatever becomes of the ones before. */
static void untell_all(struct plane *plane, enum telling what, const struct plane_endpoint *at,
		       int parent)
{
	for (size_t i = 0; i < plane->count; i++)
		tell_link(&plane->links[i], what, at, parent);
}

void plane_forget(struct plane *plane, const struct plane_endpoint *at, int parent)
{
	if (plane->options.needs_descriptors)
		plane_unask(plane, at);
	else
		untell_all(plane, TELL_WITHDRAW, at, parent);
}

int plane_await(struct plane *plane, const struct plane_endpoint *at)
{
	int err;

	plane->why[0] = '\0';
	err = tell_all(plane, TELL_AWAIT, at, -1);
	if (err)
		plane_unawait(plane, at);
	return err;
}

void plane_unawait(struct plane *plane, const struct plane_endpoint *at)
{
	untell_all(plane, TELL_UNAWAIT, at, -1);
}

int plane_fd(const struct plane *plane)
{
	return plane->epoll_fd;
}

void plane_close(struct plane *plane)
{
	if (!plane)
		return;
	plane_unask_all(plane);
	for (size_t i = 0; i < plane->count; i++)
		plane_link_close(&plane->links[i]);
	if (plane->epoll_fd >= 0)
		close(plane->epoll_fd);
	free(plane->links);
	free(plane);
}
