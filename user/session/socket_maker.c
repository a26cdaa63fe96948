/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "socket_maker.h"

#include <errno.h>

bool socket_maker_lacks_descriptors(int err)
{
	return err == -EMFILE || err == -ENFILE;
}

const char *socket_maker_refusal(int err, const char *otherwise)
{
	if (socket_maker_lacks_descriptors(err))
		return "no_descriptors";
	return err == -ENOMEM || err == -ENOBUFS ? "no_memory" : otherwise;
}

void socket_maker_free(struct socket_maker *maker)
{
	if (maker)
		maker->ops->free(maker);
}
