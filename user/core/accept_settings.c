/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * With tcp_syncookies=0 the kernel takes no cookie, ours neither. Connection tracking has seen no SYN: with tcp_loose=0
 * the segment that completes the handshake is invalid to it, and rules commonly drop what is.
 */
#include "accept_settings.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "log.h"
#include "numbers.h"
#include "survey.h"

#define SYNCOOKIES "/proc/sys/net/ipv4/tcp_syncookies"
#define LOOSE "/proc/sys/net/netfilter/nf_conntrack_tcp_loose"

static bool takes_cookies(void)
{
	uint64_t value;

	return number_read_file(SYNCOOKIES, 0, &value) || value;
}

static bool is_strict(void)
{
	uint64_t value;

	return !number_read_file(LOOSE, 0, &value) && !value;
}

int accept_settings_check(const char *ifname)
{
	if (!takes_cookies()) {
		log_error("%s: method accept needs net.ipv4.tcp_syncookies=1 (or 2), which is 0",
			  ifname);
		return -ENOTSUP;
	}
	if (is_strict())
		log_warning(
			"%s: net.netfilter.nf_conntrack_tcp_loose is 0: a rule that drops what is "
			"invalid ends every handshake (1 is the kernel's default)",
			ifname);
	return 0;
}

void accept_settings_warn(const char *ifname, const struct port_set *ports)
{
	char way[SURVEY_WAY_SIZE];

	if (survey_nat_prevents(ports, way))
		log_warning("%s: method accept: connection tracking and NAT are on, which resets "
			    "each connection as it completes; either use method auto, or %s",
			    ifname, way);
}

void accept_settings_beat(const char *ifname)
{
	static bool has_warned;

	if (takes_cookies()) {
		has_warned = false;
		return;
	}
	if (!has_warned)
		log_warning("%s: net.ipv4.tcp_syncookies is 0 now: no handshake can be completed",
			    ifname);
	has_warned = true;
}
