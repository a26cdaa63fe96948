/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A connected UDP socket sends nothing, and has asked the routes and their rules all that TCP would. */
#include "source_address.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANY_PORT 9

static int find(int fd, const struct addr *remote, uint32_t scope_id, uint32_t ifindex,
		struct addr *out)
{
	const struct endpoint to = {.addr = *remote, .port = ANY_PORT};
	const int device = (int)ifindex;
	struct sockaddr_storage name;
	struct endpoint from;
	socklen_t len;

	if (ifindex && setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &device, sizeof(device)))
		return -errno;
	len = endpoint_to_sockaddr(&to, scope_id, &name);
	if (connect(fd, (struct sockaddr *)&name, len))
		return -errno;
	len = sizeof(name);
	if (getsockname(fd, (struct sockaddr *)&name, &len))
		return -errno;
	if (!endpoint_from_sockaddr((struct sockaddr *)&name, &from))
		return -EAFNOSUPPORT;
	*out = from.addr;
	return 0;
}

int source_address_find(const struct addr *remote, uint32_t scope_id, uint32_t ifindex,
			struct addr *out)
{
	const int family = addr_is_v4(remote) ? AF_INET : AF_INET6;
	const int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = find(fd, remote, scope_id, ifindex, out);
	close(fd);
	return err;
}
