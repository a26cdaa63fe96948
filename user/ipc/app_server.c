/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A client speaks in turn: one request, one answer, which is small enough for a socket that was empty. Who does not
 * read it, says something else, or says it twice, is sent away: nobody else notices.
 */
#include "app_server_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "fd_message.h"
#include "log.h"

#define BACKLOG 64
#define GROUPS_MAX 1024

/* Whoever knocks without an end fills no log: a line a second at most. All are counted. */
static bool may_complain(struct app_server *server)
{
	const uint64_t now_ns = clock_monotonic_ns();

	if (now_ns < server->quiet_until_ns)
		return false;
	server->quiet_until_ns = now_ns + CLOCK_NS_PER_S;
	return true;
}

static bool is_in_group(int fd, const struct ucred *who, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);

	if (who->gid == group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* As the file's mode has it, whatever has become of the file: the folder may have been open to others. */
static bool may_connect(const struct app_access *access, int fd, struct ucred *who)
{
	socklen_t len = sizeof(*who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &len))
		return false;
	if (who->uid == 0)
		return true;
	if (who->uid == access->user)
		return access->mode & S_IWUSR;
	if (is_in_group(fd, who, access->group))
		return access->mode & S_IWGRP;
	return access->mode & S_IWOTH;
}

static void keep_spare(struct app_server *server)
{
	if (server->spare_fd < 0)
		server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void app_server_send_away(struct client *client, bool has_said)
{
	struct app_server *server = client->server;

	loop_remove(client->source);
	close(client->fd);
	client->fd = -1;
	if (client->is_open)
		server->ops->gone(server->context, client->number, has_said);
	if (client->is_connecting)
		server->ops->cancel(server->context, client->number);
	client->is_open = client->is_connecting = false;
	keep_spare(server);
}

/* What a refused client is told. False: it does not listen. */
static bool refuse(struct client *client, struct app_reply *reply, int err)
{
	reply->kind = APP_REFUSED;
	reply->err = err;
	reply->data_count = reply->parent_count = 0;
	if (!*reply->why)
		snprintf(reply->why, sizeof(reply->why), "%s", strerror(-err));
	return !fd_message_send(client->fd, reply, sizeof(*reply), NULL, 0);
}

static bool answer_open(struct client *client, const char *ports, const char *addresses)
{
	struct app_server *server = client->server;
	struct app_reply reply = {.magic = APP_MAGIC, .kind = APP_OPENED};
	int fds[APP_DESCRIPTORS];
	size_t count;
	int err;

	if (client->is_open || client->is_connecting)
		return false;
	err = server->ops->open(server->context, client->number, client->pid, ports, addresses,
				&reply, fds);
	if (err)
		return refuse(client, &reply, err);
	client->is_open = true;
	count = reply.data_count + reply.parent_count;
	err = fd_message_send(client->fd, &reply, sizeof(reply), fds, count);
	if (!err)
		return true;
	/* It must not take for its own what it never heard of. */
	client->is_open = false;
	server->ops->gone(server->context, client->number, true);
	reply.why[0] = '\0';
	return refuse(client, &reply, err);
}

/* Of one that is open: an answer either way. */
static bool answer_endpoint(struct client *client, const struct app_endpoint *endpoint,
			    const int *fds, size_t count)
{
	struct app_server *server = client->server;
	struct app_reply reply = {.magic = APP_MAGIC, .kind = APP_DONE};
	int err = 0;

	if (!client->is_open || count != (endpoint->kind == APP_OFFER && !endpoint->is_waiting))
		return false;
	if (endpoint->kind == APP_OFFER)
		err = server->ops->offer(server->context, client->number, endpoint,
					 count ? fds[0] : -1, &reply);
	else
		server->ops->withdraw(server->context, client->number, endpoint);
	if (err)
		return refuse(client, &reply, err);
	return !fd_message_send(client->fd, &reply, sizeof(reply), NULL, 0);
}

/* False: it is to be sent away; *has_said: by its own word. */
static bool answer(struct client *client, const void *message, size_t len, const int *fds,
		   size_t count, bool *has_said)
{
	const char *ports, *addresses;
	struct app_endpoint endpoint;
	struct app_connect request;
	enum app_kind kind;

	if (app_connect_parse(message, len, &request))
		return app_server_connect(client, &request);
	if (app_endpoint_parse(message, len, &endpoint))
		return answer_endpoint(client, &endpoint, fds, count);
	if (!app_request_parse(message, len, &kind, &ports, &addresses)) {
		if (may_complain(client->server))
			log_warning("%s: pid %d says what is no request", client->server->path,
				    (int)client->pid);
		return false;
	}
	*has_said = kind == APP_CLOSE;
	return !*has_said && answer_open(client, ports, addresses);
}

static void accept_clients(void *context, uint32_t events);

static void read_client(void *context, uint32_t events)
{
	struct client *client = context;
	struct app_server *server = client->server;
	char message[APP_REQUEST_SIZE];
	int fds[FD_MESSAGE_MAX];
	bool has_said = false;
	size_t count;
	ssize_t len = fd_message_receive(client->fd, message, sizeof(message), fds, FD_MESSAGE_MAX,
					 &count);

	(void)events;
	if (len > (ssize_t)sizeof(message))
		len = 1; /* no request has so many, nor so few */
	if (len != -EAGAIN &&
	    (len <= 0 || !answer(client, message, (size_t)len, fds, count, &has_said)))
		app_server_send_away(client, has_said);
	fd_message_close(fds, count);
	/* Others may have waited for its descriptor. */
	if (client->fd < 0)
		accept_clients(server, 0);
}

static struct client *find_place(struct app_server *server)
{
	for (size_t i = 0; i < APP_SERVER_CLIENTS; i++)
		if (server->clients[i].fd < 0)
			return &server->clients[i];
	return NULL;
}

/* Told why, so that it need not guess. */
static void turn_away(struct app_server *server, int fd, const struct ucred *who, int err)
{
	struct app_reply reply = {.magic = APP_MAGIC};
	struct client client = {.fd = fd};

	server->refused++;
	if (may_complain(server))
		log_warning("%s: pid %d, user %u, is not let in: %s", server->path, (int)who->pid,
			    who->uid, strerror(-err));
	refuse(&client, &reply, err);
	close(fd);
}

static int add_client(struct app_server *server, int fd)
{
	struct client *client = find_place(server);
	struct ucred who = {0};
	int err;

	if (!may_connect(&server->access, fd, &who)) {
		turn_away(server, fd, &who, -EACCES);
		return 0;
	}
	if (!client) {
		turn_away(server, fd, &who, -EUSERS);
		return 0;
	}
	client->fd = fd;
	client->pid = who.pid;
	client->uid = who.uid;
	err = loop_add(server->loop, fd, EPOLLIN, read_client, client, &client->source);
	if (err) {
		client->fd = -1;
		turn_away(server, fd, &who, err);
	}
	return 0;
}

static int accept_client(struct app_server *server)
{
	int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), err;

	if (fd < 0 && (errno == EMFILE || errno == ENFILE) && server->spare_fd >= 0) {
		close(server->spare_fd);
		server->spare_fd = -1;
		fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	}
	err = fd < 0 ? -errno : add_client(server, fd);
	/* It may have been given up for nobody, or for one who was turned away. */
	keep_spare(server);
	return err;
}

