/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Namespaces are entered by the thread that sets them up, one after the other. */
#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define CARRIER_MS 3000
#define LOOPBACK 1 /* its index in every network namespace */

static enum lab_place other_end(enum lab_place place)
{
	return place == LAB_SERVER ? LAB_CLIENT : LAB_SERVER;
}

int lab_enter(const struct lab *lab, enum lab_place place)
{
	return setns(lab->namespaces[place], CLONE_NEWNET) ? -errno : 0;
}

int lab_set_sysctl(const char *name, const char *value)
{
	const ssize_t len = (ssize_t)strlen(value);
	char path[128];
	int fd, err;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write(fd, value, (size_t)len) == len ? 0 : -errno;
	close(fd);
	return err;
}

static int keep_current(struct lab *lab, enum lab_place place)
{
	lab->namespaces[place] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return lab->namespaces[place] < 0 ? -errno : 0;
}

static int make_namespaces(struct lab *lab)
{
	int err = keep_current(lab, LAB_HOME), back_err = 0;

	for (enum lab_place place = LAB_SERVER; !err && place < LAB_PLACES; place++)
		err = unshare(CLONE_NEWNET) ? -errno : keep_current(lab, place);
	if (lab->namespaces[LAB_HOME] >= 0)
		back_err = lab_enter(lab, LAB_HOME);
	return err ?: back_err;
}

/* Texts of a plan are right, or the program is wrong. */
static struct addr addr_of(const char *text)
{
	struct addr addr = {0};

	addr_parse(text, &addr);
	return addr;
}

static const uint8_t *mac_of(const char *text, uint8_t mac[LAB_MAC_SIZE])
{
	if (!text || sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2],
			    &mac[3], &mac[4], &mac[5]) != LAB_MAC_SIZE)
		return NULL;
	return mac;
}

static int add_links(const struct lab *lab)
{
	const struct lab_plan *plan = lab->plan;
	uint8_t server_mac[LAB_MAC_SIZE], client_mac[LAB_MAC_SIZE];
	const struct lab_veth_end ends[] = {
		{plan->ifname, mac_of(plan->ends[LAB_SERVER].mac, server_mac), LAB_NET_HERE},
		{plan->ifname, mac_of(plan->ends[LAB_CLIENT].mac, client_mac),
		 lab->namespaces[LAB_CLIENT]},
	};
	const struct lab_veth_end spare[] = {
		{plan->spare, NULL, LAB_NET_HERE},
		{"spare-peer", NULL, LAB_NET_HERE},
	};
	int err = lab_enter(lab, LAB_SERVER) ?: lab_net_add_veth(ends);

	if (err || !plan->spare)
		return err;
	return lab_enter(lab, LAB_CLIENT) ?: lab_net_add_veth(spare);
}

static int add_routes(const struct lab *lab, enum lab_place place)
{
	const struct lab_end *end = &lab->plan->ends[place];
	const struct addr gateway = addr_of(lab->plan->ends[other_end(place)].address);
	struct prefix prefix;
	int err = 0;

	for (const char *const *text = end->routed; !err && text && *text; text++)
		err = prefix_parse(*text, &prefix) ? lab_net_add_route(&prefix, &gateway) : -EINVAL;
	for (const char *const *text = end->local; !err && text && *text; text++)
		err = prefix_parse(*text, &prefix) ? lab_net_add_local(&prefix) : -EINVAL;
	return err;
}

static int set_sysctls(const struct lab_sysctl *sysctl)
{
	int err = 0;

	for (; !err && sysctl && sysctl->name; sysctl++)
		err = lab_set_sysctl(sysctl->name, sysctl->value);
	return err;
}

