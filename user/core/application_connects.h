/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Active opens that applications ask for: connect=yes of service socket. Of the main thread. */
#ifndef NOLISTEN_APPLICATION_CONNECTS_H
#define NOLISTEN_APPLICATION_CONNECTS_H

#include <linux/types.h>
#include <stdint.h>
#include <sys/types.h>

#include "app_connect.h"
#include "engine.h"

struct application_connects;
struct app_server;
struct loop;

/* Everything is borrowed; settings: of the host, as they are when a connection is opened. Nothing is opened before it is asked for. */
int application_connects_new(struct application_connects **out, struct loop *loop,
			     const char *ifname, const struct engine_settings *settings);
/* NULL is legal: nobody may. As of struct app_server_ops; server: where it is answered. */
int application_connects_ask(struct application_connects *connects, struct app_server *server,
			     uint32_t client, uid_t user, const struct app_connect *request,
			     struct app_connected *answer);
void application_connects_cancel(struct application_connects *connects, uint32_t client);
void application_connects_free(struct application_connects *connects); /* NULL is legal */

#endif
