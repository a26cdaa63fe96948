/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "wire.h"

#include <errno.h>
#include <sys/socket.h>

void wire_free(struct wire *wire)
{
	if (wire && wire->ops->free)
		wire->ops->free(wire);
}

int wire_local_of(int fd, struct endpoint *out)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &len))
		return -errno;
	return endpoint_from_sockaddr((struct sockaddr *)&address, out) ? 0 : -EAFNOSUPPORT;
}