/* Edge-triggered: what waits in the backlog for want of descriptors must not make the loop spin. */
static void accept_clients(void *context, uint32_t events)
{
	struct app_server *server = context;
	int err;

	(void)events;
	do {
		err = accept_client(server);
	} while (!err || err == -ECONNABORTED);
	if (err != -EAGAIN && may_complain(server))
		log_warning("%s: cannot take an application: %s", server->path, strerror(-err));
}

void app_server_accept(struct app_server *server)
{
	accept_clients(server, 0);
}

static int name_of(const char *path, struct sockaddr_un *out, socklen_t *len)
{
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(out->sun_path))
		return -ENAMETOOLONG;
	strcpy(out->sun_path, path);
	*len = sizeof(*out);
	if (*path != '@')
		return 0;
	out->sun_path[0] = '\0';
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	return 0;
}

/* A socket at which nobody listens is what a loader has left that was killed. */
static int clear_path(const struct sockaddr_un *name)
{
	struct stat there;
	int fd, err = 0;

	if (lstat(name->sun_path, &there))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(there.st_mode))
		return -EADDRINUSE;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)name, sizeof(*name)) || errno != ECONNREFUSED)
		err = -EADDRINUSE;
	close(fd);
	if (!err && unlink(name->sun_path))
		err = -errno;
	return err;
}

