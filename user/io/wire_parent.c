/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A listener where nobody is: see hidden.h. */
#include "wire_parent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container.h"
#include "hidden.h"
#include "log.h"

#define BACKLOG 65535 /* net.core.somaxconn cuts it */

struct wire_parent {
	struct wire wire;
	struct kern *kern;
	uint32_t worker;
	struct addr at;
	const struct sockopts *sockopts;
	int fd;
	int old_fd; /* what is queued there comes first; -1: nothing */
};

static struct wire_parent *from_wire(struct wire *wire)
{
	return container_of(wire, struct wire_parent, wire);
}

/* Children inherit SO_REUSEADDR: a server that comes later may listen on their port. */
static int set_reuse(int fd)
{
	const int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ? -errno : 0;
}

/* IPv4 children need a socket that takes both families, whatever net.ipv6.bindv6only says. */
static int take_both(int fd, bool is_v4)
{
	const int off = 0;

	if (is_v4)
		return 0;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ? -errno : 0;
}

static int open_parent(const struct addr *at, const struct sockopts *sockopts, int *out)
{
	const bool is_v4 = addr_is_v4(at);
	int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			IPPROTO_TCP);
	int err = fd < 0 ? -errno : 0;

	if (!err)
		err = set_reuse(fd);
	if (!err)
		err = take_both(fd, is_v4);
	if (!err)
		err = sockopts_apply(fd, sockopts, SOCKOPTS_LISTENER, NULL);
	if (!err)
		err = hidden_bind(fd, at);
	if (!err && listen(fd, BACKLOG))
		err = -errno;
	if (!err)
		*out = fd;
	else if (fd >= 0)
		close(fd);
	return err;
}

static int receive(struct wire *wire, uint32_t max, packet_fn fn, void *context)
{
	(void)wire, (void)max, (void)fn, (void)context;
	return 0;
}

static int send_segment(struct wire *wire, const struct segment *segment)
{
	(void)wire, (void)segment;
	return -EOPNOTSUPP;
}

static int replay(struct wire *wire, const struct held_packet *packet)
{
	(void)wire, (void)packet;
	return -EOPNOTSUPP;
}

static int flush(struct wire *wire)
{
	(void)wire;
	return 0;
}

static void set_mtu(struct wire *wire, uint32_t mtu)
{
	(void)wire, (void)mtu;
}

static int accept_at(int parent_fd, struct accepted *out)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	int fd = accept4(parent_fd, (struct sockaddr *)&address, &len, SOCK_CLOEXEC);

	if (fd < 0)
		return -errno;
	*out = (struct accepted){.fd = fd};
	endpoint_from_sockaddr((struct sockaddr *)&address, &out->tuple.remote);
	return 0;
}

static void close_old(struct wire_parent *parent)
{
	if (parent->old_fd >= 0)
		close(parent->old_fd);
	parent->old_fd = -1;
}

static int take(struct wire *wire, struct accepted *out)
{
	struct wire_parent *parent = from_wire(wire);
	int err;

	if (parent->old_fd >= 0) {
		err = accept_at(parent->old_fd, out);
		/* Whom it was lent to may have shut it down: it has no queue any more. */
		if (err != -EAGAIN && err != -EINVAL)
			return err;
		close_old(parent);
	}
	return accept_at(parent->fd, out);
}

static int set_parent(struct wire_parent *parent)
{
	struct endpoint where;
	int err = wire_local_of(parent->fd, &where);

	if (!err)
		kern_set_parent(parent->kern, parent->worker, &where);
	return err;
}

/*
 * A segment that has met the old parent's address on another processor may not be in its queue yet, and would be reset with it. The kernel takes each
 * from the program to the queue within one RCU section; this waits until all that have begun are over, tens of milliseconds at most. A kernel
 * without that call closes a little early.
 */
static void await_children(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

static int renew(struct wire *wire, bool is_kept)
{
	struct wire_parent *parent = from_wire(wire);
	const int old_fd = parent->fd;
	int err = open_parent(&parent->at, parent->sockopts, &parent->fd);

	if (err)
		return err;
	err = set_parent(parent);
	if (err) {
		close(parent->fd);
		parent->fd = old_fd;
		return err;
	}
	close_old(parent);
	parent->old_fd = old_fd;
	if (is_kept)
		await_children();
	else
		close_old(parent);
	return 0;
}

static int parent_fd(const struct wire *wire)
{
	return container_of(wire, const struct wire_parent, wire)->fd;
}

static void free_parent(struct wire *wire)
{
	struct wire_parent *parent = from_wire(wire);

	kern_set_parent(parent->kern, parent->worker, NULL);
	close_old(parent);
	close(parent->fd);
	free(parent);
}

static const struct wire_ops ops = {
	.shield = WIRE_SHIELD_HOLD,
	.receive = receive,
	.send = send_segment,
	.flush = flush,
	.replay = replay,
	.set_mtu = set_mtu,
	.accept = take,
	.renew = renew,
	.fd = parent_fd,
	.free = free_parent,
};

int wire_parent_new(struct wire **out, struct kern *kern, uint32_t worker, const struct addr *at,
		    const struct sockopts *sockopts)
{
	struct wire_parent *parent = calloc(1, sizeof(*parent));
	int err = -ENOMEM;

	if (parent) {
		*parent = (struct wire_parent){
			.wire.ops = &ops,
			.kern = kern,
			.worker = worker,
			.at = *at,
			.sockopts = sockopts,
			.old_fd = -1,
		};
		err = open_parent(at, sockopts, &parent->fd);
	}
	if (!err)
		err = set_parent(parent);
	if (err) {
		log_error("cannot listen where nobody is: %s", strerror(-err));
		free(parent);
		return err;
	}
	*out = &parent->wire;
	return 0;
}
