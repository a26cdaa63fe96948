/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What libsystemd's sd_notify() and sd_watchdog_enabled() do, which is little. */
#include "manager.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "numbers.h"

#define MESSAGE_SIZE 2048

static int notify_fd = -1;
static uint64_t watchdog_us;

/* A path, or @ and a name in the abstract space. */
static int reach(const char *name)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const size_t len = strlen(name);
	int err;

	if (!strchr("/@", name[0]) || len < 2 || len > sizeof(addr.sun_path) - 1)
		return -EINVAL;
	memcpy(addr.sun_path, name, len);
	if (name[0] == '@')
		addr.sun_path[0] = '\0';
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (notify_fd < 0)
		return -errno;
	if (!connect(notify_fd, (struct sockaddr *)&addr,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)))
		return 0;
	err = -errno;
	manager_close();
	return err;
}

/* WATCHDOG_PID says whose it is, if it is there. */
static void read_watchdog(void)
{
	const char *time = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t value;

	watchdog_us = 0;
	if (pid && (!number_parse(pid, 1, INT32_MAX, &value) || value != (uint64_t)getpid()))
		return;
	if (time && number_parse(time, 1, INT64_MAX, &value))
		watchdog_us = value;
}

int manager_open(void)
{
	const char *name = getenv("NOTIFY_SOCKET");
	int err = name ? reach(name) : 0;

	read_watchdog();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return err;
}

void manager_close(void)
{
	if (notify_fd >= 0)
		close(notify_fd);
	notify_fd = -1;
}

int manager_send(const char *format, ...)
{
	char message[MESSAGE_SIZE];
	va_list args;
	size_t len;

	if (notify_fd < 0)
		return 0;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	len = strlen(message);
	return send(notify_fd, message, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

void manager_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	manager_send("RELOADING=1\nMONOTONIC_USEC=%lld",
		     now.tv_sec * 1000000LL + now.tv_nsec / 1000);
}

uint64_t manager_watchdog_us(void)
{
	return notify_fd < 0 ? 0 : watchdog_us;
}
