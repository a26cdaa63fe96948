/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "socket_maker.h"

#include <errno.h>

const char *socket_maker_refusal(int err, const char *otherwise)
{
	return err == -EMFILE || err == -ENFILE ? "no_descriptors" : otherwise;
}

void socket_maker_free(struct socket_maker *maker)
{
	if (maker)
		maker->ops->free(maker);
}
