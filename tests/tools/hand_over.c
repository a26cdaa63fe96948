/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hand_over PATH: gives its standard input, a connection, to whoever listens on the Unix socket PATH, and stays until that
 * one closes. What a service of exec: runs, for a test that wants to hold both ends of a connection.
 */
#include <sys/un.h>
#include <unistd.h>

#include "tools/tool.h"

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (argc != 2)
		usage("PATH");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		fail(argv[1]);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memset(CMSG_DATA(rights), 0, sizeof(int));
	if (sendmsg(fd, &message, 0) != 1)
		fail("sendmsg");
	close(0);
	close(1);
	while (read(fd, &byte, 1) > 0)
		;
	return 0;
}
