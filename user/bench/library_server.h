/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The same server as listen_server.h, with connections by libnolisten instead of listen() and accept(). */
#ifndef NOLISTEN_LIBRARY_SERVER_H
#define NOLISTEN_LIBRARY_SERVER_H

#include <stdint.h>

#define LIBRARY_SERVER_WAIT_MS 5000 /* for the loader to be there */

/* Serves connections to that port, of the loader at that path, until it is killed or the loader ends; -errno if it cannot. */
int library_server_run(const char *path, uint16_t port);

#endif