/* A socket is made for its group; to give it to another user takes CAP_CHOWN. */
static int take_path(struct app_server *server, const struct sockaddr_un *name, socklen_t len)
{
	const struct app_access *access = &server->access;
	const gid_t group = (gid_t)setfsgid(access->group);
	const int err = bind(server->listen_fd, (const struct sockaddr *)name, len) ? -errno : 0;
	struct stat made;

	setfsgid(group);
	if (err || !name->sun_path[0])
		return err;
	server->has_path = true;
	if (chmod(name->sun_path, access->mode) || lstat(name->sun_path, &made))
		return -errno;
	if (made.st_uid == access->user && made.st_gid == access->group)
		return 0;
	return lchown(name->sun_path, access->user, access->group) ? -errno : 0;
}

/* Nobody can connect before it listens, and by then the mode is right. */
static int listen_at(struct app_server *server)
{
	struct sockaddr_un name;
	socklen_t len;
	int err = name_of(server->path, &name, &len);

	if (!err && name.sun_path[0])
		err = clear_path(&name);
	if (err)
		return err;
	server->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->listen_fd < 0)
		return -errno;
	err = take_path(server, &name, len);
	if (!err && listen(server->listen_fd, BACKLOG))
		err = -errno;
	return err;
}

int app_server_new(struct app_server **out, const char *path, const struct app_access *access,
		   struct loop *loop, const struct app_server_ops *ops, void *context)
{
	struct app_server *server = calloc(1, sizeof(*server));
	int err;

	if (!server)
		return -ENOMEM;
	*server = (struct app_server){
		.listen_fd = -1,
		.path = strdup(path),
		.access = *access,
		.loop = loop,
		.ops = ops,
		.context = context,
		.spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC),
	};
	for (uint32_t i = 0; i < APP_SERVER_CLIENTS; i++)
		server->clients[i] = (struct client){.server = server, .fd = -1, .number = i};
	err = server->path ? listen_at(server) : -ENOMEM;
	if (!err)
		err = loop_add(loop, server->listen_fd, EPOLLIN | EPOLLET, accept_clients, server,
			       &server->source);
	if (err)
		app_server_free(server);
	else
		*out = server;
	return err;
}

void app_server_free(struct app_server *server)
{
	if (!server)
		return;
	for (size_t i = 0; i < APP_SERVER_CLIENTS; i++) {
		server->clients[i].is_open = server->clients[i].is_connecting = false;
		if (server->clients[i].fd >= 0)
			app_server_send_away(&server->clients[i], false);
	}
	loop_remove(server->source);
	if (server->listen_fd >= 0)
		close(server->listen_fd);
	if (server->spare_fd >= 0)
		close(server->spare_fd);
	if (server->has_path)
		unlink(server->path);
	free(server->path);
	free(server);
}

uint64_t app_server_refused(const struct app_server *server)
{
	return server->refused;
}

uint32_t app_server_clients(const struct app_server *server)
{
	uint32_t count = 0;

	for (size_t i = 0; i < APP_SERVER_CLIENTS; i++)
		count += server->clients[i].fd >= 0;
	return count;
}

int app_server_lend(struct app_server *server, uint32_t client, struct app_reply *reply,
		    const int *fds)
{
	reply->magic = APP_MAGIC;
	reply->kind = APP_LENT;
	return fd_message_send(server->clients[client].fd, reply, sizeof(*reply), fds,
			       reply->parent_count);
}

void app_server_wake(struct app_server *server, uint32_t client)
{
	const struct app_reply reply = {.magic = APP_MAGIC, .kind = APP_WOKEN};

	fd_message_send(server->clients[client].fd, &reply, sizeof(reply), NULL, 0);
}
