/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "caller.h"
#include "hiding.h"
#include "interfaces.h"
#include "log.h"
#include "run_accept.h"
#include "sockopts.h"

/* What is returned to COMMAND is 0 or -errno; or this. */
#define LET_THE_KERNEL 1

static int fd_of(const struct call *call)
{
	return (int)call->arguments[0];
}

static struct run_socket *find(const struct calls *calls, const struct call *call)
{
	const uint64_t number =
		run_sockets_first(calls->sockets) ? caller_socket(call->tid, fd_of(call)) : 0;
	struct run_socket *socket = number ? run_sockets_find(calls->sockets, number) : NULL;

	return socket && caller_has_same(call->tid, fd_of(call), socket->fd) ? socket : NULL;
}

static int read_memory(const struct call *call, uint64_t address, void *out, size_t len)
{
	const int memory = caller_open_memory(call->tid);
	int err = memory < 0 ? -EFAULT : caller_read(memory, address, out, len);

	if (memory >= 0)
		close(memory);
	return err;
}

int calls_write_result(const struct calls *calls, const struct call *call, unsigned int argument,
		       const void *from, size_t len)
{
	const int memory = caller_open_memory(call->tid);
	int err = memory < 0 ? -EFAULT : 0;

	if (!err && !notify_is_waiting(calls->notify, call))
		err = -ENOENT;
	if (!err)
		err = caller_write_result(memory, call->arguments[argument],
					  call->arguments[argument + 1], from, len);
	if (memory >= 0)
		close(memory);
	return err;
}

/* Of IPv4 or IPv6, and with a port that we are to take over. */
static bool read_wanted(const struct calls *calls, const struct call *call,
			struct sockaddr_storage *out, socklen_t *len)
{
	struct endpoint endpoint;

	memset(out, 0, sizeof(*out));
	*len = (socklen_t)call->arguments[2];
	if (*len < sizeof(struct sockaddr_in) || *len > sizeof(*out) ||
	    read_memory(call, call->arguments[1], out, *len) ||
	    (out->ss_family == AF_INET6 && *len < sizeof(struct sockaddr_in6)) ||
	    !endpoint_from_sockaddr((struct sockaddr *)out, &endpoint))
		return false;
	if (!endpoint.port || (calls->ports && !port_set_has(calls->ports, endpoint.port)))
		return false;
	return interfaces_have(calls->interfaces, &endpoint.addr);
}

static int reserve(struct calls *calls, const struct call *call, int fd,
		   const struct sockaddr_storage *address, socklen_t len)
{
	const uint64_t number = caller_socket(call->tid, fd_of(call));
	struct run_socket *socket;
	int err;

	if (!notify_is_waiting(calls->notify, call) || !caller_has_same(call->tid, fd_of(call), fd))
		return LET_THE_KERNEL;
	err = run_sockets_reserve(calls->sockets, number, fd, address, len, &socket);
	if (err)
		return err;
	socket->holder_tid = call->tid;
	socket->holder_fd = fd_of(call);
	calls->has_reserved = true;
	return 0;
}

static int answer_bind(struct calls *calls, const struct call *call)
{
	struct sockaddr_storage address;
	int fd, err = LET_THE_KERNEL;
	socklen_t len;

	if (find(calls, call))
		return -EINVAL; /* it is bound */
	if (!read_wanted(calls, call, &address, &len))
		return LET_THE_KERNEL;
	fd = caller_take_fd(call->tid, fd_of(call));
	if (fd == -EMFILE || fd == -ENFILE)
		return fd;
	if (fd < 0)
		return LET_THE_KERNEL;
	if (hiding_is_candidate(fd))
		err = reserve(calls, call, fd, &address, len);
	if (err)
		close(fd);
	return err;
}

