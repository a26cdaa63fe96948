/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Applications come and go. */
#include "passing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "passing_private.h"

bool service_passes(const struct service *service)
{
	return service->kind == &service_socket;
}

/* The application cannot write to us: what it sent nobody would read. */
static int open_pair(struct application *application)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends))
		return -errno;
	application->send_fd = ends[0];
	application->kept_fd = ends[1];
	return shutdown(ends[1], SHUT_WR) ? -errno : 0;
}

static int application_new(struct application **out, struct passing *passing,
			   const struct passing_claim *claim)
{
	struct application *application = calloc(1, sizeof(*application));
	const size_t size = claim->prefix_count * sizeof(*claim->prefixes);
	int err = -ENOMEM;

	if (!application)
		return err;
	application->passing = passing;
	application->number = claim->number;
	application->ports = *claim->ports;
	application->send_fd = application->kept_fd = -1;
	queue_init(&application->queue);
	application->prefixes = malloc(size ? size : 1);
	if (application->prefixes) {
		memcpy(application->prefixes, claim->prefixes, size);
		application->prefix_count = claim->prefix_count;
		err = open_pair(application);
	}
	if (err)
		application_free(application);
	else
		*out = application;
	return err;
}

/* What it has asked for, of those that are away. Each of them is in order; so is the whole, but for their number. */
static void inherit(struct application *application)
{
	for (struct application *one = application->passing->applications; one; one = one->next) {
		struct queue rest;
		struct waiting *waiting;

		if (!one->is_away)
			continue;
		queue_init(&rest);
		while ((waiting = queue_take(&one->queue)))
			queue_append(
				application_wants(application, &waiting->connection.tuple.local)
					? &application->queue
					: &rest,
				waiting);
		queue_put_back(&one->queue, &rest);
	}
}

int passing_join(struct service *service, const struct passing_claim *claim, int *fd)
{
	struct passing *passing = service->settings;
	struct application *application;
	int err = application_new(&application, passing, claim);

	if (err)
		return err;
	inherit(application);
	application->next = passing->applications;
	passing->applications = application;
	*fd = application->kept_fd;
	application_flush(application);
	passing_watch_time(passing);
	return 0;
}

static struct application **find(struct passing *passing, uint32_t number)
{
	struct application **link = &passing->applications;

	while (*link && (*link)->number != number)
		link = &(*link)->next;
	return link;
}

static void end_pair(struct application *application)
{
	if (application->is_away)
		return;
	application_recall(application, UINT64_MAX);
	application->is_away = true;
	application->in_flight = 0;
	loop_remove(application->writable);
	application->writable = NULL;
	close(application->send_fd);
	close(application->kept_fd);
	application->send_fd = application->kept_fd = -1;
}

void passing_leave(struct service *service, uint32_t number)
{
	struct passing *passing = service->settings;
	struct application *application = *find(passing, number);

	if (!application)
		return;
	end_pair(application);
	passing_watch_time(passing);
}

void passing_forget(struct service *service, uint32_t number)
{
	struct passing *passing = service->settings;
	struct application **link = find(passing, number), *application = *link;
	struct waiting *waiting;

	if (!application)
		return;
	end_pair(application);
	*link = application->next;
	while ((waiting = queue_take(&application->queue)))
		passing_give_up(passing, waiting, &passing->stats.not_asked);
	application_free(application);
}

void passing_read(const struct service *service, struct passing_stats *out)
{
	*out = service_passes(service) ? ((const struct passing *)service->settings)->stats
				       : (struct passing_stats){0};
}
