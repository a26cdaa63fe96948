/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From the options to the descriptors of a loader. The socket it is asked at stays open: its end is ours. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "fd_message.h"
#include "lib.h"

#define DEFAULT_PATH "/run/nolisten.sock"

static __thread char why_text[APP_WHY_SIZE + 128];

LIB_EXPORT const char *nolisten_why(void)
{
	return why_text;
}

int lib_fail(int err, const char *what, const char *why)
{
	snprintf(why_text, sizeof(why_text), "%s%s%s", what, *what ? ": " : "", why);
	return err;
}

static int fail(int err, const char *what)
{
	return lib_fail(err, what, strerror(-err));
}

const char *lib_find_path(const char *asked)
{
	const char *path = asked ? asked : secure_getenv("NOLISTEN_SOCKET");

	return path && *path ? path : DEFAULT_PATH;
}

static int check_options(const struct nolisten_options *options)
{
	if (options->flags & ~NOLISTEN_NONBLOCK)
		return lib_fail(-EINVAL, "", "flags that this library does not know");
	for (size_t i = 0; i < sizeof(options->reserved) / sizeof(options->reserved[0]); i++)
		if (options->reserved[i])
			return lib_fail(-EINVAL, "", "something reserved is not 0");
	return 0;
}

/* The abstract namespace has no modes: anybody may have taken a name there. */
static int check_peer(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len))
		return -errno;
	return who.uid && who.uid != geteuid() ? -EPERM : 0;
}

/* "@name": in the abstract namespace. */
static socklen_t name_of(const char *path, struct sockaddr_un *out)
{
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(out->sun_path, path, strlen(path));
	if (*path != '@')
		return sizeof(*out);
	out->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
}

/* A full backlog makes connect() wait: not for ever. */
int lib_connect_to(const char *path)
{
	const struct timeval limit = {.tv_sec = LIB_ANSWER_MS / 1000};
	struct sockaddr_un name;
	socklen_t len;
	int fd, err = 0;

	if (strlen(path) >= sizeof(name.sun_path))
		return fail(-ENAMETOOLONG, path);
	len = name_of(path, &name);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(-errno, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
	    connect(fd, (struct sockaddr *)&name, len))
		err = errno == EAGAIN ? -ETIMEDOUT : -errno;
	else if (*path == '@')
		err = check_peer(fd);
	if (!err)
		return fd;
	close(fd);
	return fail(err, path);
}

/* A loader that does not let us in has hung up, perhaps; why, it has said. */
static int send_request(int fd, const struct nolisten_options *options, const char *path)
{
	char *message = malloc(APP_REQUEST_SIZE);
	size_t len;
	int err = 0;

	if (!message)
		return fail(-ENOMEM, "");
	len = app_request_build(message, APP_REQUEST_SIZE, options->ports, options->addresses);
	if (!len)
		err = lib_fail(-EINVAL, "", "the list of ports or addresses is too long");
	else if (send(fd, message, len, MSG_NOSIGNAL) < 0 && errno != EPIPE)
		err = fail(-errno, path);
	free(message);
	return err;
}

static int await_reply(int fd, const char *path)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int ready;

	do
		ready = poll(&poll_fd, 1, LIB_ANSWER_MS);
	while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return fail(-errno, path);
	return ready ? 0 : fail(-ETIMEDOUT, path);
}

/* Refused, or what has come is not what it says. */
static int check_reply(struct app_reply *reply, ssize_t len, size_t count, const char *path)
{
	if (len < 0)
		return fail((int)len, path);
	if (len == 0)
		return lib_fail(-ECONNREFUSED, path, "the loader has hung up");
	reply->why[sizeof(reply->why) - 1] = '\0';
	if (len != sizeof(*reply) || reply->magic != APP_MAGIC)
		return lib_fail(-EPROTO, path, "no loader, or one of another version");
	if (reply->kind == APP_REFUSED && reply->err < 0)
		return lib_fail(reply->err, "", reply->why);
	if (reply->kind != APP_OPENED || !reply->data_count ||
	    reply->data_count > APP_DESCRIPTORS || reply->parent_count > APP_DESCRIPTORS)
		return lib_fail(-EPROTO, path, "no loader, or one of another version");
	if (count != (size_t)reply->data_count + reply->parent_count)
		return fail(-EMFILE, path);
	return 0;
}

