/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The loader's side of an application's connection: a socket at a path, who may connect there, what they ask for. What is
 * answered is decided by the callbacks, in the loop's thread.
 */
#ifndef NOLISTEN_APP_SERVER_H
#define NOLISTEN_APP_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "app_connect.h"
#include "app_protocol.h"
#include "loop.h"

#define APP_SERVER_CLIENTS 64

struct app_server;

/* Who may connect: root; and as with a file of that owner, group and mode, who may write. */
struct app_access {
	uid_t user;
	gid_t group;
	mode_t mode;
};

struct app_server_ops {
	/*
	 * A client wants connections. 0: reply's counts and scope_id, and fds, as many, which stay the callback's, are set. -errno:
	 * refused, with reply->why. ports and addresses: NULL: all that there are.
	 */
	int (*open)(void *context, uint32_t client, pid_t pid, const char *ports,
		    const char *addresses, struct app_reply *reply, int fds[APP_DESCRIPTORS]);
	/*
	 * A client that open() took offers a listener, which stays the callback's only for the call; -1: is_waiting. 0, or -errno: refused,
	 * with reply->why.
	 */
	int (*offer)(void *context, uint32_t client, const struct app_endpoint *endpoint,
		     int parent, struct app_reply *reply);
	/* It takes back one or all that it has offered there. */
	void (*withdraw)(void *context, uint32_t client, const struct app_endpoint *endpoint);
	/*
	 * A client of that user wants an active open. 0: app_server_connected() will be called, unless cancel() is before;
	 * -errno: refused, with answer->why.
	 */
	int (*connect)(void *context, uint32_t client, uid_t user,
		       const struct app_connect *request, struct app_connected *answer);
	void (*cancel)(void *context, uint32_t client); /* it has hung up */
	/* A client that open() took is gone. has_said: it wanted no more. */
	void (*gone)(void *context, uint32_t client, bool has_said);
};

/*
 * path: "@name": in the abstract namespace (unix(7)), which has no modes: who may connect is looked at all the same. What a
 * loader that is gone has left at a path is replaced. -EADDRINUSE: one is there, or what is there is no socket.
 */
int app_server_new(struct app_server **out, const char *path, const struct app_access *access,
		   struct loop *loop, const struct app_server_ops *ops, void *context);
/* What came of it: fd, which stays the caller's, or answer->err and perhaps answer->why. Not from within connect(). */
void app_server_connected(struct app_server *server, uint32_t client, struct app_connected *answer,
			  int fd);
/* The path goes too; gone() and cancel() are not called any more. */
void app_server_free(struct app_server *server);
/* Unasked: reply's counts and fds, as many. -errno: it has not got them. */
int app_server_lend(struct app_server *server, uint32_t client, struct app_reply *reply,
		    const int *fds);
/* Unasked: somebody waits. One that reads nothing has heard it before. */
void app_server_wake(struct app_server *server, uint32_t client);
/* Clients that are connected. */
uint32_t app_server_clients(const struct app_server *server);
/* Clients that were not let in. */
uint64_t app_server_refused(const struct app_server *server);

#endif
