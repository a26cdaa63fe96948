/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "fd_message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(FD_MESSAGE_MAX * sizeof(int))];
};

int fd_message_send(int fd, const void *message, size_t len, const int *fds, size_t count)
{
	struct iovec vector = {(void *)message, len};
	struct msghdr out = {.msg_iov = &vector, .msg_iovlen = 1};
	union control control;

	if (count > FD_MESSAGE_MAX)
		return -EINVAL;
	if (count) {
		control.head = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(count * sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(&control.head), fds, count * sizeof(int));
		out.msg_control = &control;
		out.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	return sendmsg(fd, &out, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Those of one message, which Linux puts into one header. */
static size_t take_descriptors(struct msghdr *in, int *fds, size_t max)
{
	size_t count = 0;

	for (struct cmsghdr *head = CMSG_FIRSTHDR(in); head; head = CMSG_NXTHDR(in, head)) {
		size_t here = 0;

		if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
			here = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < here; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(fd));
			if (count < max)
				fds[count++] = fd;
			else
				close(fd);
		}
	}
	return count;
}

ssize_t fd_message_receive(int fd, void *message, size_t size, int *fds, size_t max, size_t *count)
{
	struct iovec vector = {message, size};
	union control control;
	struct msghdr in = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(fd, &in, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC);

	*count = 0;
	if (len < 0)
		return -errno;
	*count = take_descriptors(&in, fds, max);
	return len;
}

void fd_message_close(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}
