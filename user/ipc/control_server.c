/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The loader's side of the control socket; see control_server.h. */
#include "control_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "log.h"

#define COMMAND_SIZE 64
#define MESSAGES_A_TURN 256 /* then the packets have their turn again */

/* Messages one behind the other, each ended by 0. */
struct control_answer {
	char *text;
	size_t len, size;
	int err;
};

struct client {
	struct control_server *server;
	int fd;
	struct loop_source *source;
	struct control_answer answer;
	size_t sent;
	bool has_answer;
};

struct control_server {
	int listen_fd;
	struct loop *loop;
	struct loop_source *source;
	control_answer_fn fn;
	void *context;
	struct client *clients[CONTROL_SERVER_CLIENTS]; /* the oldest first */
	size_t client_count;
	int spare_fd; /* given up for a client when there are no others; -1: it is */
};

static void keep_spare(struct control_server *server)
{
	if (server->spare_fd < 0)
		server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* False: there was none. */
static bool give_up_spare(struct control_server *server)
{
	if (server->spare_fd < 0)
		return false;
	close(server->spare_fd);
	server->spare_fd = -1;
	return true;
}

static int grow(struct control_answer *answer, size_t needed)
{
	size_t size = answer->size ? answer->size : 4096;
	char *text;

	while (size < needed)
		size *= 2;
	if (size == answer->size)
		return 0;
	text = realloc(answer->text, size);
	if (!text)
		return -ENOMEM;
	answer->text = text;
	answer->size = size;
	return 0;
}

int control_answer_add(struct control_answer *answer, const char *json)
{
	size_t len = strlen(json) + 1;

	if (!answer->err)
		answer->err = grow(answer, answer->len + len);
	if (answer->err)
		return answer->err;
	memcpy(answer->text + answer->len, json, len);
	answer->len += len;
	return 0;
}

static void drop_client(struct client *client)
{
	struct control_server *server = client->server;
	size_t i = 0;

	while (server->clients[i] != client)
		i++;
	server->client_count--;
	memmove(&server->clients[i], &server->clients[i + 1],
		(server->client_count - i) * sizeof(server->clients[0]));
	loop_remove(client->source);
	close(client->fd);
	free(client->answer.text);
	free(client);
	keep_spare(server);
}

static void answer_error(struct control_answer *answer, int err)
{
	char text[128];

	snprintf(text, sizeof(text), "{\"error\":\"%s\"}",
		 err == -ENOENT ? "no such command" : strerror(-err));
	answer->len = 0;
	answer->err = 0;
	control_answer_add(answer, text);
}

static int answer_command(struct client *client)
{
	const struct control_server *server = client->server;
	struct control_answer *answer = &client->answer;
	char command[COMMAND_SIZE];
	int err = control_read_command(client->fd, command, sizeof(command));

	if (err < 0)
		return err;
	err = server->fn(server->context, command, answer);
	if (!err)
		err = answer->err;
	if (err)
		answer_error(answer, err);
	client->has_answer = true;
	return loop_change(client->source, EPOLLOUT);
}

/* -ESHUTDOWN: all is sent. */
static int send_answer(struct client *client)
{
	const struct control_answer *answer = &client->answer;

	for (int i = 0; i < MESSAGES_A_TURN && client->sent < answer->len; i++) {
		const char *message = answer->text + client->sent;
		size_t len = strlen(message);
		int err = control_write(client->fd, message, len);

		if (err)
			return err;
		client->sent += len + 1;
	}
	return client->sent < answer->len ? 0 : -ESHUTDOWN;
}

static void accept_clients(void *context, uint32_t events);

/* Others may have waited for the descriptor of this one. */
static void serve_client(void *context, uint32_t events)
{
	struct client *client = context;
	struct control_server *server = client->server;
	int err = client->has_answer ? send_answer(client) : answer_command(client);

	(void)events;
	if (!err || err == -EAGAIN)
		return;
	drop_client(client);
	accept_clients(server, 0);
}

static int add_client(struct control_server *server, int fd)
{
	struct client *client = calloc(1, sizeof(*client));
	int err;

	if (!client) {
		close(fd);
		return -ENOMEM;
	}
	if (server->client_count == CONTROL_SERVER_CLIENTS)
		drop_client(server->clients[0]);
	client->server = server;
	client->fd = fd;
	server->clients[server->client_count++] = client;
	err = loop_add(server->loop, fd, EPOLLIN, serve_client, client, &client->source);
	if (err)
		drop_client(client);
	return err;
}

static int accept_client(struct control_server *server)
{
	int fd = control_accept(server->listen_fd), err;

	if ((fd == -EMFILE || fd == -ENFILE) && give_up_spare(server))
		fd = control_accept(server->listen_fd);
	err = fd < 0 ? fd : add_client(server, fd);
	/* For want of a descriptor accept4() does not even look whether somebody waits: it may have been given up for nobody. */
	if (err)
		keep_spare(server);
	return err;
}

/* Edge-triggered: when descriptors have run out, what waits in the backlog must not make the loop spin. */
static void accept_clients(void *context, uint32_t events)
{
	struct control_server *server = context;
	int err;

	(void)events;
	do {
		err = accept_client(server);
		if (err == -EPERM)
			log_debug("control socket: refused a client of another user");
	} while (!err || err == -EPERM || err == -ECONNABORTED);
	if (err != -EAGAIN && !server->client_count)
		log_warning("control socket: cannot take a client: %s", strerror(-err));
}

int control_server_new(struct control_server **out, int listen_fd, struct loop *loop,
		       control_answer_fn fn, void *context)
{
	struct control_server *server = calloc(1, sizeof(*server));
	int err = -ENOMEM;

	if (!server) {
		close(listen_fd);
		goto out;
	}
	server->listen_fd = listen_fd;
	server->loop = loop;
	server->fn = fn;
	server->context = context;
	server->spare_fd = -1;
	keep_spare(server);
	err = loop_add(loop, listen_fd, EPOLLIN | EPOLLET, accept_clients, server, &server->source);
	if (err)
		goto out;
	*out = server;
	server = NULL;
out:
	control_server_free(server);
	return err;
}

void control_server_free(struct control_server *server)
{
	if (!server)
		return;
	while (server->client_count)
		drop_client(server->clients[0]);
	loop_remove(server->source);
	give_up_spare(server);
	close(server->listen_fd);
	free(server);
}
