/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bench_lab.h"

#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

static const char *const sources[] = {BENCH_FIRST_SOURCE "/24", NULL};
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
