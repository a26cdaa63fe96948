/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A row an option: what it is called, what it may be, what the kernel calls it, and when it is set. */
#include "sockopts.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "numbers.h"

struct sockopt_kind {
	int level, name;
	enum sockopts_when when; /* LISTENER: no other socket has it */
};

/* SO_KEEPALIVE starts a timer, and does so of an established socket only; a user timeout would end connect() too. */
static const struct sockopt_kind kinds[SOCKOPT_COUNT] = {
	[SOCKOPT_CONGESTION] = {IPPROTO_TCP, TCP_CONGESTION, SOCKOPTS_BEFORE_CONNECT},
	[SOCKOPT_MAXSEG] = {IPPROTO_TCP, TCP_MAXSEG, SOCKOPTS_BEFORE_CONNECT},
	[SOCKOPT_RCVBUF] = {SOL_SOCKET, SO_RCVBUF, SOCKOPTS_BEFORE_CONNECT},
	[SOCKOPT_SNDBUF] = {SOL_SOCKET, SO_SNDBUF, SOCKOPTS_BEFORE_CONNECT},
	[SOCKOPT_WINDOW_CLAMP] = {IPPROTO_TCP, TCP_WINDOW_CLAMP, SOCKOPTS_BEFORE_CONNECT},
	[SOCKOPT_MARK] = {SOL_SOCKET, SO_MARK, SOCKOPTS_BEFORE_CONNECT},
	[SOCKOPT_TOS] = {IPPROTO_IP, IP_TOS, SOCKOPTS_BEFORE_CONNECT},
	[SOCKOPT_NODELAY] = {IPPROTO_TCP, TCP_NODELAY, SOCKOPTS_BEFORE_CONNECT},
	[SOCKOPT_NOTSENT_LOWAT] = {IPPROTO_TCP, TCP_NOTSENT_LOWAT, SOCKOPTS_BEFORE_CONNECT},
	[SOCKOPT_LINGER2] = {IPPROTO_TCP, TCP_LINGER2, SOCKOPTS_BEFORE_CONNECT},
	[SOCKOPT_KEEPIDLE] = {IPPROTO_TCP, TCP_KEEPIDLE, SOCKOPTS_BEFORE_CONNECT},
	[SOCKOPT_KEEPINTVL] = {IPPROTO_TCP, TCP_KEEPINTVL, SOCKOPTS_BEFORE_CONNECT},
	[SOCKOPT_KEEPCNT] = {IPPROTO_TCP, TCP_KEEPCNT, SOCKOPTS_BEFORE_CONNECT},
	[SOCKOPT_KEEPALIVE] = {SOL_SOCKET, SO_KEEPALIVE, SOCKOPTS_CONNECTED},
	[SOCKOPT_USER_TIMEOUT] = {IPPROTO_TCP, TCP_USER_TIMEOUT, SOCKOPTS_CONNECTED},
	[SOCKOPT_DEFER_ACCEPT] = {IPPROTO_TCP, TCP_DEFER_ACCEPT, SOCKOPTS_LISTENER},
};

static const struct {
	const char *text;
	uint64_t min, max;
} ranges[SOCKOPT_COUNT] = {
#define RANGE(member, text, min, max) [SOCKOPT_##member] = {text, min, max},
	SOCKOPTS(RANGE)
#undef RANGE
};

#define SOCKOPT_NAMES(member, text, min, max) ", " text
static const char all_names[] = SOCKOPTS(SOCKOPT_NAMES);

const char *sockopts_name(size_t index)
{
	return index < SOCKOPT_COUNT ? ranges[index].text : NULL;
}

bool sockopts_has(const struct sockopts *sockopts, enum sockopt option)
{
	return sockopts && sockopts->given & 1u << option;
}

const char *sockopts_format(const struct sockopts *sockopts, enum sockopt option, char text[64])
{
	if (option == SOCKOPT_CONGESTION)
		snprintf(text, 64, "%s=%s", ranges[option].text, sockopts->congestion);
	else
		snprintf(text, 64, "%s=%u", ranges[option].text, sockopts->values[option]);
	return text;
}

static bool find(const char *text, enum sockopt *out)
{
	const size_t len = strcspn(text, "=");

	for (size_t i = 0; i < SOCKOPT_COUNT; i++) {
		if (strlen(ranges[i].text) != len || strncmp(ranges[i].text, text, len))
			continue;
		*out = (enum sockopt)i;
		return true;
	}
	return false;
}

