/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Nothing else on the link gets these answers: the echo carries a random payload, the ARP probes come from nobody. */
#include "reply_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "checksum.h"

#define ARP_MAX 8 /* neighbours asked at a time */

struct echo_frame {
	struct ether_header ethernet;
	struct ip6_hdr ip;
	struct icmp6_hdr icmp;
	uint64_t nonce;
} __attribute__((packed));

struct arp_frame {
	struct ether_header ethernet;
	struct ether_arp arp;
} __attribute__((packed));

struct reply_probe {
	struct kern *kern;
	char ifname[IF_NAMESIZE];
	uint8_t mac[ETH_ALEN];
	uint64_t nonce;
	int icmp_fd, arp_fd;
};

static int read_mac(struct reply_probe *probe)
{
	struct ifreq request = {};

	memcpy(request.ifr_name, probe->ifname, sizeof(probe->ifname));
	if (ioctl(probe->arp_fd, SIOCGIFHWADDR, &request))
		return -errno;
	memcpy(probe->mac, request.ifr_hwaddr.sa_data, sizeof(probe->mac));
	return 0;
}

static int open_arp(struct reply_probe *probe)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = (int)if_nametoindex(probe->ifname),
	};

	probe->arp_fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe->arp_fd < 0 ||
	    bind(probe->arp_fd, (const struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return read_mac(probe);
}

/* Without IPv6 there is no such socket, and ARP has to do. */
static void open_icmp(struct reply_probe *probe)
{
	struct icmp6_filter filter;

	probe->icmp_fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	if (probe->icmp_fd < 0)
		return;
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
	setsockopt(probe->icmp_fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
	setsockopt(probe->icmp_fd, SOL_SOCKET, SO_BINDTODEVICE, probe->ifname,
		   (socklen_t)strlen(probe->ifname));
}

int reply_probe_new(struct reply_probe **out, struct kern *kern, const char *ifname)
{
	struct reply_probe *probe = calloc(1, sizeof(*probe));
	int err;

	if (!probe)
		return -ENOMEM;
	probe->kern = kern;
	probe->icmp_fd = -1;
	snprintf(probe->ifname, sizeof(probe->ifname), "%s", ifname);
	err = open_arp(probe);
	if (!err && getrandom(&probe->nonce, sizeof(probe->nonce), 0) != sizeof(probe->nonce))
		err = -EIO;
	if (err) {
		reply_probe_free(probe);
		return err;
	}
	open_icmp(probe);
	*out = probe;
	return 0;
}

void reply_probe_free(struct reply_probe *probe)
{
	if (!probe)
		return;
	if (probe->icmp_fd >= 0)
		close(probe->icmp_fd);
	if (probe->arp_fd >= 0)
		close(probe->arp_fd);
	free(probe);
}

static bool find_link_local(const struct reply_probe *probe, struct in6_addr *out)
{
	struct ifaddrs *all, *one;
	bool is_found = false;

	if (getifaddrs(&all))
		return false;
	for (one = all; one && !is_found; one = one->ifa_next) {
		const struct sockaddr_in6 *address = (const struct sockaddr_in6 *)one->ifa_addr;

		if (!address || address->sin6_family != AF_INET6 ||
		    strcmp(one->ifa_name, probe->ifname))
			continue;
		is_found = IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr);
		*out = address->sin6_addr;
	}
	freeifaddrs(all);
	return is_found;
}

/* ff02::1 */
static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};

static uint16_t checksum_icmp(const struct echo_frame *frame)
{
	const size_t len = sizeof(frame->icmp) + sizeof(frame->nonce);
	const struct addr source =
		addr_from_v6((const uint8_t *)frame + offsetof(struct echo_frame, ip.ip6_src));
	const struct addr destination = addr_from_v6(all_nodes);
	uint64_t sum = checksum_pseudo(&source, &destination, (uint32_t)len);

	/* The pseudo-header's protocol is not TCP. */
	sum += IPPROTO_ICMPV6 - IPPROTO_TCP;
	sum = checksum_add(sum, (const uint8_t *)frame + offsetof(struct echo_frame, icmp), len);
	return htons((uint16_t)~checksum_fold(sum));
}

