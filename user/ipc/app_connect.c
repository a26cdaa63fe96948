/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What fits into the numbers is the loader's to judge; here it is only whether they are numbers of a request. */
#include "app_connect.h"

#include <string.h>

#define FIELDS                                                                         \
	(APP_CONNECT_MSS | APP_CONNECT_WINDOW | APP_CONNECT_WSCALE | APP_CONNECT_TTL | \
	 APP_CONNECT_LAYOUT | APP_CONNECT_NONBLOCK)
#define WSCALE_MAX 14

bool app_connect_parse(const void *message, size_t len, struct app_connect *out)
{
	if (len != sizeof(*out))
		return false;
	memcpy(out, message, sizeof(*out));
	return out->magic == APP_MAGIC && out->kind == APP_CONNECT && out->remote_port &&
	       !(out->given & ~FIELDS) && out->option_count <= APP_CONNECT_OPTIONS &&
	       out->wscale <= WSCALE_MAX && !out->padding;
}
