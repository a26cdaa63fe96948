/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Socket options as a listener has them set and its connections inherit them: by the names of tcp(7), socket(7) and
 * ip(7). Left out is what no connection inherits from its listener (seen on Linux 6.18): SO_PRIORITY, TCP_QUICKACK.
 */
#ifndef NOLISTEN_SOCKOPTS_H
#define NOLISTEN_SOCKOPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Member of the enum, name, smallest and largest value. In the order in which they are set. */
/* clang-format off */
#define SOCKOPTS(X) \
	X(CONGESTION, "congestion", 0, 0) \
	X(MAXSEG, "maxseg", 88, 32767) \
	X(RCVBUF, "rcvbuf", 1, INT32_MAX / 2) \
	X(SNDBUF, "sndbuf", 1, INT32_MAX / 2) \
	X(WINDOW_CLAMP, "window-clamp", 1, INT32_MAX) \
	X(MARK, "mark", 0, UINT32_MAX) \
	X(TOS, "tos", 0, 255) \
	X(NODELAY, "nodelay", 0, 1) \
	X(NOTSENT_LOWAT, "notsent-lowat", 0, INT32_MAX) \
	X(LINGER2, "linger2", 0, 120) \
	X(KEEPIDLE, "keepidle", 1, 32767) \
	X(KEEPINTVL, "keepintvl", 1, 32767) \
	X(KEEPCNT, "keepcnt", 1, 127) \
	X(KEEPALIVE, "keepalive", 0, 1) \
	X(USER_TIMEOUT, "user-timeout", 0, INT32_MAX) \
	X(DEFER_ACCEPT, "defer-accept", 0, INT32_MAX)
/* clang-format on */

#define SOCKOPT_MEMBER(member, text, min, max) SOCKOPT_##member,
enum sockopt {
	SOCKOPTS(SOCKOPT_MEMBER) SOCKOPT_COUNT
};

#define SOCKOPT_CONGESTION_SIZE 16 /* TCP_CA_NAME_MAX */
#define SOCKOPT_WHY_SIZE 256

struct sockopts {
	uint32_t given; /* bit 1 << enum sockopt */
	uint32_t values[SOCKOPT_COUNT];
	char congestion[SOCKOPT_CONGESTION_SIZE];
};

enum sockopts_when {
	SOCKOPTS_BEFORE_CONNECT, /* what the handshake and connect() depend on */
	SOCKOPTS_CONNECTED, /* the rest */
	SOCKOPTS_LISTENER, /* all: its connections inherit them */
};

/* "NAME=VALUE"; of two of a name the later counts. False: why says what is wrong. */
bool sockopts_parse(struct sockopts *sockopts, const char *text, char why[SOCKOPT_WHY_SIZE]);
const char *sockopts_name(size_t index); /* NULL behind the last */

bool sockopts_has(const struct sockopts *sockopts, enum sockopt option);
/* As it was given, for people; in text. */
const char *sockopts_format(const struct sockopts *sockopts, enum sockopt option, char text[64]);

/*
 * Set on a TCP socket of either family what has to be set then; sockopts may be NULL. -errno of the first that the
 * kernel refuses; *failed (which may be NULL) is that one.
 */
int sockopts_apply(int fd, const struct sockopts *sockopts, enum sockopts_when when,
		   enum sockopt *failed);

/* What of these has been set on a TCP socket: what differs from a new one's. Not TCP_MAXSEG. -errno. */
int sockopts_read(int fd, struct sockopts *out);

#endif
