/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel limits, doubles and rounds what it is given: a socket is asked what came of it. */
#include "sockopt_settings.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

static uint32_t read_int(int fd, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, name, &value, &len) || value < 0 ? 0 : (uint32_t)value;
}

/* TCP_DEFER_ACCEPT counts timeouts: after 1, 3, 7, 15 s and so on. */
static uint8_t timeouts_in(uint32_t seconds)
{
	uint32_t wait_s = 1, end_s = 1;
	uint8_t timeouts = seconds > 0;

	while (seconds > end_s && timeouts < UINT8_MAX) {
		timeouts++;
		wait_s = wait_s < 60 ? 2 * wait_s : 120;
		end_s += wait_s;
	}
	return timeouts;
}

static int try(int fd, const struct sockopts *sockopts)
{
	enum sockopt failed = SOCKOPT_COUNT;
	int err = sockopts_apply(fd, sockopts, SOCKOPTS_LISTENER, &failed);
	char text[64];

	if (err == -ENOENT && failed == SOCKOPT_CONGESTION)
		log_error("--sockopt: '%s': the kernel has no such congestion control (see the "
			  "sysctl net.ipv4.tcp_available_congestion_control)",
			  sockopts_format(sockopts, failed, text));
	else if (err == -EPERM && failed == SOCKOPT_CONGESTION)
		log_error("--sockopt: '%s': not allowed here (see the sysctl "
			  "net.ipv4.tcp_allowed_congestion_control)",
			  sockopts_format(sockopts, failed, text));
	else if (err)
		log_error("--sockopt: '%s': %s", sockopts_format(sockopts, failed, text),
			  strerror(-err));
	return err;
}

static void read_limits(struct sockopt_settings *out, const struct sockopts *sockopts, int fd)
{
	if (sockopts_has(sockopts, SOCKOPT_RCVBUF))
		out->limits.rcvbuf = read_int(fd, SOL_SOCKET, SO_RCVBUF);
	if (sockopts_has(sockopts, SOCKOPT_WINDOW_CLAMP))
		out->limits.window_clamp = read_int(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP);
	out->limits.mss = (uint16_t)sockopts->values[SOCKOPT_MAXSEG];
	out->defer_timeouts = timeouts_in(sockopts->values[SOCKOPT_DEFER_ACCEPT]);
}

int sockopt_settings_read(struct sockopt_settings *out, const struct sockopts *sockopts)
{
	int fd, err;

	*out = (struct sockopt_settings){0};
	if (!sockopts->given)
		return 0;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0) {
		err = -errno;
		log_error("--sockopt: cannot make a socket to try: %s", strerror(-err));
		return err;
	}
	err = try(fd, sockopts);
	if (!err)
		read_limits(out, sockopts, fd);
	close(fd);
	return err;
}
