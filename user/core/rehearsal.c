/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "rehearsal.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "capture_file.h"
#include "control.h"
#include "log.h"
#include "metrics_server.h"
#include "socket_spec.h"

struct search {
	const char *ifname;
	bool is_there;
};

static void compare(void *context, const char *ifname)
{
	struct search *search = context;

	search->is_there |= !strcmp(search->ifname, ifname);
}

int rehearsal_lock(const char *ifname)
{
	struct search search = {.ifname = ifname};
	int count = control_visit(compare, &search);

	if (count < 0) {
		log_error("%s: cannot open the control socket: %s", ifname, strerror(-count));
		return count;
	}
	if (!search.is_there)
		return 0;
	log_error("%s: another nolisten-loader is on this interface", ifname);
	return -EADDRINUSE;
}

/* What open() or bind() would say of a new file there. */
static int look_at_folder(const char *path)
{
	char copy[PATH_MAX];
	struct stat status;

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return -ENAMETOOLONG;
	if (stat(dirname(copy), &status))
		return -errno;
	if (!S_ISDIR(status.st_mode))
		return -ENOTDIR;
	snprintf(copy, sizeof(copy), "%s", path);
	return access(dirname(copy), W_OK | X_OK) ? -errno : 0;
}

int rehearsal_events(const struct config *config)
{
	const char *path = config->is_rehearsal ? config->events.target : NULL;
	struct stat status;
	int err;

	/* Words in front of a colon are no files. */
	if (!path || !strcmp(path, "-") || !*path || strchr(path, ':'))
		return 0;
	if (stat(path, &status))
		err = errno == ENOENT ? look_at_folder(path) : -errno;
	else if (S_ISDIR(status.st_mode))
		err = -EISDIR;
	else
		err = access(path, W_OK) ? -errno : 0;
	if (err)
		log_error("%s: cannot open for events: %s", path, strerror(-err));
	return err;
}

int rehearsal_capture(const char *path)
{
	struct stat status;
	int err;

	if (!strcmp(path, "-"))
		return 0;
	if (!lstat(path, &status))
		return capture_file_check(path);
	err = errno == ENOENT ? look_at_folder(path) : -errno;
	if (err)
		log_error("%s: cannot open for packets: %s", path, strerror(-err));
	return err;
}

/* Is a socket there that nobody listens at? Then it is replaced. */
static int look_at_socket(const char *path, int type)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct stat status;
	int fd, err = 0;

	if (strlen(path) >= sizeof(name.sun_path))
		return -ENAMETOOLONG;
	strcpy(name.sun_path, path);
	if (lstat(path, &status))
		return errno == ENOENT ? look_at_folder(path) : -errno;
	if (!S_ISSOCK(status.st_mode))
		return -EADDRINUSE;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&name, sizeof(name)) || errno != ECONNREFUSED)
		err = -EADDRINUSE;
	close(fd);
	return err;
}

int rehearsal_service(const char *service)
{
	struct socket_spec spec;
	int err;

	if (!socket_spec_of_service(service, &spec))
		return 0;
	err = look_at_socket(spec.path, SOCK_SEQPACKET);
	if (err)
		log_error("--service: %s: %s", spec.path,
			  err == -EADDRINUSE ? "another process listens there, or it is no socket"
					     : strerror(-err));
	return err;
}

int rehearsal_metrics(const char *address)
{
	const char *path = address && !strncmp(address, "unix:", 5) ? address + 5 : NULL;
	int err = !address ? 0
		  : path   ? look_at_socket(path, SOCK_STREAM)
			   : metrics_address_try(address);

	if (err)
		log_error("metrics on %s: %s", address, strerror(-err));
	return err;
}
