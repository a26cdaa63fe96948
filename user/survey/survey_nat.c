/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * NAT in INPUT looks whether it has changed the port by which a socket was found for a packet before (nf_nat_ipv4_local_in()). The
 * request of method accept has no port yet: it is taken off, and the segment gets a RST. Seen on Linux 6.18.
 */
#include <stdio.h>

#include "firewall.h"
#include "firewall_host.h"
#include "numbers.h"
#include "survey.h"

#define PORTS_TEXT_SIZE 80
#define LOOSE "/proc/sys/net/netfilter/nf_conntrack_tcp_loose"

/* One chain of nat turns it on for all hooks of its family. */
static bool has_nat(const struct firewall *firewall, bool is_v6)
{
	for (size_t i = 0; i < firewall->chain_count; i++) {
		const struct firewall_chain *chain = firewall->chains[i];

		if (chain->is_nat && chain->hook != FIREWALL_NO_HOOK &&
		    (is_v6 ? chain->has_v6 : chain->has_v4))
			return true;
	}
	return false;
}

/* Of those ports, the ones that no rule exempts. */
static void find_tracked(const struct survey_target *target, const struct firewall *firewall,
			 bool is_v6, struct port_set *out)
{
	struct firewall_packet packet = {
		.is_v6 = is_v6,
		.ifname = target->ifname,
		.locals = target->prefixes,
		.local_count = target->prefix_count,
		.flags = FIREWALL_ACK,
	};
	struct firewall_fate fate;
	struct port_set cuts = {0};
	bool is_tracked = true;

	firewall_cut_ports(firewall, &cuts);
	for (uint32_t port = 1; port <= UINT16_MAX; port++) {
		if (port_set_has(&cuts, (uint16_t)port)) {
			packet.port = (uint16_t)port;
			packet.ct_state = FIREWALL_CT_NEW;
			firewall_walk(firewall, FIREWALL_PREROUTING, false, &packet, &fate);
			is_tracked = packet.ct_state != FIREWALL_CT_UNTRACKED;
		}
		if (is_tracked && port_set_has(target->ports, (uint16_t)port))
			port_set_add(out, (uint16_t)port);
	}
}

/* Without tcp_loose the segment is of no connection to it, and NAT has nothing to look at. */
static bool is_strict(void)
{
	uint64_t loose;

	return !number_read_file(LOOSE, 0, &loose) && !loose;
}

static bool find_reset(const struct survey_target *target, const struct firewall *firewall,
		       bool is_v6, struct port_set *out)
{
	if (!firewall->tracks || !has_nat(firewall, is_v6) || is_strict())
		return false;
	find_tracked(target, firewall, is_v6, out);
	return port_set_count(out);
}

static void format_way(const struct port_set *ports, char way[SURVEY_WAY_SIZE])
{
	char text[PORTS_TEXT_SIZE];

	port_set_format(ports, text, sizeof(text));
	snprintf(
		way, SURVEY_WAY_SIZE,
		"nft 'table inet untracked { chain pre { type filter hook prerouting priority raw; "
		"tcp dport { %s } notrack; }; }'",
		port_set_count(ports) == UINT16_MAX ? "1-65535" : text);
}

void survey_nat(struct survey *survey, const struct survey_target *target,
		const struct firewall *firewall, bool is_v6)
{
	struct port_set ports = {0};
	char text[PORTS_TEXT_SIZE], way[SURVEY_WAY_SIZE], ways[SURVEY_WAY_SIZE + 32];

	if (!find_reset(target, firewall, is_v6, &ports))
		return;
	port_set_format(&ports, text, sizeof(text));
	format_way(&ports, way);
	snprintf(ways, sizeof(ways), "%s, or method auto", way);
	survey_add(
		survey, SURVEY_BLOCKS, "nat", ways,
		"port%s %s%s: connection tracking and NAT are on, and NAT takes the kernel's request "
		"for a socket off the segment that completes a handshake of method accept: it gets "
		"a RST",
		port_set_count(&ports) == 1 ? "" : "s", text, is_v6 ? " (IPv6)" : " (IPv4)");
}

bool survey_nat_prevents(const struct port_set *ports, char way[SURVEY_WAY_SIZE])
{
	struct port_set any = {0}, reset = {0};
	struct firewall firewall = {0};
	struct survey_target target = {.ports = ports ?: &any};
	const char *error;
	char why[256];
	bool prevents = false;

	port_set_parse("all", &any, &error);
	firewall_read_host(&firewall, why, sizeof(why));
	for (int is_v6 = 0; is_v6 <= 1; is_v6++)
		prevents |= find_reset(&target, &firewall, is_v6, &reset);
	firewall_free(&firewall);
	if (prevents)
		format_way(&reset, way);
	return prevents;
}
