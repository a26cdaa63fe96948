/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hold: neither reads nor writes; the window closes as the remote fills it. Not watched for EPOLLIN, which
 * unread data would raise for ever: the remote's FIN is EPOLLRDHUP, its RST EPOLLERR or EPOLLHUP.
 */
#include "connection.h"

const struct service_kind service_hold = {
	.name = "hold",
	.form = "hold",
	.meaning = "neither read nor write, until the remote closes",
	.connection_size = sizeof(struct connection),
	.events = EPOLLRDHUP,
	.ready = connection_close,
};
