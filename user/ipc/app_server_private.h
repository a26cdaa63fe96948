/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside the server: its clients. */
#ifndef NOLISTEN_APP_SERVER_PRIVATE_H
#define NOLISTEN_APP_SERVER_PRIVATE_H

#include "app_server.h"

struct client {
	struct app_server *server;
	int fd; /* -1: a free place */
	uint32_t number;
	pid_t pid;
	uid_t uid;
	bool is_open; /* open() has taken it */
	bool is_connecting; /* connect() has */
	struct loop_source *source;
};

struct app_server {
	int listen_fd;
	char *path;
	bool has_path; /* it is ours to remove */
	struct app_access access;
	struct loop *loop;
	struct loop_source *source;
	const struct app_server_ops *ops;
	void *context;
	struct client clients[APP_SERVER_CLIENTS];
	uint64_t refused;
	uint64_t quiet_until_ns;
	int spare_fd; /* given up for a client when there are no others */
};

/* The client has gone, or is to go; and others may have waited for its descriptor. */
void app_server_send_away(struct client *client, bool has_said);
void app_server_accept(struct app_server *server);

/* Of one that is nothing yet. False: it is to be sent away. */
bool app_server_connect(struct client *client, const struct app_connect *request);

#endif
