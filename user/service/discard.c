/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* discard: reads all that comes and closes at its end. */
#include "connection.h"

const struct service_kind service_discard = {
	.name = "discard",
	.form = "discard",
	.meaning = "read and forget what comes",
	.connection_size = sizeof(struct connection),
	.events = EPOLLIN,
	.ready = connection_drain,
};