/* A loader that has hung up without having read the request: what it said comes behind the error. */
static ssize_t receive_reply(struct nolisten *nolisten, struct app_reply *reply, size_t *count)
{
	ssize_t len = -ECONNRESET;

	for (int i = 0; i < 2 && len == -ECONNRESET; i++)
		len = fd_message_receive(nolisten->control_fd, reply, sizeof(*reply), nolisten->fds,
					 APP_DESCRIPTORS, count);
	return len;
}

static int read_reply(struct nolisten *nolisten, const char *path)
{
	struct app_reply reply;
	size_t count;
	ssize_t len = receive_reply(nolisten, &reply, &count);
	int err = check_reply(&reply, len, count, path);

	if (err) {
		fd_message_close(nolisten->fds, count);
		return err;
	}
	nolisten->data_count = reply.data_count;
	nolisten->parent_count = reply.parent_count;
	nolisten->scope_id = reply.scope_id;
	return 0;
}

static int ask(struct nolisten *nolisten, const struct nolisten_options *options)
{
	const char *path = lib_find_path(options->path);
	int err;

	nolisten->control_fd = lib_connect_to(path);
	if (nolisten->control_fd < 0)
		return nolisten->control_fd;
	err = send_request(nolisten->control_fd, options, path);
	if (!err)
		err = await_reply(nolisten->control_fd, path);
	return err ?: read_reply(nolisten, path);
}

static int watch(struct nolisten *nolisten, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(nolisten->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_poll(struct nolisten *nolisten)
{
	int err = 0;

	nolisten->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	nolisten->left_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (nolisten->epoll_fd < 0 || nolisten->left_fd < 0)
		return fail(-errno, "epoll");
	err = watch(nolisten, nolisten->control_fd);
	if (!err)
		err = watch(nolisten, nolisten->left_fd);
	for (uint32_t i = 0; !err && i < nolisten->data_count + nolisten->parent_count; i++)
		err = watch(nolisten, nolisten->fds[i]);
	return err ? fail(err, "epoll") : 0;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void release(struct nolisten *nolisten)
{
	fd_message_close(nolisten->fds, nolisten->data_count + nolisten->parent_count);
	close_if_open(nolisten->epoll_fd);
	close_if_open(nolisten->left_fd);
	close_if_open(nolisten->control_fd);
	pthread_mutex_destroy(&nolisten->lock);
	free(nolisten);
}

LIB_EXPORT int nolisten_open(struct nolisten **out, const struct nolisten_options *options)
{
	static const struct nolisten_options none;
	struct nolisten *nolisten;
	int err = check_options(options ? options : &none);

	if (err)
		return err;
	nolisten = calloc(1, sizeof(*nolisten));
	if (!nolisten)
		return fail(-ENOMEM, "");
	options = options ? options : &none;
	nolisten->epoll_fd = nolisten->control_fd = nolisten->left_fd = -1;
	nolisten->is_nonblocking = options->flags & NOLISTEN_NONBLOCK;
	pthread_mutex_init(&nolisten->lock, NULL);
	err = ask(nolisten, options);
	if (!err)
		err = open_poll(nolisten);
	if (err)
		release(nolisten);
	else
		*out = nolisten;
	return err;
}

LIB_EXPORT int nolisten_fd(const struct nolisten *nolisten)
{
	return nolisten->epoll_fd;
}

/* What was received and not given away: nobody will read what its remote says. */
static void reset_batch(struct batch *batch)
{
	const struct linger at_once = {.l_onoff = 1};

	for (; batch->next < batch->count; batch->next++) {
		setsockopt(batch->fds[batch->next], SOL_SOCKET, SO_LINGER, &at_once,
			   sizeof(at_once));
		close(batch->fds[batch->next]);
	}
}

LIB_EXPORT void nolisten_close(struct nolisten *nolisten)
{
	const struct app_request request = {.magic = APP_MAGIC, .kind = APP_CLOSE};

	if (!nolisten)
		return;
	send(nolisten->control_fd, &request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT);
	reset_batch(&nolisten->batch);
	release(nolisten);
}
