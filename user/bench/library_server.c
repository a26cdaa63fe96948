/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "library_server.h"

#include <errno.h>
#include <nolisten.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>

#include "clock.h"
#include "listen_server.h"

#define RETRY_MS 5

static int take(void *context)
{
	return nolisten_accept(context, NULL);
}

static bool is_not_there_yet(int err)
{
	return err == -ENOENT || err == -ECONNREFUSED;
}

/* The loader is starting. */
static int open_soon(struct nolisten **out, const struct nolisten_options *options)
{
	const uint64_t deadline_ns =
		clock_monotonic_ns() + LIBRARY_SERVER_WAIT_MS * CLOCK_NS_PER_MS;
	int err;

	while (is_not_there_yet(err = nolisten_open(out, options)) &&
	       clock_monotonic_ns() < deadline_ns)
		poll(NULL, 0, RETRY_MS);
	return err;
}

int library_server_run(const char *path, uint16_t port)
{
	char ports[sizeof("65535")];
	struct nolisten_options options = {
		.path = path, .ports = ports, .flags = NOLISTEN_NONBLOCK};
	struct nolisten *nolisten;
	int err;

	snprintf(ports, sizeof(ports), "%u", port);
	err = open_soon(&nolisten, &options);
	if (err)
		return err;
	err = listen_server_serve_source(
		&(struct connection_source){nolisten_fd(nolisten), take, nolisten});
	nolisten_close(nolisten);
	return err;
}
