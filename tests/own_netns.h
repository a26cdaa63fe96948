/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A network namespace for the test process alone, its loopback up; it goes when the process goes. */
#ifndef NOLISTEN_TESTS_OWN_NETNS_H
#define NOLISTEN_TESTS_OWN_NETNS_H

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static inline bool raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is_up = fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &request);

	if (fd >= 0)
		close(fd);
	return is_up;
}

/* Without privileges: in a user namespace as well. false: errno says why not. */
static inline bool own_netns_enter(void)
{
	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return false;
	return raise_loopback();
}

/* TAP for a whole program that cannot run here; its exit status. */
static inline int own_netns_skip(const char *name)
{
	printf("1..1\nok 1 - %s # SKIP needs a network namespace of its own: %s\n", name,
	       strerror(errno));
	return 0;
}

#endif
