/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The socket of applications, with strangers at it. The input is a list of acts: a byte that says who, one that says what, and what is
 * sent. A request that is well-formed is the first of each stranger that says one; whatever they do, the next one is
 * answered, and nobody is said to be gone who has not been told to be here. Most inputs meet sockets in memory (sockets.h),
 * where no descriptor may be left at the end.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app_server.h"
#include "check.h"
#include "claim.h"
#include "fd_message.h"
#include "input.h"
#include "log.h"
#include "sockets.h"

#define MAX_ACTS 64
#define STRANGERS 6

/* In the kernel, and in memory. */
static struct world {
	struct loop *loop;
	struct app_server *server;
	struct sockaddr_un name;
	socklen_t len;
} worlds[2], *world; /* this input's */
static size_t own; /* descriptors in memory of the server that has no client */
static int strangers[STRANGERS];
static bool is_here[APP_SERVER_CLIENTS];
static bool is_connecting[APP_SERVER_CLIENTS];
static size_t asked;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* As much as the loader does with the texts. */
static int open_client(void *context, uint32_t client, pid_t pid, const char *ports,
		       const char *addresses, struct app_reply *reply, int fds[APP_DESCRIPTORS])
{
	struct port_set all;
	struct claim claim;
	const char *why = "";
	int err;

	(void)context;
	check(pid == getpid() && client < APP_SERVER_CLIENTS && !is_here[client]);
	check(!ports || strlen(ports) < APP_TEXT_SIZE);
	check(!addresses || strlen(addresses) < APP_TEXT_SIZE);
	asked++;
	memset(&all, 0xff, sizeof(all));
	err = claim_parse(&claim, ports, addresses, &all, &why);
	check(err || claim_is_within(&claim, &all, NULL));
	check(!err || *why);
	claim_free(&claim);
	if (err)
		return err;
	is_here[client] = true;
	reply->data_count = 1;
	fds[0] = STDERR_FILENO;
	return 0;
}

static int offer(void *context, uint32_t client, const struct app_endpoint *endpoint, int parent,
		 struct app_reply *reply)
{
	(void)context;
	check(client < APP_SERVER_CLIENTS && is_here[client]);
	check(endpoint->kind == APP_OFFER && endpoint->port && endpoint->is_v6only <= 1);
	check((endpoint->is_waiting ? parent == -1 : sockets_is_open(parent)) && !*reply->why);
	return endpoint->port & 1 ? -EINVAL : 0;
}

static void withdraw(void *context, uint32_t client, const struct app_endpoint *endpoint)
{
	(void)context;
	check(client < APP_SERVER_CLIENTS && is_here[client]);
	check(endpoint->kind == APP_WITHDRAW && endpoint->port);
}

static int connect_client(void *context, uint32_t client, uid_t user,
			  const struct app_connect *request, struct app_connected *answer)
{
	(void)context;
	check(client < APP_SERVER_CLIENTS && user == getuid());
	check(!is_here[client] && !is_connecting[client] && !answer->err && !*answer->why);
	check(request->remote_port && request->wscale <= 14 && request->option_count <= 40);
	is_connecting[client] = request->remote_port & 1;
	return is_connecting[client] ? 0 : -EINVAL;
}

static void cancel_client(void *context, uint32_t client)
{
	(void)context;
	check(client < APP_SERVER_CLIENTS && is_connecting[client]);
	is_connecting[client] = false;
}

/* Whoever comes first. */
static void finish_connect(uint8_t what)
{
	struct app_connected answer = {.err = what & 1 ? -ECONNREFUSED : 0};

	for (uint32_t i = 0; i < APP_SERVER_CLIENTS; i++) {
		if (!is_connecting[i])
			continue;
		is_connecting[i] = false;
		app_server_connected(world->server, i, &answer, STDERR_FILENO);
		return;
	}
}

static void lose_client(void *context, uint32_t client, bool has_said)
{
	(void)context, (void)has_said;
	check(is_here[client]);
	is_here[client] = false;
}

static void clean_up(void)
{
	unlink(worlds[false].name.sun_path);
}

static void open_world(bool is_in_memory, const char *path)
{
	static const struct app_server_ops ops = {
		.open = open_client,
		.offer = offer,
		.withdraw = withdraw,
		.connect = connect_client,
		.cancel = cancel_client,
		.gone = lose_client,
	};
	const struct app_access access = {.user = geteuid(), .mode = 0600};
	struct world *made = &worlds[is_in_memory];

	sockets_in_memory = is_in_memory;
	made->name.sun_family = AF_UNIX;
	strcpy(made->name.sun_path, path);
	made->len = sizeof(made->name);
	check(loop_new(&made->loop) == 0);
	if (app_server_new(&made->server, path, &access, made->loop, &ops, NULL))
		_exit(1);
	if (!is_in_memory)
		return;
	made->name.sun_path[0] = '\0';
	made->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[64];

	(void)argc;
	(void)argv;
	log_open("fuzz", LOG_ERROR);
	snprintf(path, sizeof(path), "/tmp/nolisten-fuzz.%d", (int)getpid());
	open_world(false, path);
	atexit(clean_up);
	open_world(true, "@nolisten-fuzz");
	own = sockets_count();
	for (size_t i = 0; i < STRANGERS; i++)
		strangers[i] = -1;
	return 0;
}

