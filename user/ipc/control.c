/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The control socket of a loader, both sides; see control.h. */
#include "control.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME_PREFIX "nolisten/"
#define BACKLOG 16
#define REFUSAL "{\"error\":\"only root and the user that it runs as may ask\"}"
#define CLIENT_TIMEOUT_S 5 /* a loader that is stopped must not hang the client */

/* An abstract name starts with a zero byte and has no end but the length. */
static int make_name(const char *ifname, struct sockaddr_un *out, socklen_t *len)
{
	int text_len;

	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	text_len = snprintf(out->sun_path + 1, sizeof(out->sun_path) - 1, NAME_PREFIX "%s", ifname);
	if ((size_t)text_len >= sizeof(out->sun_path) - 1)
		return -ENAMETOOLONG;
	*len = offsetof(struct sockaddr_un, sun_path) + 1 + text_len;
	return 0;
}

static int listen_on(int fd, const struct sockaddr_un *name, socklen_t len)
{
	if (bind(fd, (const struct sockaddr *)name, len))
		return -errno;
	return listen(fd, BACKLOG) ? -errno : 0;
}

int control_listen(const char *ifname)
{
	struct sockaddr_un name;
	socklen_t len;
	int fd, err = make_name(ifname, &name, &len);

	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = listen_on(fd, &name, len);
	if (err)
		close(fd);
	return err ? err : fd;
}

/* Of a client the user that it was when it connected; of a loader the one that it was when it began to listen. */
static bool is_root_or_self(int fd)
{
	struct ucred remote;
	socklen_t len = sizeof(remote);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &remote, &len) &&
	       (remote.uid == 0 || remote.uid == geteuid());
}

/* What is left unread would destroy what it is told. */
static void refuse(int fd)
{
	char command[64];

	recv(fd, command, sizeof(command), MSG_DONTWAIT);
	control_write(fd, REFUSAL, strlen(REFUSAL));
}

int control_accept(int listen_fd)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (is_root_or_self(fd))
		return fd;
	refuse(fd);
	close(fd);
	return -EPERM;
}

int control_read_command(int fd, char *command, size_t size)
{
	ssize_t len = recv(fd, command, size, MSG_DONTWAIT | MSG_TRUNC);

	if (len < 0)
		return -errno;
	if (len == 0)
		return -ESHUTDOWN;
	if ((size_t)len >= size)
		return -EMSGSIZE;
	command[len] = '\0';
	return len;
}

int control_write(int fd, const char *text, size_t len)
{
	return send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int limit_waiting(int fd)
{
	const struct timeval timeout = {.tv_sec = CLIENT_TIMEOUT_S};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)))
		return -errno;
	return 0;
}

static int send_command(int fd, const struct sockaddr_un *name, socklen_t len, const char *command,
			bool is_named)
{
	int err = limit_waiting(fd);

	if (err)
		return err;
	if (connect(fd, (const struct sockaddr *)name, len))
		return -errno;
	/* Anybody can take an abstract name: what a stranger says there is not a loader's word. */
	if (!(is_named && !geteuid()) && !is_root_or_self(fd))
		return -EPERM;
	/* Who is refused may have been told so already: it is there to be read. */
	return send(fd, command, strlen(command), MSG_NOSIGNAL) < 0 && errno != EPIPE ? -errno : 0;
}

static int connect_to(const char *ifname, const char *command, bool is_named)
{
	struct sockaddr_un name;
	socklen_t len;
	int fd, err = make_name(ifname, &name, &len);

	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = send_command(fd, &name, len, command, is_named);
	if (err)
		close(fd);
	return err ? err : fd;
}

int control_connect(const char *ifname, const char *command)
{
	return connect_to(ifname, command, true);
}

int control_connect_found(const char *ifname, const char *command)
{
	return connect_to(ifname, command, false);
}

bool control_is_believed(const char *ifname)
{
	struct sockaddr_un name;
	bool is_believed;
	socklen_t len;
	int fd;

	if (make_name(ifname, &name, &len))
		return false;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	is_believed = !connect(fd, (struct sockaddr *)&name, len) && is_root_or_self(fd);
	close(fd);
	return is_believed;
}

const char *control_connect_error(int err)
{
	if (err == -ECONNREFUSED)
		return "no loader runs on it in this network namespace";
	if (err == -EPERM)
		return "somebody else than root has its name";
	return strerror(-err);
}

int control_read(int fd, char **message)
{
	ssize_t len = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC);
	char *text;

	if (len <= 0)
		return len ? -errno : 0;
	text = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	len = recv(fd, text, len, 0);
	if (len < 0) {
		free(text);
		return -errno;
	}
	text[len] = '\0';
	*message = text;
	return len;
}

/*
 * "0000000000000000: 00000002 00000000 00010000 0005 01 12345 @nolisten/eth0": the listener, by its flag
 * __SO_ACCEPTCON; accepted connections have the same name without it.
 */
static bool parse_listener(const char *line, char *ifname, size_t size)
{
	unsigned int flags, type;
	int at = 0;
	size_t len;

	if (sscanf(line, "%*s %*x %*x %x %x %*x %*u @" NAME_PREFIX "%n", &flags, &type, &at) != 2 ||
	    !at || !(flags & 0x10000) || type != SOCK_SEQPACKET)
		return false;
	len = strcspn(line + at, "\n");
	if (!len || len >= size)
		return false;
	memcpy(ifname, line + at, len);
	ifname[len] = '\0';
	return true;
}

int control_visit(void (*fn)(void *context, const char *ifname), void *context)
{
	FILE *file = fopen("/proc/net/unix", "re");
	char line[256], ifname[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	int count = 0;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (!parse_listener(line, ifname, sizeof(ifname)))
			continue;
		fn(context, ifname);
		count++;
	}
	fclose(file);
	return count;
}
