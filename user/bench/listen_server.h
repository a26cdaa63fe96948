/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel's own way, as the reference: listen(), accept(), epoll, echo. One thread, one buffer, nothing clever. */
#ifndef NOLISTEN_LISTEN_SERVER_H
#define NOLISTEN_LISTEN_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#define LISTEN_SERVER_BACKLOG 4096

/* Serves until it is killed; -errno if it cannot. */
int listen_server_run(uint16_t port);

/* The parts: a socket that listens (is_shared: others may listen there, too) or -errno; and what is done with it. */
int listen_server_open(uint16_t port, bool is_shared);
int listen_server_serve(int listen_fd);

/* Where connections come from, if not of a listener: readable when take() has one, non-blocking, or else -errno. */
struct connection_source {
	int fd;
	int (*take)(void *context);
	void *context;
};
int listen_server_serve_source(const struct connection_source *source);

#endif
