/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sysctls, tables near their end, limits of the process: of this network namespace, as they are now. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>

#include "netlink.h"
#include "numbers.h"
#include "survey.h"

#define NET "/proc/sys/net/"
#define PATH_SIZE 256
#define NAME_SIZE 64
#define WAY_SIZE 128
#define SPARE_DESCRIPTORS 64 /* what a loader has open besides connections, about */
#define FULL_PERCENT 90

/* root: with a slash at its end. */
static bool read_setting(const char *root, const char *name, uint64_t *out)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s%s", root, name);
	return !number_read_file(path, 0, out);
}

static uint64_t rp_filter_of(const char *root, const char *ifname)
{
	char name[NAME_SIZE];
	uint64_t value;

	snprintf(name, sizeof(name), "ipv4/conf/%s/rp_filter", ifname);
	return read_setting(root, name, &value) ? value : 0;
}

static void take_out(void *context, const struct nlmsghdr *message)
{
	const uint32_t *ifindex =
		netlink_find(message, sizeof(struct rtmsg), RTA_OIF, sizeof(*ifindex));

	if (message->nlmsg_type == RTM_NEWROUTE && ifindex)
		memcpy(context, ifindex, sizeof(*ifindex));
}

/* Where packets to an address that nobody has go (RFC 5737): the way of the default route. 0: nowhere. */
static uint32_t find_default(void)
{
	static const uint8_t address[] = {192, 0, 2, 1};
	union netlink_request request;
	struct rtmsg *route = netlink_request_init(&request, RTM_GETROUTE, 0, sizeof(struct rtmsg));
	uint32_t ifindex = 0;

	route->rtm_family = AF_INET;
	route->rtm_dst_len = 32;
	mnl_attr_put(&request.header, RTA_DST, sizeof(address), address);
	return netlink_ask_once(NETLINK_ROUTE, &request, take_out, &ifindex) ? 0 : ifindex;
}

static bool answers_v4(const struct survey_target *target)
{
	for (size_t i = 0; i < target->prefix_count; i++)
		if (addr_is_v4(&target->prefixes[i].addr))
			return true;
	return false;
}

/* The larger of the two counts; 1 is strict. */
static void look_at_rp_filter(struct survey *survey, const struct survey_target *target,
			      const char *root)
{
	const uint64_t all = rp_filter_of(root, "all"), own = rp_filter_of(root, target->ifname);
	const uint32_t ifindex = find_default();
	char way[WAY_SIZE];

	if ((all > own ? all : own) != 1 || target->link->is_loopback || !answers_v4(target) ||
	    ifindex == target->link->ifindex)
		return;
	snprintf(way, sizeof(way), "sysctl net.ipv4.conf.%s.rp_filter=2", target->ifname);
	survey_add(survey, SURVEY_MAY, "rp_filter", way,
		   "is 1 (strict), and %s: what completes the handshake of a remote whose way back "
		   "does not leave by %s is dropped, after its SYN was answered",
		   ifindex ? "the default route leaves by another interface"
			   : "there is no default route",
		   target->ifname);
}

static void look_at_conntrack(struct survey *survey, const struct survey_target *target,
			      const char *root)
{
	uint64_t loose, count, max;

	if (read_setting(root, "netfilter/nf_conntrack_tcp_loose", &loose) && !loose &&
	    !target->connects_back)
		survey_add(survey, SURVEY_MAY, "conntrack",
			   "sysctl net.netfilter.nf_conntrack_tcp_loose=1",
			   "nf_conntrack_tcp_loose is 0: the segment that completes a handshake is "
			   "invalid to connection tracking, which has seen no SYN; rules that drop "
			   "what is invalid end every connection");
	if (read_setting(root, "netfilter/nf_conntrack_count", &count) &&
	    read_setting(root, "netfilter/nf_conntrack_max", &max) && max &&
	    count >= max / 100 * FULL_PERCENT)
		survey_add(survey, SURVEY_MAY, "conntrack",
			   "raise sysctl net.netfilter.nf_conntrack_max",
			   "the table has %llu of %llu entries: once it is full the kernel drops "
			   "what completes a handshake",
			   (unsigned long long)count, (unsigned long long)max);
}

static void look_at_tcp(struct survey *survey, const struct survey_target *target, const char *root)
{
	uint64_t value;

	if (read_setting(root, "ipv4/tcp_syncookies", &value) && !value && target->accepts)
		survey_add(survey, SURVEY_BLOCKS, "syncookies", "sysctl net.ipv4.tcp_syncookies=1",
			   "net.ipv4.tcp_syncookies is 0: method accept needs cookies");
	if (read_setting(root, "ipv4/tcp_timestamps", &value) && !value)
		survey_add(survey, SURVEY_NOTE, "timestamps", "sysctl net.ipv4.tcp_timestamps=1",
			   "net.ipv4.tcp_timestamps is 0: sockets start without an RTT sample, and "
			   "send what is lost first again after a second");
}

static void look_at_limits(struct survey *survey, const struct survey_target *target)
{
	const uint64_t needed = (uint64_t)target->max_flows + SPARE_DESCRIPTORS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_max == RLIM_INFINITY ||
	    limit.rlim_max >= needed)
		return;
	survey_add(survey, SURVEY_MAY, "descriptors", "ulimit -Hn, or LimitNOFILE= of the unit",
		   "the hard limit is %llu, and --max-flows is %u: connections that no descriptor "
		   "is left for are reset (no_descriptors)",
		   (unsigned long long)limit.rlim_max, target->max_flows);
}

void survey_settings_in(struct survey *survey, const struct survey_target *target, const char *root)
{
	look_at_rp_filter(survey, target, root);
	look_at_conntrack(survey, target, root);
	look_at_tcp(survey, target, root);
}

void survey_settings(struct survey *survey, const struct survey_target *target)
{
	survey_settings_in(survey, target, NET);
	look_at_limits(survey, target);
}
