/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tun_peer NAMESPACE NAMESPACE IFNAME [DELAY_MS]: a tun device (no link header) of that name in each of the two network
 * namespaces, joined by copying packets, each of which takes that long, one after the other. Prints "ready" when both
 * exist; they vanish with the process.
 */
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/tool.h"

static void enter(const char *namespace)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", namespace);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		fail(namespace);
	close(fd);
}

static int open_tun(const char *ifname)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request))
		fail(ifname);
	return fd;
}

static struct timespec delay;

/* EIO: the device is down, as while it is being set up. */
static void copy(int from, int to)
{
	uint8_t packet[65536];
	ssize_t len = read(from, packet, sizeof(packet));

	clock_nanosleep(CLOCK_MONOTONIC, 0, &delay, NULL);
	if (len > 0 && write(to, packet, (size_t)len) < 0 && errno != EAGAIN && errno != EIO)
		fail("write");
}

int main(int argc, char **argv)
{
	struct pollfd ends[2] = {{.events = POLLIN}, {.events = POLLIN}};

	if (argc < 4 || argc > 5)
		usage("NAMESPACE NAMESPACE IFNAME [DELAY_MS]");
	if (argc == 5)
		delay.tv_nsec = atol(argv[4]) * 1000000;
	for (int i = 0; i < 2; i++) {
		enter(argv[1 + i]);
		ends[i].fd = open_tun(argv[3]);
	}
	puts("ready");
	fflush(stdout);
	while (poll(ends, 2, -1) > 0) {
		if (ends[0].revents)
			copy(ends[0].fd, ends[1].fd);
		if (ends[1].revents)
			copy(ends[1].fd, ends[0].fd);
	}
	return 1;
}
