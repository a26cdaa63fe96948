/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bench_lab.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "job.h"

#define STEER_MS 2000
#define CPUS_OF_WORD 32

static const char *const sources[] = {BENCH_FIRST_SOURCE "/24", NULL};
static const char *const answered[] = {BENCH_MANY_PREFIXES, NULL};
static const char *const behind_the_client[] = {
	BENCH_FIRST_SOURCE "/24",
	BENCH_FLOOD_PREFIX "/16",
	NULL,
};

static const struct lab_sysctl server_sysctls[] = {
	{"net/ipv4/conf/all/rp_filter", "0"},
	{"net/ipv4/conf/" BENCH_IFNAME "/rp_filter", "0"},
	{"net/ipv4/tcp_max_syn_backlog", "4096"},
	{"net/core/somaxconn", "4096"},
	{0},
};

static const struct lab_sysctl client_sysctls[] = {
	{"net/ipv4/conf/all/rp_filter", "0"},
	{"net/ipv4/conf/" BENCH_IFNAME "/rp_filter", "0"},
	{"net/ipv4/ip_local_port_range", "1024 65000"},
	{0},
};

const struct lab_plan bench_lab_plan = {
	.who = "bench: ",
	.ifname = BENCH_IFNAME,
	.spare = "spare0",
	.prefix_bits = 24,
	.knows_neighbours = true,
	.ends =
		{
			[LAB_SERVER] =
				{
					.address = BENCH_SERVER_ADDRESS,
					.mac = "02:00:00:00:99:02",
					.routed = behind_the_client,
					.local = answered,
					.sysctls = server_sysctls,
				},
			[LAB_CLIENT] =
				{
					.address = BENCH_CLIENT_ADDRESS,
					.mac = "02:00:00:00:99:01",
					.local = sources,
					.sysctls = client_sysctls,
				},
		},
};

/* By ioctl(): not every kernel has ethtool's netlink. */
int bench_lab_set_gro(const struct lab *lab, bool is_on)
{
	struct ethtool_value value = {.cmd = ETHTOOL_SGRO, .data = is_on};
	struct ifreq request = {.ifr_name = BENCH_IFNAME, .ifr_data = (void *)&value};
	int fd, err = lab_enter(lab, LAB_SERVER);

	if (err)
		return err;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return lab_enter(lab, LAB_HOME) ?: err;
}

struct steering {
	int cpu; /* JOB_ANY_CPU: steer no more */
};

/* "8" for CPU 3; words of 32 bits, the lowest last: "8,00000000" for CPU 35. */
static int format_mask(char *text, size_t size, int cpu)
{
	int len = snprintf(text, size, "%x", cpu < 0 ? 0 : 1u << cpu % CPUS_OF_WORD);

	for (int word = cpu / CPUS_OF_WORD; word > 0; word--)
		len += snprintf(text + len, size - len, ",00000000");
	return len;
}

/* The namespace's own /sys, in a mount namespace of this process alone. */
static int steer_here(const void *argument, void *result)
{
	const struct steering *steering = argument;
	char mask[256];
	const int len = format_mask(mask, sizeof(mask), steering->cpu);
	int fd, err = 0;

	(void)result;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL))
		return -errno;
	fd = open("/sys/class/net/" BENCH_IFNAME "/queues/rx-0/rps_cpus", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, mask, len) != len)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

int bench_lab_steer(const struct lab *lab, bool is_on)
{
	int err = 0;

	for (enum lab_place place = LAB_SERVER; !err && place < LAB_PLACES; place++) {
		const struct steering steering = {is_on ? lab->cpus[place] : -1};
		const struct job_function function = {.fn = steer_here,
						      .argument = &steering,
						      .place = place,
						      .cpu = JOB_ANY_CPU};

		err = job_run(lab, &function, STEER_MS);
	}
	return err;
}
