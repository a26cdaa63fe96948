/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A loader that we talk to, and what becomes of us when it goes. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"
#include "log.h"
#include "plane_private.h"

#define RETRY_FIRST_MS 1000
#define RETRY_MAX_MS 60000

const char *plane_link_path(const struct plane_link *link)
{
	return link->loader ? plane_loader_path(link->loader) : link->plane->options.socket;
}

static int begin(struct plane_link *link)
{
	const struct plane_loader_options options = {
		.ifname = &link->ifname,
		.has_parents = !link->plane->options.needs_descriptors,
		.loop = link->plane->loop,
	};

	return plane_loader_begin(&link->loader, &options);
}

static int dial(struct plane_link *link)
{
	const struct nolisten_options nothing = {.path = link->plane->options.socket,
						 .ports = "none"};
	int err;

	if (link->loader)
		return plane_loader_await(link->loader, &link->client);
	err = nolisten_open(&link->client, &nothing);
	if (err) {
		link->client = NULL;
		log_error("--socket: %s", nolisten_why());
	}
	return err;
}

/* Nothing is asked for by this client, so that all it can hear is that somebody waits, or the end. */
static void take_end(void *context, uint32_t events)
{
	struct plane_link *link = context;
	const int fd = nolisten_accept(link->client, NULL);

	(void)events;
	if (fd >= 0)
		close(fd);
	else if (fd == -ESHUTDOWN)
		plane_link_lose(link);
	else if (lib_was_woken(link->client) && link->plane->options.woken)
		link->plane->options.woken(link->plane->options.context);
}

int plane_link_open(struct plane_link *link)
{
	int err = dial(link);

	if (err)
		return err;
	err = loop_add(link->plane->loop, nolisten_fd(link->client), EPOLLIN, take_end, link,
		       &link->source);
	if (!err)
		return 0;
	log_error("%s: cannot watch its loader: %s", link->name, strerror(-err));
	nolisten_close(link->client);
	link->client = NULL;
	return err;
}

static void try_again(void *context, uint32_t events);

static void plan_retry(struct plane_link *link)
{
	loop_remove(link->retry);
	link->retry = NULL;
	link->retry_ms = link->retry_ms ? link->retry_ms * 2 : RETRY_FIRST_MS;
	if (link->retry_ms > RETRY_MAX_MS)
		link->retry_ms = RETRY_MAX_MS;
	if (loop_add_timer(link->plane->loop, link->retry_ms, try_again, link, &link->retry))
		log_error("%s: it is not tried again", link->name);
}

static int reopen(struct plane_link *link)
{
	const bool is_own = !link->plane->options.socket;
	int err = 0;

	plane_loader_free(link->loader);
	link->loader = NULL;
	if (is_own)
		err = begin(link);
	return err ?: plane_link_open(link);
}

static void try_again(void *context, uint32_t events)
{
	struct plane_link *link = context;
	struct plane *plane = link->plane;

	(void)events;
	if (reopen(link)) {
		plan_retry(link);
		return;
	}
	loop_remove(link->retry);
	link->retry = NULL;
	link->retry_ms = 0;
	log_info("%s: is answered again", link->name);
	if (plane->options.renewed)
		plane->options.renewed(plane->options.context);
}

void plane_link_lose(struct plane_link *link)
{
	if (!link->client)
		return;
	loop_remove(link->source);
	link->source = NULL;
	nolisten_close(link->client);
	link->client = NULL;
	log_warning("%s: its loader has gone, nothing is answered there: it is tried again",
		    link->name);
	plan_retry(link);
}

void plane_link_close(struct plane_link *link)
{
	loop_remove(link->source);
	loop_remove(link->retry);
	nolisten_close(link->client);
	plane_loader_free(link->loader);
}
