/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An active open: a connection to the loader for each, whose descriptor is what is polled. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "app_connect.h"
#include "fd_message.h"
#include "lib.h"

#define FIELDS                                                                             \
	(NOLISTEN_SYN_WINDOW | NOLISTEN_SYN_MSS | NOLISTEN_SYN_WSCALE | NOLISTEN_SYN_TTL | \
	 NOLISTEN_SYN_LAYOUT)
#define WSCALE_MAX 14

static int fail(int err, const char *what)
{
	return lib_fail(err, what, strerror(-err));
}

static int check_options(const struct nolisten_connect_options *options)
{
	const struct nolisten_syn *syn = &options->syn;

	if (options->flags & ~NOLISTEN_NONBLOCK || options->syn_given & ~FIELDS)
		return lib_fail(-EINVAL, "", "flags that this library does not know");
	for (size_t i = 0; i < sizeof(options->reserved) / sizeof(options->reserved[0]); i++)
		if (options->reserved[i])
			return lib_fail(-EINVAL, "", "something reserved is not 0");
	if (options->syn_given & NOLISTEN_SYN_WSCALE && syn->wscale > WSCALE_MAX)
		return lib_fail(-EINVAL, "", "a window scale is 14 at most");
	if (options->syn_given & NOLISTEN_SYN_LAYOUT && syn->option_count > NOLISTEN_SYN_OPTIONS)
		return lib_fail(-EINVAL, "", "that are more options than there is room for");
	return 0;
}

/* IPv4 as ::ffff:a.b.c.d. */
static int take_address(const union nolisten_address *from, uint8_t addr[16], uint16_t *port)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	switch (from->any.sa_family) {
	case AF_INET:
		memcpy(addr, mapped, sizeof(mapped));
		memcpy(addr + 12, &from->in.sin_addr, 4);
		*port = ntohs(from->in.sin_port);
		return 0;
	case AF_INET6:
		memcpy(addr, &from->in6.sin6_addr, 16);
		*port = ntohs(from->in6.sin6_port);
		return 0;
	case AF_UNSPEC:
		/* The port has the same place in both. */
		*port = ntohs(from->in.sin_port);
		return -EDESTADDRREQ;
	}
	return -EAFNOSUPPORT;
}

static void take_syn(const struct nolisten_connect_options *options, struct app_connect *out)
{
	const struct nolisten_syn *syn = &options->syn;

	_Static_assert(NOLISTEN_SYN_OPTIONS <= APP_CONNECT_OPTIONS, "one is copied to the other");
	out->given |= (options->syn_given & NOLISTEN_SYN_WINDOW ? APP_CONNECT_WINDOW : 0) |
		      (options->syn_given & NOLISTEN_SYN_MSS ? APP_CONNECT_MSS : 0) |
		      (options->syn_given & NOLISTEN_SYN_TTL ? APP_CONNECT_TTL : 0);
	out->window = syn->window;
	out->mss = syn->mss;
	out->ttl = syn->ttl;
	/* 255, as of a SYN without this option, is no shift count. */
	if (options->syn_given & NOLISTEN_SYN_WSCALE) {
		out->given |= APP_CONNECT_WSCALE;
		out->wscale = syn->wscale;
	}
	if (!(options->syn_given & NOLISTEN_SYN_LAYOUT))
		return;
	out->given |= APP_CONNECT_LAYOUT;
	out->option_count = syn->option_count;
	memcpy(out->options, syn->options, sizeof(syn->options));
}

static int build(const struct nolisten_connect_options *options, struct app_connect *out)
{
	int err = check_options(options);

	if (err)
		return err;
	*out = (struct app_connect){
		.magic = APP_MAGIC,
		.kind = APP_CONNECT,
		.timeout_ms = options->timeout_ms,
		.given = options->flags & NOLISTEN_NONBLOCK ? APP_CONNECT_NONBLOCK : 0,
	};
	err = take_address(&options->remote, out->remote_addr, &out->remote_port);
	if (err || !out->remote_port)
		return lib_fail(err == -EAFNOSUPPORT ? err : -EINVAL, "",
				"the remote is an IPv4 or IPv6 address with a port");
	err = take_address(&options->local, out->local_addr, &out->local_port);
	if (err == -EAFNOSUPPORT)
		return lib_fail(err, "", "the local end is an IPv4 or IPv6 address");
	take_syn(options, out);
	return 0;
}

LIB_EXPORT int nolisten_connect_start(const struct nolisten_connect_options *options)
{
	const char *path = lib_find_path(options->path);
	struct app_connect request;
	int err = build(options, &request);
	int fd;

	if (err)
		return err;
	fd = lib_connect_to(path);
	/* A loader that was killed leaves its path; the remote's refusal is something else. */
	if (fd == -ECONNREFUSED)
		return lib_fail(-ENOENT, path, "no loader is there");
	if (fd < 0)
		return fd;
	/* One that has hung up has said why. */
	if (send(fd, &request, sizeof(request), MSG_NOSIGNAL) >= 0 || errno == EPIPE)
		return fd;
	err = fail(-errno, path);
	close(fd);
	return err;
}

union answer {
	struct app_connected connected;
	struct app_reply refused; /* it was not let in */
};

/* 0, or -errno. */
static int read_answer(union answer *answer, ssize_t len, size_t count)
{
	struct app_connected *connected = &answer->connected;
	struct app_reply *refused = &answer->refused;

	if (len == 0)
		return lib_fail(-ESHUTDOWN, "", "the loader has hung up");
	if (len == sizeof(*refused) && refused->magic == APP_MAGIC &&
	    refused->kind == APP_REFUSED && refused->err < 0) {
		refused->why[sizeof(refused->why) - 1] = '\0';
		return lib_fail(refused->err, "", refused->why);
	}
	if (len != sizeof(*connected) || connected->magic != APP_MAGIC ||
	    connected->kind != APP_CONNECTED || connected->err > 0)
		return lib_fail(-EPROTO, "", "no loader, or one of another version");
	connected->why[sizeof(connected->why) - 1] = '\0';
	if (connected->err)
		return lib_fail(connected->err, "", connected->why);
	return count ? 0 : fail(-EMFILE, "the connection is lost");
}

LIB_EXPORT int nolisten_connect_finish(int pending, struct nolisten_connection *out)
{
	union answer answer;
	ssize_t len = -ECONNRESET;
	size_t count = 0;
	int fd = -1, err;

	/* A loader that has hung up without having read the request: what it said comes behind the error. */
	for (int i = 0; i < 2 && len == -ECONNRESET; i++)
		len = fd_message_receive(pending, &answer, sizeof(answer), &fd, 1, &count);
	if (len == -EAGAIN)
		return lib_fail(-EINPROGRESS, "", strerror(EINPROGRESS));
	if (len < 0)
		return fail((int)len, "");
	err = read_answer(&answer, len, count);
	if (err) {
		fd_message_close(&fd, count);
		return err;
	}
	if (out)
		lib_describe(&answer.connected.record, answer.connected.scope_id, out);
	return fd;
}

LIB_EXPORT int nolisten_connect(const struct nolisten_connect_options *options,
				struct nolisten_connection *out)
{
	struct pollfd polled = {.events = POLLIN};
	int fd;

	polled.fd = nolisten_connect_start(options);
	if (polled.fd < 0)
		return polled.fd;
	do {
		poll(&polled, 1, -1);
		fd = nolisten_connect_finish(polled.fd, out);
	} while (fd == -EINPROGRESS);
	close(polled.fd);
	return fd;
}