/* The new COMMAND's options, its descriptor's mode, and its place. */
static int put_kept(struct calls *calls, const struct call *call, struct run_socket *socket)
{
	struct run_socket *kept = socket->kept;
	struct sockopts options;
	int err = sockopts_read(socket->fd, &options);

	if (!err) {
		sockopts_apply(kept->fd, &options, SOCKOPTS_LISTENER, NULL);
		fcntl(kept->fd, F_SETFL, fcntl(socket->fd, F_GETFL));
	}
	if (listen(kept->fd, (int)call->arguments[1]))
		return -errno;
	err = notify_replace_fd(calls->notify, call, kept->fd, fd_of(call),
				caller_is_cloexec(call->tid, fd_of(call)));
	if (err)
		return err;
	run_sockets_adopt(kept);
	kept->holder_tid = call->tid;
	kept->holder_fd = fd_of(call);
	return 0;
}

static int answer_listen(struct calls *calls, const struct call *call)
{
	struct run_socket *socket = find(calls, call);

	if (!socket || socket->state != RUN_RESERVED)
		return LET_THE_KERNEL;
	if (socket->kept)
		return put_kept(calls, call, socket);
	return run_sockets_listen(calls->sockets, socket, (int)call->arguments[1]);
}

/* Not bound to begin a connection from there: it is to be so after all. */
static int answer_connect(struct calls *calls, const struct call *call)
{
	struct run_socket *socket = calls->has_reserved ? find(calls, call) : NULL;
	sa_family_t family = AF_UNSPEC;

	if (!socket || socket->state != RUN_RESERVED || socket->is_hidden || socket->kept)
		return LET_THE_KERNEL;
	if (read_memory(call, call->arguments[1], &family, sizeof(family)) || family == AF_UNSPEC)
		return LET_THE_KERNEL;
	return run_sockets_give_up(calls->sockets, socket) ?: LET_THE_KERNEL;
}

static int answer_getsockname(struct calls *calls, const struct call *call)
{
	const struct run_socket *socket = find(calls, call);

	if (!socket)
		return LET_THE_KERNEL;
	return calls_write_result(calls, call, 1, &socket->believed, socket->believed_len);
}

/* Of one that takes both families: to bind it to one address of IPv6, as we have, has changed that. */
static int answer_v6only(struct calls *calls, const struct call *call)
{
	const struct run_socket *socket = find(calls, call);
	int value;

	if (!socket || socket->family != AF_INET6)
		return LET_THE_KERNEL;
	value = socket->at.is_v6only;
	return calls_write_result(calls, call, 3, &value, sizeof(value));
}

static void answer_with(struct calls *calls, const struct call *call, int value)
{
	int err;

	if (value == LET_THE_KERNEL)
		err = notify_continue(calls->notify, call);
	else
		err = notify_return(calls->notify, call, value);
	/* Interrupted after all, it will ask again: what was reserved must not be in its way. */
	if (err == -ENOENT && call->number == __NR_bind && !value) {
		struct run_socket *socket = run_sockets_first(calls->sockets);

		if (socket && socket->state == RUN_RESERVED && socket->holder_tid == call->tid &&
		    socket->holder_fd == fd_of(call))
			run_sockets_drop(calls->sockets, socket);
	}
}

void calls_answer(struct calls *calls, const struct call *call)
{
	switch (call->number) {
	case __NR_bind:
		answer_with(calls, call, answer_bind(calls, call));
		break;
	case __NR_listen:
		answer_with(calls, call, answer_listen(calls, call));
		break;
	case __NR_connect:
		answer_with(calls, call, answer_connect(calls, call));
		break;
	case __NR_getsockname:
		answer_with(calls, call, answer_getsockname(calls, call));
		break;
	case __NR_getsockopt:
		answer_with(calls, call, answer_v6only(calls, call));
		break;
	case __NR_accept:
	case __NR_accept4:
		run_accept_answer(calls, find(calls, call), call);
		break;
	default:
		answer_with(calls, call, LET_THE_KERNEL);
	}
}
