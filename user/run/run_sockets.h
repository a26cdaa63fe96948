/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sockets that COMMAND has bound for listening, and what it believes of them.
 *
 * bind(): the program's socket stays unbound. A socket of ours, the reservation, is bound to what was asked for, and never listens: it gets
 * the errors that the program would get, has the port for as long as we live, and says what getsockname() would say. Nothing is hidden yet:
 * should the program connect() instead, the reservation goes and its own socket is bound after all.
 *
 * listen(): the program's own socket, not another in its place, so that dup(), fork(), epoll and options keep what they have, is bound where
 * nobody can reach it, and listens. The plane is told. From then on the kernel queues connections there, and accept4() is the program's
 * own. Without parents it is bound to a loopback address that nobody but us asks for: see waiting.h.
 *
 * We keep a copy of each. A program's close() is not asked about, so a few times a second we look whether somebody else has the socket;
 * if not it goes, or is kept for a COMMAND that comes.
 */
#ifndef NOLISTEN_RUN_SOCKETS_H
#define NOLISTEN_RUN_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "plane.h"
#include "waiting.h"

enum run_state {
	RUN_RESERVED,
	RUN_LISTENING,
	RUN_KEPT, /* listening, and nobody has it but us */
};

struct run_socket {
	struct run_socket *next;
	enum run_state state;
	uint64_t socket; /* its number, as in caller_socket() */
	int fd; /* ours, of the same open file as the program's */
	int reservation_fd; /* -1: none */
	bool is_hidden; /* bound, where it does not seem to be */
	int family; /* AF_INET, AF_INET6 */
	struct plane_endpoint at;
	struct sockaddr_storage believed; /* what getsockname() says */
	socklen_t believed_len;
	struct run_socket *kept; /* one of an earlier COMMAND that is to take its place */
	struct waiting *waiting; /* without parents: connections that are to be put in */
	/* Where the program was last seen to have it. */
	pid_t holder_tid;
	int holder_fd;
	unsigned int missed; /* so often nobody had it */
};

struct run_sockets_options {
	struct plane *plane;
	bool needs_descriptors; /* as the plane's */
	/* Nobody has this listener any more: is it to be kept? NULL: never. */
	bool (*is_kept)(void *context, const struct run_socket *socket);
	void *context;
};

struct run_sockets;

int run_sockets_new(struct run_sockets **out, const struct run_sockets_options *options);
/* Nothing of it is answered any more. */
void run_sockets_free(struct run_sockets *sockets);

/* NULL: it is none of these. */
struct run_socket *run_sockets_find(const struct run_sockets *sockets, uint64_t socket);
/* Whose is a connection to this endpoint? NULL: nobody's. */
struct run_socket *run_sockets_find_listener(const struct run_sockets *sockets,
					     const struct endpoint *local);
struct run_socket *run_sockets_first(const struct run_sockets *sockets);

/*
 * bind(). fd: a copy of the program's socket, ours on success. -errno is the program's, which is what its own bind() would have
 * got.
 */
int run_sockets_reserve(struct run_sockets *sockets, uint64_t socket, int fd,
			const struct sockaddr_storage *address, socklen_t len,
			struct run_socket **out);
/* listen(), of one that is reserved. -errno is the program's; why has been logged. */
int run_sockets_listen(struct run_sockets *sockets, struct run_socket *socket, int backlog);
/* connect(): bind it for real, and forget it. -errno is the program's. */
int run_sockets_give_up(struct run_sockets *sockets, struct run_socket *socket);

/*
 * A listener without a program, RUN_KEPT, before COMMAND is there: reserved, hidden, listening, and answered. The next COMMAND that
 * binds a socket of this family to the same endpoint gets it. -errno, logged.
 */
int run_sockets_make(struct run_sockets *sockets, int family, const struct plane_endpoint *at,
		     int backlog, struct run_socket **out);

/* A parent is the program's again: COMMAND has listened, and has this one in place of its own; or was started with it. */
void run_sockets_adopt(struct run_socket *kept);
/* It is no longer answered, and closed. */
void run_sockets_drop(struct run_sockets *sockets, struct run_socket *socket);

/* Drop, or keep, what nobody has. is_over: nobody is left under the filter. */
void run_sockets_sweep(struct run_sockets *sockets, bool is_over);
/* The plane was started again. */
void run_sockets_answer_again(struct run_sockets *sockets);

/* Is there any that a program has, or only what is kept? */
bool run_sockets_in_use(const struct run_sockets *sockets);

#endif
