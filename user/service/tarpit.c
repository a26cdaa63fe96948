/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tarpit: the remote is connected and can send nothing, for its window never opens. No socket takes part: what comes is
 * answered by XDP or the engine (user/engine/shut.c), and this never gets a connection. If it does, there is one too many.
 */
#include "connection.h"

const struct service_kind service_tarpit = {
	.name = "tarpit",
	.form = "tarpit",
	.meaning = "let it in and never take a byte: no socket, a window that stays shut",
	.connection_size = sizeof(struct connection),
	.events = EPOLLRDHUP,
	.ready = connection_close,
};
