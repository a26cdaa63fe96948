/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The loader of an interface that all `nolisten run` share, at a name in the abstract namespace, which belongs to the network
 * namespace: dialled, or started if there is none.
 */
#ifndef NOLISTEN_PLANE_LOADER_H
#define NOLISTEN_PLANE_LOADER_H

#include <nolisten.h>
#include <stdbool.h>

#include "loop.h"
#include "plane_interfaces.h"

struct plane_loader;

/* Everything is borrowed. */
struct plane_loader_options {
	const struct interface_name *ifname;
	bool has_parents; /* method accept is to be the loader's */
	struct loop *loop; /* in which its messages are passed on */
};

/* Begins to start one, unless one is there and has been asked. -errno, logged. */
int plane_loader_begin(struct plane_loader **out, const struct plane_loader_options *options);
/* Waits until it answers: a client of it that has asked for nothing yet, the caller's to close. -errno, logged. */
int plane_loader_await(struct plane_loader *loader, struct nolisten **out);
/* The name at which it listens; as long as the loader is there. */
const char *plane_loader_path(const struct plane_loader *loader);
/* It ends by itself once nobody uses it any more. */
void plane_loader_free(struct plane_loader *loader);

#endif