static void send_echo(struct reply_probe *probe)
{
	struct echo_frame frame = {
		.ethernet = {.ether_dhost = {0x33, 0x33, 0, 0, 0, 1},
			     .ether_type = htons(ETH_P_IPV6)},
		.icmp = {.icmp6_type = ICMP6_ECHO_REQUEST},
		.nonce = probe->nonce,
	};

	struct in6_addr source;

	if (probe->icmp_fd < 0 || !find_link_local(probe, &source))
		return;
	frame.ip.ip6_src = source;
	memcpy(frame.ethernet.ether_shost, probe->mac, ETH_ALEN);
	frame.ip.ip6_flow = htonl(6u << 28);
	frame.ip.ip6_plen = htons(sizeof(frame.icmp) + sizeof(frame.nonce));
	frame.ip.ip6_nxt = IPPROTO_ICMPV6;
	frame.ip.ip6_hlim = 1;
	memcpy(&frame.ip.ip6_dst, all_nodes, sizeof(all_nodes));
	frame.icmp.icmp6_cksum = checksum_icmp(&frame);
	kern_transmit(probe->kern, &frame, sizeof(frame));
}

static void send_arp(struct reply_probe *probe, const struct in_addr *neighbour)
{
	struct arp_frame frame = {
		.ethernet.ether_type = htons(ETH_P_ARP),
		.arp.ea_hdr = {.ar_hrd = htons(ARPHRD_ETHER),
			       .ar_pro = htons(ETH_P_IP),
			       .ar_hln = ETH_ALEN,
			       .ar_pln = sizeof(*neighbour),
			       .ar_op = htons(ARPOP_REQUEST)},
	};

	memset(frame.ethernet.ether_dhost, 0xff, ETH_ALEN);
	memcpy(frame.ethernet.ether_shost, probe->mac, ETH_ALEN);
	memcpy(frame.arp.arp_sha, probe->mac, ETH_ALEN);
	memcpy(frame.arp.arp_tpa, neighbour, sizeof(*neighbour));
	kern_transmit(probe->kern, &frame, sizeof(frame));
}

/* Lines of "address hwtype flags hwaddr mask device". */
static void send_arps(struct reply_probe *probe)
{
	FILE *file = fopen("/proc/self/net/arp", "re");
	char line[256], address[64], ifname[64];
	struct in_addr neighbour;
	int count = 0;

	while (file && count < ARP_MAX && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %*s %*s %*s %*s %63s", address, ifname) != 2 ||
		    strcmp(ifname, probe->ifname) || inet_pton(AF_INET, address, &neighbour) != 1)
			continue;
		send_arp(probe, &neighbour);
		count++;
	}
	if (file)
		fclose(file);
}

void reply_probe_send(struct reply_probe *probe)
{
	send_echo(probe);
	send_arps(probe);
}

static bool take_echo(const struct reply_probe *probe)
{
	uint8_t bytes[sizeof(struct icmp6_hdr) + sizeof(probe->nonce)];
	ssize_t len;

	while ((len = recv(probe->icmp_fd, bytes, sizeof(bytes), 0)) >= 0)
		if (len == sizeof(bytes) &&
		    !memcmp(bytes + sizeof(struct icmp6_hdr), &probe->nonce, sizeof(probe->nonce)))
			return true;
	return false;
}

static bool take_arp(const struct reply_probe *probe)
{
	static const uint8_t nobody[4];
	struct ether_arp arp;
	ssize_t len;

	while ((len = recv(probe->arp_fd, &arp, sizeof(arp), 0)) >= 0)
		if (len == sizeof(arp) && arp.ea_hdr.ar_op == htons(ARPOP_REPLY) &&
		    !memcmp(arp.arp_tha, probe->mac, ETH_ALEN) &&
		    !memcmp(arp.arp_tpa, nobody, sizeof(nobody)))
			return true;
	return false;
}

bool reply_probe_is_answered(struct reply_probe *probe, int timeout_ms)
{
	struct pollfd fds[2] = {{.fd = probe->icmp_fd, .events = POLLIN},
				{.fd = probe->arp_fd, .events = POLLIN}};

	poll(fds, 2, timeout_ms);
	return take_echo(probe) || take_arp(probe);
}
