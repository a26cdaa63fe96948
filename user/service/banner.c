/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * banner:TEXT: sends TEXT, ends its side, and reads until the remote ends too: closing with unread data would
 * send a RST, which may destroy the text before the remote has read it (RFC 9293, 3.10.4; RFC 1122, 4.2.2.13).
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "connection.h"

struct text {
	size_t len;
	char bytes[];
};

struct banner {
	struct connection connection;
	size_t sent;
};

static int hex_value(char digit)
{
	if (!isxdigit((unsigned char)digit))
		return -1;
	return isdigit((unsigned char)digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

/* What stands behind a backslash; moves *from behind it. */
static bool take_escape(const char **from, char *out)
{
	static const char names[] = "rnt\\", values[] = "\r\n\t\\";
	const char *escape = *from;
	const char *known = *escape ? strchr(names, *escape) : NULL;
	int high, low;

	if (known) {
		*out = values[known - names];
		*from = escape + 1;
		return true;
	}
	high = *escape == 'x' ? hex_value(escape[1]) : -1;
	low = high >= 0 ? hex_value(escape[2]) : -1;
	if (low < 0)
		return false;
	*out = (char)(high << 4 | low);
	*from = escape + 3;
	return true;
}

static bool unescape(const char *from, struct text *text)
{
	while (*from) {
		char byte = *from++;

		if (byte == '\\' && !take_escape(&from, &byte))
			return false;
		text->bytes[text->len++] = byte;
	}
	return true;
}

static int banner_configure(struct service *service, const char *argument, const char **error)
{
	struct text *text = calloc(1, sizeof(*text) + strlen(argument));

	if (!text)
		return -ENOMEM;
	service->settings = text;
	if (unescape(argument, text))
		return 0;
	*error = "the escapes are \\r, \\n, \\t, \\\\ and \\xHH";
	return -EINVAL;
}

static void banner_forget(struct service *service)
{
	free(service->settings);
}

static int write_text(struct banner *banner)
{
	const struct text *text = banner->connection.service->settings;
	ssize_t sent = connection_write(&banner->connection, text->bytes + banner->sent,
					text->len - banner->sent);

	if (sent < 0)
		return sent;
	banner->sent += sent;
	if (banner->sent < text->len)
		return 0;
	if (shutdown(banner->connection.fd, SHUT_WR))
		return -errno;
	return connection_change(&banner->connection, EPOLLIN);
}

static void banner_ready(struct connection *connection)
{
	struct banner *banner = (struct banner *)connection;
	const struct text *text = connection->service->settings;
	int err;

	if (banner->sent == text->len) {
		connection_drain(connection);
		return;
	}
	err = write_text(banner);
	if (err && err != -EAGAIN)
		connection_close(connection);
}

const struct service_kind service_banner = {
	.name = "banner",
	.form = "banner:TEXT",
	.meaning = "send TEXT (\\r \\n \\t \\\\ \\xHH are understood) and close",
	.missing_argument = "banner needs a text, as in banner:hello\\r\\n",
	.is_apart = true,
	.connection_size = sizeof(struct banner),
	.events = EPOLLOUT,
	.configure = banner_configure,
	.forget = banner_forget,
	.ready = banner_ready,
};
