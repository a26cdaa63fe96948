/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Clients that want an active open: each has asked for one, and is sent away with the answer. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app_server_private.h"
#include "fd_message.h"

static void tell(const struct client *client, struct app_connected *answer, int fd)
{
	answer->magic = APP_MAGIC;
	answer->kind = APP_CONNECTED;
	if (answer->err && !*answer->why)
		snprintf(answer->why, sizeof(answer->why), "%s", strerror(-answer->err));
	/* Who cannot be told sees that we have hung up. */
	fd_message_send(client->fd, answer, sizeof(*answer), &fd, !answer->err);
}

bool app_server_connect(struct client *client, const struct app_connect *request)
{
	struct app_server *server = client->server;
	struct app_connected answer = {0};

	if (client->is_open || client->is_connecting)
		return false;
	answer.err = server->ops->connect(server->context, client->number, client->uid, request,
					  &answer);
	client->is_connecting = !answer.err;
	if (answer.err)
		tell(client, &answer, -1);
	return client->is_connecting;
}

void app_server_connected(struct app_server *server, uint32_t number, struct app_connected *answer,
			  int fd)
{
	struct client *client = &server->clients[number];

	tell(client, answer, fd);
	client->is_connecting = false;
	app_server_send_away(client, true);
	app_server_accept(server);
}
