/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "hiding.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif
#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT 75
#endif

/* 0 if there is no such option. */
static int get(int fd, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, name, &value, &len) ? 0 : value;
}

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

int hiding_family(int fd)
{
	return get(fd, SOL_SOCKET, SO_DOMAIN);
}

bool hiding_is_v6only(int fd)
{
	return hiding_family(fd) == AF_INET6 && get(fd, IPPROTO_IPV6, IPV6_V6ONLY);
}

static uint64_t netns_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) ? 0 : cookie;
}

static bool is_of_our_netns(int fd)
{
	int own = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const bool is_same = own < 0 || netns_of(own) == netns_of(fd);

	if (own >= 0)
		close(own);
	return is_same;
}

static bool is_bound(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	struct endpoint local = {.port = 0};

	return getsockname(fd, (struct sockaddr *)&address, &len) ||
	       !endpoint_from_sockaddr((struct sockaddr *)&address, &local) || local.port;
}

static bool is_closed(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) && info.tcpi_state == TCP_CLOSE;
}

bool hiding_is_candidate(int fd)
{
	const int family = hiding_family(fd);

	return (family == AF_INET || family == AF_INET6) &&
	       get(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM &&
	       get(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP && !is_bound(fd) && is_closed(fd) &&
	       !get(fd, SOL_SOCKET, SO_BINDTOIFINDEX) && is_of_our_netns(fd);
}

static void copy_option(int from, int to, int level, int name)
{
	const int value = get(from, level, name);

	if (value)
		set(to, level, name, value);
}

static int copy_addressing(int from, int to, int family)
{
	copy_option(from, to, SOL_SOCKET, SO_REUSEPORT);
	copy_option(from, to, IPPROTO_IP, IP_FREEBIND);
	copy_option(from, to, IPPROTO_IP, IP_TRANSPARENT);
	if (family != AF_INET6)
		return 0;
	copy_option(from, to, IPPROTO_IPV6, IPV6_FREEBIND);
	copy_option(from, to, IPPROTO_IPV6, IPV6_TRANSPARENT);
	return set(to, IPPROTO_IPV6, IPV6_V6ONLY, get(from, IPPROTO_IPV6, IPV6_V6ONLY));
}

/*
 * Two sockets with SO_REUSEADDR may have the same port as long as neither listens. The reservation stands for one that does: it has the option
 * no longer than it needs it, where old connections are still in TIME-WAIT.
 */
int hiding_reserve(int fd, const struct sockaddr_storage *address, socklen_t len, int *out)
{
	const int family = hiding_family(fd);
	int own = socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	int err = own < 0 ? -errno : copy_addressing(fd, own, family);

	if (!err && bind(own, (const struct sockaddr *)address, len))
		err = -errno;
	if (err == -EADDRINUSE && get(fd, SOL_SOCKET, SO_REUSEADDR)) {
		err = set(own, SOL_SOCKET, SO_REUSEADDR, 1);
		if (!err && bind(own, (const struct sockaddr *)address, len))
			err = -errno;
		if (!err)
			err = set(own, SOL_SOCKET, SO_REUSEADDR, 0);
	}
	if (!err)
		*out = own;
	else if (own >= 0)
		close(own);
	return err;
}

int hiding_bind(int fd, const struct addr *v6)
{
	const bool is_v6 = hiding_family(fd) == AF_INET6;
	const int level = is_v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	const int name = is_v6 ? IPV6_FREEBIND : IP_FREEBIND;
	const int freebind = get(fd, level, name);
	struct addr v4;
	int err;

	addr_parse(HIDDEN_V4, &v4);
	err = hidden_bind(fd, is_v6 ? v6 : &v4);
	set(fd, level, name, freebind);
	return err;
}

/* One of 127.0.0.0/8, for a socket of both families as well; of IPv6 there is only one address. */
static int choose_loopback(int fd, struct endpoint *out)
{
	uint8_t bytes[4] = {0};

	if (hiding_is_v6only(fd))
		return addr_parse("::1", &out->addr) ? 0 : -EINVAL;
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	bytes[0] = 127;
	bytes[3] = (uint8_t)(1 + bytes[3] % 254);
	out->addr = addr_from_v4(bytes);
	return 0;
}

/* An IPv4 address on a socket of IPv6 is v4-mapped. */
static socklen_t write_sockaddr(int family, const struct endpoint *endpoint,
				struct sockaddr_storage *out)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	if (family == AF_INET)
		return endpoint_to_sockaddr(endpoint, 0, out);
	memset(out, 0, sizeof(*out));
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(endpoint->port);
	memcpy(&in6->sin6_addr, endpoint->addr.bytes, sizeof(in6->sin6_addr));
	return sizeof(*in6);
}

int hiding_bind_loopback(int fd)
{
	struct endpoint where = {.port = 0};
	struct sockaddr_storage address;
	int err = choose_loopback(fd, &where);
	socklen_t len;

	if (err)
		return err;
	len = write_sockaddr(hiding_family(fd), &where, &address);
	return bind(fd, (struct sockaddr *)&address, len) ? -errno : 0;
}

int hiding_open(int family, const struct plane_endpoint *at, int *out,
		struct sockaddr_storage *address, socklen_t *len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	int err = fd < 0 ? -errno : set(fd, SOL_SOCKET, SO_REUSEADDR, 1);

	if (!err && family == AF_INET6)
		err = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, at->is_v6only);
	if (!err) {
		*len = write_sockaddr(family, &at->local, address);
		*out = fd;
	} else if (fd >= 0) {
		close(fd);
	}
	return err;
}
