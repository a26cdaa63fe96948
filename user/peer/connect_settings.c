/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The route's metrics, its interface's MTU, and the sysctls. */
#include "connect_settings.h"

#include <net/if.h>

#include "advertise.h"
#include "link_watch.h"
#include "log.h"
#include "numbers.h"
#include "route.h"
#include "sysctls.h"

#define ETHERNET_MTU 1500
#define SYN_RETRIES 6
#define SYN_ACK_RETRIES 5

static uint32_t find_mtu(const char *ifname)
{
	struct link_info link;

	return link_find(ifname, &link) || !link.mtu ? ETHERNET_MTU : link.mtu;
}

static void read_host(uint32_t ifindex, struct advertise_host *out)
{
	struct sysctls *sysctls = NULL;
	char ifname[IF_NAMESIZE] = "lo";

	if_indextoname(ifindex, ifname);
	out->mtu = find_mtu(ifname);
	if (sysctls_new(&sysctls, ifname))
		return;
	sysctls_read(sysctls, &out->sysctls);
	sysctls_free(sysctls);
}

void connect_settings_read(const struct addr *local, const struct addr *remote, uint32_t ifindex,
			   struct engine_settings *out, uint8_t *syn_retries)
{
	struct advertise_host host = {.mtu = ETHERNET_MTU};
	struct route_metrics metrics = {0};
	uint64_t retries = SYN_RETRIES;
	uint32_t found = ifindex;

	if (route_find_metrics(local, remote, ifindex, &found, &metrics))
		log_debug("connect: no route is told: without its metrics");
	read_host(found, &host);
	*out = (struct engine_settings){
		.v4 = advertise(&host, &metrics, true),
		.v6 = advertise(&host, &metrics, false),
		.offers = advertise_offers(&host.sysctls) & ADVERTISE_OFFERS,
		.syn_ack_retries = SYN_ACK_RETRIES,
	};
	number_read_file("/proc/sys/net/ipv4/tcp_syn_retries", 0, &retries);
	*syn_retries = (uint8_t)retries;
}