static bool take_value(struct sockopts *sockopts, enum sockopt option, const char *value,
		       char why[SOCKOPT_WHY_SIZE])
{
	uint64_t number = 0;

	if (option == SOCKOPT_CONGESTION) {
		if (!*value || strlen(value) >= SOCKOPT_CONGESTION_SIZE) {
			snprintf(why, SOCKOPT_WHY_SIZE, "a congestion control's name is needed");
			return false;
		}
		snprintf(sockopts->congestion, SOCKOPT_CONGESTION_SIZE, "%s", value);
	} else if (!number_parse(value, ranges[option].min, ranges[option].max, &number)) {
		snprintf(why, SOCKOPT_WHY_SIZE, "a number from %llu to %llu is needed",
			 (unsigned long long)ranges[option].min,
			 (unsigned long long)ranges[option].max);
		return false;
	}
	sockopts->given |= 1u << option;
	sockopts->values[option] = (uint32_t)number;
	return true;
}

bool sockopts_parse(struct sockopts *sockopts, const char *text, char why[SOCKOPT_WHY_SIZE])
{
	const char *value = strchr(text, '=');
	enum sockopt option;

	if (!find(text, &option)) {
		snprintf(why, SOCKOPT_WHY_SIZE, "no such option, one of: %s", all_names + 2);
		return false;
	}
	return take_value(sockopts, option, value ? value + 1 : "", why);
}

static int set(int fd, int level, int name, const void *value, socklen_t len)
{
	return setsockopt(fd, level, name, value, len) ? -errno : 0;
}

/*
 * Of a socket that serves both families both are meant. IP_TOS gives the socket a priority as well, which a listener does
 * not pass on.
 */
static int set_tos(int fd, int tos)
{
	const int priority = 0;
	int domain = AF_INET;
	socklen_t len = sizeof(domain);
	int err = set(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));

	if (!err && getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len))
		err = -errno;
	if (!err && domain == AF_INET6)
		err = set(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	return err ?: set(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority));
}

static int set_one(int fd, const struct sockopts *sockopts, enum sockopt option)
{
	const struct sockopt_kind *kind = &kinds[option];
	const uint32_t value = sockopts->values[option];

	if (option == SOCKOPT_CONGESTION)
		return set(fd, kind->level, kind->name, sockopts->congestion,
			   (socklen_t)strlen(sockopts->congestion));
	if (option == SOCKOPT_TOS)
		return set_tos(fd, (int)value);
	return set(fd, kind->level, kind->name, &value, sizeof(value));
}

int sockopts_apply(int fd, const struct sockopts *sockopts, enum sockopts_when when,
		   enum sockopt *failed)
{
	int err = 0;

	for (enum sockopt option = 0; !err && sockopts && option < SOCKOPT_COUNT; option++) {
		if (!sockopts_has(sockopts, option) ||
		    (kinds[option].when != when && when != SOCKOPTS_LISTENER))
			continue;
		err = set_one(fd, sockopts, option);
		if (err && failed)
			*failed = option;
	}
	return err;
}

/* The kernel says twice what it was told of a buffer. */
static bool read_one(int fd, enum sockopt option, uint32_t *out)
{
	const struct sockopt_kind *kind = &kinds[option];
	socklen_t len = sizeof(*out);

	if (getsockopt(fd, kind->level, kind->name, out, &len))
		return false;
	if (option == SOCKOPT_RCVBUF || option == SOCKOPT_SNDBUF)
		*out /= 2;
	return true;
}

static void read_congestion(int fd, char out[SOCKOPT_CONGESTION_SIZE])
{
	socklen_t len = SOCKOPT_CONGESTION_SIZE - 1;

	memset(out, 0, SOCKOPT_CONGESTION_SIZE);
	getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, out, &len);
}

static void compare(int fd, int fresh_fd, enum sockopt option, struct sockopts *out)
{
	char usual[SOCKOPT_CONGESTION_SIZE];
	uint32_t value, usual_value;

	if (option == SOCKOPT_CONGESTION) {
		read_congestion(fd, out->congestion);
		read_congestion(fresh_fd, usual);
		if (strcmp(out->congestion, usual) != 0)
			out->given |= 1u << option;
		return;
	}
	if (!read_one(fd, option, &value) || !read_one(fresh_fd, option, &usual_value) ||
	    value == usual_value)
		return;
	out->given |= 1u << option;
	out->values[option] = value;
}

int sockopts_read(int fd, struct sockopts *out)
{
	int domain = AF_INET, fresh_fd;
	socklen_t len = sizeof(domain);

	memset(out, 0, sizeof(*out));
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len))
		return -errno;
	fresh_fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fresh_fd < 0)
		return -errno;
	for (enum sockopt option = 0; option < SOCKOPT_COUNT; option++)
		if (option != SOCKOPT_MAXSEG) /* reads as what a connection has */
			compare(fd, fresh_fd, option, out);
	close(fresh_fd);
	return 0;
}