static int set_up_end(struct lab *lab, enum lab_place place)
{
	const struct addr addr = addr_of(lab->plan->ends[place].address);
	struct lab_link *link = &lab->links[place];
	int err = lab_enter(lab, place);

	if (!err)
		err = lab_net_find(lab->plan->ifname, link);
	if (!err)
		err = set_sysctls(lab->plan->ends[place].sysctls);
	if (!err)
		err = lab_net_add_address(link->ifindex, &addr, lab->plan->prefix_bits);
	if (!err)
		err = lab_net_set_up(LOOPBACK);
	if (!err)
		err = lab_net_set_up(link->ifindex);
	return err ?: add_routes(lab, place);
}

static int find_spare(struct lab *lab)
{
	struct lab_link spare;
	int err;

	if (!lab->plan->spare)
		return 0;
	err = lab_enter(lab, LAB_CLIENT) ?: lab_net_find(lab->plan->spare, &spare);
	lab->spare_ifindex = err ? 0 : spare.ifindex;
	return err;
}

static int await_carriers(const struct lab *lab)
{
	int err = 0;

	for (enum lab_place place = LAB_SERVER; !err && place < LAB_PLACES; place++)
		err = lab_enter(lab, place) ?: lab_net_await_carrier(lab->plan->ifname, CARRIER_MS);
	return err;
}

static int join(struct lab *lab)
{
	int err = add_links(lab);

	if (!err)
		err = set_up_end(lab, LAB_SERVER);
	if (!err)
		err = set_up_end(lab, LAB_CLIENT);
	if (!err)
		err = find_spare(lab);
	if (!err)
		err = await_carriers(lab);
	for (enum lab_place place = LAB_SERVER; !err && place < LAB_PLACES; place++)
		err = lab->plan->knows_neighbours ? lab_show_neighbour(lab, place) : 0;
	return err ?: lab_enter(lab, LAB_HOME);
}

static int choose_cpus(struct lab *lab)
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
	lab->cpus[LAB_HOME] = lab->cpus[LAB_CLIENT] = first;
	lab->cpus[LAB_SERVER] = last;
	return 0;
}

int lab_open(struct lab *lab, const struct lab_plan *plan)
{
	int err;

	*lab = (struct lab)LAB_NONE;
	lab->plan = plan;
	err = choose_cpus(lab) ?: make_namespaces(lab);
	if (err) {
		log_error("%scannot make a network namespace: %s", plan->who, strerror(-err));
		goto out;
	}
	err = join(lab);
	if (err)
		log_error("%scannot join two namespaces with a veth: %s", plan->who,
			  strerror(-err));
out:
	if (err)
		lab_close(lab);
	return err;
}

void lab_close(struct lab *lab)
{
	/* Without the first of ours nobody has left. */
	if (lab->namespaces[LAB_SERVER] >= 0 && lab_enter(lab, LAB_HOME))
		log_warning("cannot go back to the own namespace: %s", strerror(errno));
	for (enum lab_place place = LAB_HOME; place < LAB_PLACES; place++)
		if (lab->namespaces[place] >= 0)
			close(lab->namespaces[place]);
	*lab = (struct lab)LAB_NONE;
}

/* 8: ARP requests are neither answered nor learnt from. */
static int hide_other_end(const struct lab *lab, enum lab_place place)
{
	const struct addr other = addr_of(lab->plan->ends[other_end(place)].address);
	int err = lab_enter(lab, place);

	if (!err)
		err = lab_set_sysctl("net/ipv4/conf/all/arp_ignore", "8");
	return err ?: lab_net_forget_neighbour(lab->links[place].ifindex, &other);
}

int lab_hide_neighbours(const struct lab *lab)
{
	int err = hide_other_end(lab, LAB_SERVER) ?: hide_other_end(lab, LAB_CLIENT);

	return lab_enter(lab, LAB_HOME) ?: err;
}

int lab_show_neighbour(const struct lab *lab, enum lab_place place)
{
	const enum lab_place other = other_end(place);
	const struct addr addr = addr_of(lab->plan->ends[other].address);
	int err = lab_enter(lab, place);

	if (!err)
		err = lab_net_set_neighbour(lab->links[place].ifindex, &addr,
					    lab->links[other].mac);
	return lab_enter(lab, LAB_HOME) ?: err;
}