static void turn_loop(void)
{
	for (int i = 0; i < 4; i++)
		if (loop_wait(world->loop, 0) <= 0)
			break;
}

static void leave(int *stranger)
{
	if (*stranger >= 0)
		close(*stranger);
	*stranger = -1;
}

static void come(int *stranger)
{
	leave(stranger);
	*stranger = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	check(*stranger >= 0);
	if (connect(*stranger, (struct sockaddr *)&world->name, world->len))
		leave(stranger);
}

static void hear(int stranger)
{
	int fds[APP_DESCRIPTORS];
	struct app_reply reply;
	size_t count;

	while (fd_message_receive(stranger, &reply, sizeof(reply), fds, APP_DESCRIPTORS, &count) >
	       0)
		fd_message_close(fds, count);
}

/* A request whose texts alone are strange. */
static size_t build(struct input *input, char *message, size_t size)
{
	char ports[256], addresses[256];

	ports[take_bytes(input, ports)] = '\0';
	addresses[take_bytes(input, addresses)] = '\0';
	return app_request_build(message, size, ports, addresses);
}

/* An endpoint of which anything but the length may be strange. */
static size_t build_endpoint(struct input *input, char *message)
{
	struct app_endpoint endpoint = {
		.magic = APP_MAGIC,
		.kind = APP_OFFER + take_byte(input) % 3,
		.port = take_byte(input),
		.parent_port = take_byte(input),
		.is_v6only = take_byte(input) % 3,
		.is_waiting = take_byte(input) % 3,
	};

	endpoint.addr[15] = take_byte(input);
	endpoint.padding[1] = take_byte(input) == 1;
	memcpy(message, &endpoint, sizeof(endpoint));
	return sizeof(endpoint);
}

/* The same of an active open. */
static size_t build_connect(struct input *input, char *message)
{
	struct app_connect request = {
		.magic = APP_MAGIC,
		.kind = APP_CONNECT + (take_byte(input) == 1),
		.remote_port = take_byte(input),
		.given = take_byte(input),
		.wscale = take_byte(input) % 16,
		.option_count = take_byte(input) % 42,
	};

	request.padding = take_byte(input) == 1;
	memcpy(message, &request, sizeof(request));
	return sizeof(request);
}

static void act(struct input *input)
{
	int *stranger = &strangers[take_byte(input) % STRANGERS];
	const uint8_t what = take_byte(input) % 13;
	const int fds[] = {STDERR_FILENO, STDERR_FILENO};
	char message[1024];
	size_t len = 0;

	if (what == 0)
		come(stranger);
	else if (what == 1)
		leave(stranger);
	else if (what > 2 && *stranger < 0)
		come(stranger);
	if (*stranger >= 0 && what == 2)
		hear(*stranger);
	if (what == 12)
		finish_connect(take_byte(input));
	if (*stranger < 0 || what < 3 || what == 12)
		return;
	if (what < 6)
		len = take_bytes(input, message);
	else if (what < 8)
		len = build(input, message, sizeof(message));
	else
		len = what < 10 ? build_endpoint(input, message) : build_connect(input, message);
	fd_message_send(*stranger, message, len, fds, what & 1 ? 1 + (what == 7) : 0);
	turn_loop();
}

static void check_still_answers(void)
{
	char message[64];
	const size_t before = asked, len = app_request_build(message, sizeof(message), "80", NULL);
	int one = -1;

	come(&one);
	check(one >= 0 && send(one, message, len, MSG_NOSIGNAL) == (ssize_t)len);
	for (int i = 0; i < 100 && asked == before; i++)
		loop_wait(world->loop, 0);
	check(asked == before + 1);
	leave(&one);
	turn_loop();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input input = {data, len};

	sockets_in_memory = sockets_choose(data, len);
	world = &worlds[sockets_in_memory];
	for (int i = 0; i < MAX_ACTS && input.len; i++)
		act(&input);
	for (size_t i = 0; i < STRANGERS; i++)
		leave(&strangers[i]);
	turn_loop();
	check_still_answers();
	for (size_t i = 0; i < APP_SERVER_CLIENTS; i++)
		check(!is_here[i] && !is_connecting[i]);
	check(sockets_count() == own);
	return 0;
}
