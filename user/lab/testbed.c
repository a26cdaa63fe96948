/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "testbed.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "job.h"
#include "log.h"

#define SERVER_MAC "02:00:00:00:99:02"
#define CLIENT_MAC "02:00:00:00:99:01"

/* Both ends at once, so that no end is ever in the namespace that we came from. */
static const char server_commands[] =
	"link set lo up\n"
	"link add " TESTBED_IFNAME " address " SERVER_MAC " type veth peer name " TESTBED_IFNAME
	" address " CLIENT_MAC " netns /proc/%d/fd/%d\n"
	"link set " TESTBED_IFNAME " up\n"
	"address add " TESTBED_SERVER_ADDRESS "/24 dev " TESTBED_IFNAME "\n"
	"route add 10.99.64.0/24 via " TESTBED_CLIENT_ADDRESS "\n"
	"route add " TESTBED_FLOOD_PREFIX "/16 via " TESTBED_CLIENT_ADDRESS "\n"
	"neigh replace " TESTBED_CLIENT_ADDRESS " lladdr " CLIENT_MAC
	" nud permanent dev " TESTBED_IFNAME "\n";

static const char client_commands[] =
	"link add " TESTBED_SPARE " type veth peer name spare1\n"
	"link set lo up\n"
	"link set " TESTBED_IFNAME " up\n"
	"address add " TESTBED_CLIENT_ADDRESS "/24 dev " TESTBED_IFNAME "\n"
	"route add local 10.99.64.0/24 dev lo\n"
	"neigh replace " TESTBED_SERVER_ADDRESS " lladdr " SERVER_MAC
	" nud permanent dev " TESTBED_IFNAME "\n";

static const struct {
	enum testbed_role role;
	const char *name, *value;
} sysctls[] = {
	{TESTBED_SERVER, "net/ipv4/conf/all/rp_filter", "0"},
	{TESTBED_SERVER, "net/ipv4/conf/" TESTBED_IFNAME "/rp_filter", "0"},
	{TESTBED_SERVER, "net/ipv4/tcp_max_syn_backlog", "4096"},
	{TESTBED_SERVER, "net/core/somaxconn", "4096"},
	{TESTBED_CLIENT, "net/ipv4/conf/all/rp_filter", "0"},
	{TESTBED_CLIENT, "net/ipv4/conf/" TESTBED_IFNAME "/rp_filter", "0"},
	{TESTBED_CLIENT, "net/ipv4/ip_local_port_range", "1024 65000"},
};

int testbed_set_sysctl(const char *name, const char *value)
{
	char path[128];
	ssize_t len = (ssize_t)strlen(value);
	int fd, err;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write(fd, value, len) == len ? 0 : -errno;
	close(fd);
	return err;
}

int testbed_enter(const struct testbed *lab, enum testbed_role role)
{
	return setns(lab->ns_fds[role], CLONE_NEWNET) ? -errno : 0;
}

static int keep_current(struct testbed *lab, enum testbed_role role)
{
	lab->ns_fds[role] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return lab->ns_fds[role] < 0 ? -errno : 0;
}

static int make_namespace(struct testbed *lab, enum testbed_role role)
{
	return unshare(CLONE_NEWNET) ? -errno : keep_current(lab, role);
}

static int make_namespaces(struct testbed *lab)
{
	int err = keep_current(lab, TESTBED_OUTSIDE);

	if (!err)
		err = make_namespace(lab, TESTBED_SERVER);
	if (!err)
		err = make_namespace(lab, TESTBED_CLIENT);
	if (lab->ns_fds[TESTBED_OUTSIDE] >= 0 && testbed_enter(lab, TESTBED_OUTSIDE))
		err = -errno;
	return err;
}

/* One text for ip(8), in the namespace. */
static int run_ip(const struct testbed *lab, enum testbed_role role, const char *commands)
{
	char *argv[] = {"ip", "-batch", "-", NULL};
	const struct job_command command = {.argv = argv, .role = role, .input = commands};
	char reason[JOB_REASON_SIZE];
	int err = job_run_command(lab, &command, reason);

	if (err)
		log_error("bench: cannot make the network: ip: %s", reason);
	return err;
}

static int make_links(struct testbed *lab)
{
	char *commands;
	int err;

	if (asprintf(&commands, server_commands, getpid(), lab->ns_fds[TESTBED_CLIENT]) < 0)
		return -ENOMEM;
	err = run_ip(lab, TESTBED_SERVER, commands);
	free(commands);
	return err ?: run_ip(lab, TESTBED_CLIENT, client_commands);
}

static int look_at_end(struct testbed *lab, enum testbed_role role)
{
	struct ifreq request = {.ifr_name = TESTBED_IFNAME};
	int fd, err = testbed_enter(lab, role);

	if (err)
		return err;
	lab->ifindexes[role] = if_nametoindex(TESTBED_IFNAME);
	if (role == TESTBED_CLIENT)
		lab->spare_ifindex = if_nametoindex(TESTBED_SPARE);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request))
		err = -errno;
	if (fd >= 0)
		close(fd);
	memcpy(lab->macs[role], request.ifr_hwaddr.sa_data, sizeof(lab->macs[role]));
	for (size_t i = 0; !err && i < sizeof(sysctls) / sizeof(sysctls[0]); i++)
		if (sysctls[i].role == role)
			err = testbed_set_sysctl(sysctls[i].name, sysctls[i].value);
	return testbed_enter(lab, TESTBED_OUTSIDE) ?: err;
}

static int choose_cpus(struct testbed *lab)
{
	cpu_set_t cpus;
	int first = -1, last = -1;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		return -errno;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &cpus))
			continue;
		first = first < 0 ? cpu : first;
		last = cpu;
	}
	lab->cpus[TESTBED_OUTSIDE] = lab->cpus[TESTBED_CLIENT] = first;
	lab->cpus[TESTBED_SERVER] = last;
	return 0;
}

int testbed_open(struct testbed *lab)
{
	int err;

	*lab = (struct testbed){.ns_fds = {-1, -1, -1}};
	err = choose_cpus(lab);
	if (!err)
		err = make_namespaces(lab);
	if (err) {
		log_error("bench: cannot make network namespaces: %s", strerror(-err));
		return err;
	}
	err = make_links(lab);
	if (err)
		return err;
	err = look_at_end(lab, TESTBED_SERVER) ?: look_at_end(lab, TESTBED_CLIENT);
	if (err)
		log_error("bench: cannot set up the network: %s", strerror(-err));
	return err;
}

void testbed_close(struct testbed *lab)
{
	for (int role = 0; role < TESTBED_ROLES; role++) {
		if (lab->ns_fds[role] >= 0)
			close(lab->ns_fds[role]);
		lab->ns_fds[role] = -1;
	}
}

int testbed_set_gro(const struct testbed *lab, bool is_on)
{
	struct ethtool_value value = {.cmd = ETHTOOL_SGRO, .data = is_on};
	struct ifreq request = {.ifr_name = TESTBED_IFNAME, .ifr_data = (void *)&value};
	int fd, err = testbed_enter(lab, TESTBED_SERVER);

	if (err)
		return err;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return testbed_enter(lab, TESTBED_OUTSIDE) ?: err;
}
