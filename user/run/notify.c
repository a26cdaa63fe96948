/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A later kernel's structs may be longer than those that we know: it says how long. */
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From Linux 6.6: whoever asks, and then waits, gives us its processor at once. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

struct notify {
	int fd;
	size_t call_size, answer_size;
	struct seccomp_notif *call;
	struct seccomp_notif_resp *answer;
};

static size_t at_least(size_t size, size_t minimum)
{
	return size > minimum ? size : minimum;
}

static int allocate(struct notify *notify)
{
	struct seccomp_notif_sizes sizes = {0};

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes))
		return -errno;
	notify->call_size = at_least(sizes.seccomp_notif, sizeof(*notify->call));
	notify->answer_size = at_least(sizes.seccomp_notif_resp, sizeof(*notify->answer));
	notify->call = calloc(1, notify->call_size);
	notify->answer = calloc(1, notify->answer_size);
	return notify->call && notify->answer ? 0 : -ENOMEM;
}

int notify_new(struct notify **out, int fd)
{
	struct notify *notify = calloc(1, sizeof(*notify));
	int err = notify ? 0 : -ENOMEM;

	if (!err) {
		notify->fd = fd;
		err = allocate(notify);
	}
	if (err) {
		if (notify)
			notify_free(notify);
		else
			close(fd);
		return err;
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	*out = notify;
	return 0;
}

void notify_free(struct notify *notify)
{
	if (!notify)
		return;
	close(notify->fd);
	free(notify->call);
	free(notify->answer);
	free(notify);
}

int notify_fd(const struct notify *notify)
{
	return notify->fd;
}

int notify_receive(struct notify *notify, struct call *out)
{
	const struct seccomp_notif *call = notify->call;

	memset(notify->call, 0, notify->call_size);
	if (ioctl(notify->fd, SECCOMP_IOCTL_NOTIF_RECV, notify->call))
		return -errno;
	*out = (struct call){.id = call->id, .tid = (pid_t)call->pid, .number = call->data.nr};
	for (int i = 0; i < 6; i++)
		out->arguments[i] = call->data.args[i];
	return 0;
}

bool notify_is_waiting(const struct notify *notify, const struct call *call)
{
	uint64_t id = call->id;

	return !ioctl(notify->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
}

static int answer(struct notify *notify, const struct call *call, int value, uint32_t flags)
{
	memset(notify->answer, 0, notify->answer_size);
	notify->answer->id = call->id;
	notify->answer->error = value < 0 ? value : 0;
	notify->answer->val = value < 0 ? 0 : value;
	notify->answer->flags = flags;
	return ioctl(notify->fd, SECCOMP_IOCTL_NOTIF_SEND, notify->answer) ? -errno : 0;
}

int notify_return(struct notify *notify, const struct call *call, int value)
{
	return answer(notify, call, value, 0);
}

int notify_continue(struct notify *notify, const struct call *call)
{
	return answer(notify, call, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

static int add_fd(struct notify *notify, const struct call *call,
		  const struct seccomp_notif_addfd *how)
{
	struct seccomp_notif_addfd add = *how;

	add.id = call->id;
	return ioctl(notify->fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 ? -errno : 0;
}

int notify_return_fd(struct notify *notify, const struct call *call, int fd, bool is_cloexec)
{
	const struct seccomp_notif_addfd how = {
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.srcfd = (uint32_t)fd,
		.newfd_flags = is_cloexec ? O_CLOEXEC : 0,
	};

	return add_fd(notify, call, &how);
}

int notify_replace_fd(struct notify *notify, const struct call *call, int fd, int place,
		      bool is_cloexec)
{
	const struct seccomp_notif_addfd how = {
		.flags = SECCOMP_ADDFD_FLAG_SETFD,
		.srcfd = (uint32_t)fd,
		.newfd = (uint32_t)place,
		.newfd_flags = is_cloexec ? O_CLOEXEC : 0,
	};

	return add_fd(notify, call, &how);
}
