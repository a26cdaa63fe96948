/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "early.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

#define BACKLOG 65535 /* net.core.somaxconn cuts it */

/* Is there IPv6 in this kernel? */
static bool has_v6(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno != EAFNOSUPPORT;
}

int early_make(struct run_sockets *sockets, const struct port_set *ports,
	       const struct addr *address)
{
	static const struct addr any_v4 = {{[10] = 0xff, [11] = 0xff}};
	const bool is_any = !address && has_v6();
	struct plane_endpoint at = {0};
	struct run_socket *socket;
	int family = AF_INET6, err = 0;

	if (!is_any)
		at.local.addr = address ? *address : any_v4;
	if (!is_any && addr_is_v4(&at.local.addr))
		family = AF_INET;
	for (uint32_t port = 1; !err && port <= UINT16_MAX; port++) {
		if (!port_set_has(ports, (uint16_t)port))
			continue;
		at.local.port = (uint16_t)port;
		err = run_sockets_make(sockets, family, &at, BACKLOG, &socket);
	}
	return err;
}

static bool has_listener(const struct run_sockets *sockets, uint16_t port)
{
	const struct run_socket *one = run_sockets_first(sockets);

	while (one && (one->state == RUN_RESERVED || one->at.local.port != port))
		one = one->next;
	return one;
}

int early_await(struct plane *plane, const struct run_sockets *sockets,
		const struct port_set *ports)
{
	struct plane_endpoint at = {0};
	int err = 0;

	for (uint32_t port = 1; !err && port <= UINT16_MAX; port++) {
		at.local.port = (uint16_t)port;
		if (!port_set_has(ports, at.local.port) || has_listener(sockets, at.local.port))
			continue;
		err = plane_await(plane, &at);
		if (err)
			log_error("run: cannot answer port %u: %s", port, plane_why(plane));
	}
	return err;
}

void early_settle(struct plane *plane, const struct port_set *ports)
{
	struct plane_endpoint at = {0};

	for (uint32_t port = 1; port <= UINT16_MAX; port++) {
		at.local.port = (uint16_t)port;
		if (port_set_has(ports, at.local.port))
			plane_unawait(plane, &at);
	}
}
