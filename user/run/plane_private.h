/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside the plane: its links, one for each loader; and, without parents, what each was asked for. */
#ifndef NOLISTEN_PLANE_PRIVATE_H
#define NOLISTEN_PLANE_PRIVATE_H

#include <nolisten.h>
#include <stdint.h>

#include "plane.h"
#include "plane_loader.h"

#define PLANE_WHY_SIZE 400

struct plane_link {
	struct plane *plane;
	char name[110]; /* in messages: the interface, or the path */
	struct interface_name ifname;
	struct plane_loader *loader; /* NULL: one that runs already */
	struct nolisten *client; /* NULL: it has gone */
	struct loop_source *source, *retry;
	uint64_t retry_ms;
};

/* Connections that come as descriptors, of one endpoint: from each link. */
struct plane_asked {
	struct plane_asked *next;
	struct plane_endpoint at;
	struct nolisten *clients[]; /* NULL: its link has gone */
};

struct plane {
	struct plane_options options;
	struct loop *loop;
	struct plane_link *links;
	size_t count;
	struct plane_asked *asked;
	int epoll_fd; /* of all that was asked for; -1 with parents */
	char why[PLANE_WHY_SIZE];
};

/* -errno, logged. */
int plane_link_open(struct plane_link *link);
/* Of an end that was found, by whoever found it: said, and tried again in the loop. */
void plane_link_lose(struct plane_link *link);
void plane_link_close(struct plane_link *link);
/* Where it is asked. */
const char *plane_link_path(const struct plane_link *link);

/* Without parents. */
int plane_ask(struct plane *plane, const struct plane_endpoint *at);
void plane_unask(struct plane *plane, const struct plane_endpoint *at);
void plane_unask_all(struct plane *plane);

#endif
