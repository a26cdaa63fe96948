/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bound as any socket is, so that the kernel chooses a port that nobody has; connected in repair mode: ESTABLISHED, with nothing
 * sent. Packets find it, and its filter drops them without an answer. It dies with its process, silently.
 *
 * Two sockets may have one 4-tuple if one of them is bound to an interface and the other to none: it makes way by
 * being bound to the interface by which its packets come, and goes on swallowing them until the other is found first.
 * Link-local sockets are bound to an interface themselves, so it goes to lo, where nothing comes for it.
 */
#include "stand_in.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link_watch.h"

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

static int set_freebind(int fd, bool is_v4)
{
	return is_v4 ? set_int(fd, IPPROTO_IP, IP_FREEBIND, 1)
		     : set_int(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
}

/* Whatever is routed to this host is its own. */
static int check_address(struct stand_in *stand_in, const struct addr *addr)
{
	bool is_local;
	int err = link_is_local(addr, &is_local);

	if (!err && !is_local)
		err = -EADDRNOTAVAIL;
	if (!err)
		err = set_freebind(stand_in->fd, addr_is_v4(addr));
	stand_in->needs_freebind = !err;
	return err;
}

static int bind_local(struct stand_in *stand_in, const struct endpoint *local)
{
	struct sockaddr_storage name;
	const socklen_t len = endpoint_to_sockaddr(local, stand_in->scope_id, &name);
	int err = 0;

	/* What is in TIME-WAIT on a port that was asked for is in nobody's way but its own 4-tuple's. */
	if (local->port)
		set_int(stand_in->fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (!bind(stand_in->fd, (struct sockaddr *)&name, len))
		return 0;
	if (errno != EADDRNOTAVAIL)
		return -errno;
	err = check_address(stand_in, &local->addr);
	if (!err && bind(stand_in->fd, (struct sockaddr *)&name, len))
		err = -errno;
	return err;
}

static int take_port(const struct stand_in *stand_in, struct endpoint *local)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);

	if (getsockname(stand_in->fd, (struct sockaddr *)&name, &len))
		return -errno;
	return endpoint_from_sockaddr((struct sockaddr *)&name, local) ? 0 : -EAFNOSUPPORT;
}

int stand_in_bind(struct stand_in *out, struct endpoint *local, uint32_t scope_id)
{
	const int family = addr_is_v4(&local->addr) ? AF_INET : AF_INET6;
	struct stand_in stand_in = {.scope_id = scope_id};
	int err;

	stand_in.fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (stand_in.fd < 0)
		return -errno;
	err = bind_local(&stand_in, local);
	if (!err)
		err = take_port(&stand_in, local);
	if (err)
		stand_in_close(&stand_in);
	else
		*out = stand_in;
	return err;
}

static int make_deaf(int fd)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = {.len = 1, .filter = &nothing};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ? -errno : 0;
}

int stand_in_connect(struct stand_in *stand_in, const struct endpoint *remote)
{
	struct sockaddr_storage name;
	const socklen_t len = endpoint_to_sockaddr(remote, stand_in->scope_id, &name);
	int err = make_deaf(stand_in->fd);

	if (!err)
		err = set_int(stand_in->fd, IPPROTO_TCP, TCP_REPAIR, 1);
	if (!err && connect(stand_in->fd, (struct sockaddr *)&name, len))
		err = -errno;
	return err;
}

void stand_in_make_way(const struct stand_in *stand_in, uint32_t ifindex)
{
	uint32_t bound = 0;
	socklen_t len = sizeof(bound);

	getsockopt(stand_in->fd, SOL_SOCKET, SO_BINDTOIFINDEX, &bound, &len);
	if (bound)
		ifindex = if_nametoindex("lo");
	set_int(stand_in->fd, SOL_SOCKET, SO_BINDTOIFINDEX, (int)ifindex);
}

void stand_in_close(struct stand_in *stand_in)
{
	if (stand_in->fd >= 0)
		close(stand_in->fd);
	stand_in->fd = -1;
}
