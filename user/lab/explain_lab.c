/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The laboratory of the demonstration: ioctl() for what it can do, and one netlink message for the veth. */
#include "explain_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "explain_veth.h"
#include "log.h"

#define OWN_NAMESPACE "/proc/self/ns/net"
#define ARP_IGNORE "/proc/sys/net/ipv4/conf/all/arp_ignore"
#define CARRIER_WAIT_NS (3 * CLOCK_NS_PER_S)

/* A new namespace, which the caller is in afterwards. */
static int make_namespace(void)
{
	int fd;

	if (unshare(CLONE_NEWNET))
		return -errno;
	fd = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void set_name(struct ifreq *request, const char *ifname)
{
	memset(request, 0, sizeof(*request));
	strncpy(request->ifr_name, ifname, IFNAMSIZ - 1);
}

static void set_address(struct sockaddr *out, const char *text)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)out;

	sin->sin_family = AF_INET;
	inet_pton(AF_INET, text, &sin->sin_addr);
}

static int add_flags(int fd, const char *ifname, short flags)
{
	struct ifreq request;

	set_name(&request, ifname);
	if (ioctl(fd, SIOCGIFFLAGS, &request))
		return -errno;
	request.ifr_flags |= flags;
	return ioctl(fd, SIOCSIFFLAGS, &request) ? -errno : 0;
}

static int set_up(const char *address)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;
	struct ifreq request;

	if (fd < 0)
		return -errno;
	set_name(&request, LAB_IFNAME);
	set_address(&request.ifr_addr, address);
	if (ioctl(fd, SIOCSIFADDR, &request))
		err = -errno;
	set_address(&request.ifr_netmask, "255.255.255.0");
	if (!err && ioctl(fd, SIOCSIFNETMASK, &request))
		err = -errno;
	if (!err)
		err = add_flags(fd, LAB_IFNAME, IFF_UP);
	if (!err)
		err = add_flags(fd, "lo", IFF_UP);
	close(fd);
	return err;
}

static bool is_running(int fd)
{
	struct ifreq request;

	set_name(&request, LAB_IFNAME);
	return !ioctl(fd, SIOCGIFFLAGS, &request) && request.ifr_flags & IFF_RUNNING;
}

/* The carrier comes a moment after both ends are up. */
static int wait_for_carrier(void)
{
	const struct timespec pause = {.tv_nsec = CLOCK_NS_PER_MS};
	const uint64_t deadline = clock_monotonic_ns() + CARRIER_WAIT_NS;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is_up;

	if (fd < 0)
		return -errno;
	while (!(is_up = is_running(fd)) && clock_monotonic_ns() < deadline)
		nanosleep(&pause, NULL);
	close(fd);
	return is_up ? 0 : -ETIMEDOUT;
}

static int open_namespaces(struct lab *lab)
{
	lab->home = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
	if (lab->home < 0)
		return -errno;
	lab->client = make_namespace();
	if (lab->client < 0)
		return lab->client;
	lab->server = make_namespace();
	return lab->server < 0 ? lab->server : 0;
}

static int join(const struct lab *lab)
{
	int err = veth_make(LAB_IFNAME, lab->client);

	if (!err)
		err = set_up(LAB_SERVER);
	if (!err)
		err = explain_lab_enter(lab, LAB_IN_CLIENT);
	if (!err)
		err = set_up(LAB_CLIENT);
	if (!err)
		err = wait_for_carrier();
	if (!err)
		err = explain_lab_enter(lab, LAB_IN_SERVER);
	return err ? err : wait_for_carrier();
}

int explain_lab_open(struct lab *lab)
{
	int err;

	*lab = (struct lab){-1, -1, -1};
	err = open_namespaces(lab);
	if (err) {
		log_error("cannot make a network namespace: %s", strerror(-err));
		goto out;
	}
	err = join(lab);
	if (err)
		log_error("cannot join two namespaces with a veth: %s", strerror(-err));
out:
	if (err)
		explain_lab_close(lab);
	return err;
}

void explain_lab_close(struct lab *lab)
{
	if (lab->client >= 0 && setns(lab->home, CLONE_NEWNET))
		log_warning("cannot go back to the own namespace: %s", strerror(errno));
	if (lab->home >= 0)
		close(lab->home);
	if (lab->server >= 0)
		close(lab->server);
	if (lab->client >= 0)
		close(lab->client);
	*lab = (struct lab){-1, -1, -1};
}

int explain_lab_enter(const struct lab *lab, enum lab_side side)
{
	const int fd = side == LAB_IN_SERVER ? lab->server : lab->client;

	return setns(fd, CLONE_NEWNET) ? -errno : 0;
}

/* 8: ARP requests are neither answered nor learnt from. */
static int ignore_arp(void)
{
	int fd = open(ARP_IGNORE, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, "8", 1) != 1)
		err = -errno;
	close(fd);
	return err;
}

static void set_neighbour(struct arpreq *request, enum lab_side side)
{
	memset(request, 0, sizeof(*request));
	strncpy(request->arp_dev, LAB_IFNAME, sizeof(request->arp_dev) - 1);
	set_address(&request->arp_pa, side == LAB_IN_SERVER ? LAB_CLIENT : LAB_SERVER);
}

static int forget_neighbour(enum lab_side side)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;
	struct arpreq request;

	if (fd < 0)
		return -errno;
	set_neighbour(&request, side);
	if (ioctl(fd, SIOCDARP, &request) && errno != ENXIO && errno != ENOENT)
		err = -errno;
	close(fd);
	return err;
}

int lab_hide_neighbours(const struct lab *lab)
{
	int err = ignore_arp();

	if (!err)
		err = forget_neighbour(LAB_IN_SERVER);
	if (!err)
		err = explain_lab_enter(lab, LAB_IN_CLIENT);
	if (!err)
		err = ignore_arp();
	if (!err)
		err = forget_neighbour(LAB_IN_CLIENT);
	explain_lab_enter(lab, LAB_IN_SERVER);
	return err;
}

/* In the namespace of the interface. */
static int read_mac(int fd, struct sockaddr *out)
{
	struct ifreq request;

	set_name(&request, LAB_IFNAME);
	if (ioctl(fd, SIOCGIFHWADDR, &request))
		return -errno;
	*out = request.ifr_hwaddr;
	return 0;
}

int lab_show_neighbour(const struct lab *lab, enum lab_side side)
{
	const enum lab_side other = side == LAB_IN_SERVER ? LAB_IN_CLIENT : LAB_IN_SERVER;
	int fds[2] = {-1, -1}, err = 0;
	struct arpreq request;

	set_neighbour(&request, side);
	request.arp_flags = ATF_COM | ATF_PERM;
	/* A socket stays in the namespace that it was made in. */
	for (int i = 0; !err && i < 2; i++) {
		err = explain_lab_enter(lab, i ? other : side);
		fds[i] = err ? -1 : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (!err && fds[i] < 0)
			err = -errno;
	}
	if (!err)
		err = read_mac(fds[1], &request.arp_ha);
	if (!err && ioctl(fds[0], SIOCSARP, &request))
		err = -errno;
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	explain_lab_enter(lab, LAB_IN_SERVER);
	return err;
}
