/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The segments that the method has to bring through the host's rules, each at its hooks, for each of the ranges of ports that
 * the rules tell apart. What the same rule does to several ports is one finding.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall_host.h"
#include "numbers.h"
#include "survey.h"

#define PORTS_TEXT_SIZE 80
#define WHERE_SIZE 512
#define WAY_SIZE 768
#define SHOWN_MAX 16 /* findings of a kind */
#define LOOSE "/proc/sys/net/netfilter/nf_conntrack_tcp_loose"

/* The segments. */
enum leg {
	LEG_SYN, /* to whom the kernel would have sent it */
	LEG_FINAL, /* what completes the handshake */
	LEG_ANSWER, /* the SYN-ACK, where it is no cookie of XDP's */
	LEG_DATA, /* of the connection, on its way out */
};

struct hit {
	enum leg leg;
	struct firewall_fate fate;
	bool is_v4, is_v6;
	bool is_late; /* it passes once the socket itself has sent something */
	struct port_set ports;
};

struct hits {
	struct hit *hits;
	size_t count;
	bool is_incomplete;
};

struct search {
	const struct survey_target *target;
	const struct firewall *firewall;
	bool is_strict; /* conntrack takes no connection up in its middle */
	struct hits *hits;
};

static struct hit *find_hit(struct hits *hits, enum leg leg, const struct firewall_fate *fate)
{
	struct hit *grown;

	for (size_t i = 0; i < hits->count; i++) {
		struct hit *hit = &hits->hits[i];

		if (hit->leg == leg && hit->fate.chain == fate->chain &&
		    hit->fate.rule == fate->rule && hit->fate.is_certain == fate->is_certain)
			return hit;
	}
	grown = reallocarray(hits->hits, hits->count + 1, sizeof(*grown));
	if (!grown) {
		hits->is_incomplete = true;
		return NULL;
	}
	hits->hits = grown;
	grown += hits->count++;
	memset(grown, 0, sizeof(*grown));
	grown->leg = leg;
	grown->fate = *fate;
	return grown;
}

/* The first that drops it, if one does. */
static void walk_hooks(const struct firewall *firewall, const enum firewall_hook *hooks,
		       size_t count, struct firewall_packet *packet, struct firewall_fate *out)
{
	struct firewall_fate fate;

	*out = (struct firewall_fate){.verdict = FIREWALL_ACCEPT};
	for (size_t i = 0; i < count && !out->is_certain; i++) {
		firewall_walk(firewall, hooks[i], false, packet, &fate);
		if (fate.verdict != FIREWALL_ACCEPT &&
		    (out->verdict == FIREWALL_ACCEPT || fate.is_certain))
			*out = fate;
	}
}

static void walk_in(const struct firewall *firewall, struct firewall_packet *packet,
		    struct firewall_fate *out)
{
	static const enum firewall_hook hooks[] = {FIREWALL_INGRESS, FIREWALL_PREROUTING,
						   FIREWALL_INPUT};

	walk_hooks(firewall, hooks, 3, packet, out);
}

static void walk_out(const struct firewall *firewall, struct firewall_packet *packet,
		     struct firewall_fate *out)
{
	static const enum firewall_hook hooks[] = {FIREWALL_OUTPUT, FIREWALL_POSTROUTING};

	packet->is_out = true;
	walk_hooks(firewall, hooks, 2, packet, out);
}

/* Without BPF what is put back comes by lo. */
static void walk_leg(const struct search *search, enum leg leg, struct firewall_packet *packet,
		     struct firewall_fate *out)
{
	const struct survey_target *target = search->target;

	switch (leg) {
	case LEG_SYN:
		packet->flags = FIREWALL_SYN;
		packet->ct_state = FIREWALL_CT_NEW;
		firewall_walk(search->firewall, FIREWALL_PREROUTING, true, packet, out);
		break;
	case LEG_FINAL:
		packet->flags = target->connects_back ? FIREWALL_SYN | FIREWALL_ACK : FIREWALL_ACK;
		packet->ct_state = target->connects_back ? FIREWALL_CT_ESTABLISHED
				   : search->is_strict	 ? FIREWALL_CT_INVALID
							 : FIREWALL_CT_NEW;
		if (!target->has_bpf)
			packet->ifname = "lo";
		walk_in(search->firewall, packet, out);
		break;
	case LEG_ANSWER:
		packet->flags = target->connects_back ? FIREWALL_SYN : FIREWALL_SYN | FIREWALL_ACK;
		packet->ct_state = target->connects_back ? FIREWALL_CT_NEW : FIREWALL_CT_INVALID;
		packet->has_mark = true;
		packet->mark = target->connects_back ? 0 : NOL_MARK;
		walk_out(search->firewall, packet, out);
		break;
	case LEG_DATA:
		packet->flags = FIREWALL_ACK;
		packet->ct_state = FIREWALL_CT_ESTABLISHED;
		walk_out(search->firewall, packet, out);
		break;
	}
}

/*
 * Once the socket has sent a segment, at the latest when it repeats the byte in place of its SYN, connection tracking knows the
 * connection. Where the kernel makes the socket of what is dropped there is none.
 */
static bool passes_late(const struct search *search, const struct firewall_packet *packet)
{
	struct firewall_packet again = *packet;
	struct firewall_fate fate;

	if (search->target->accepts || search->is_strict)
		return false;
	again.ct_state = FIREWALL_CT_ESTABLISHED;
	walk_in(search->firewall, &again, &fate);
	return fate.verdict == FIREWALL_ACCEPT;
}

static bool is_needed(const struct survey_target *target, enum leg leg)
{
	if (leg == LEG_ANSWER)
		return !target->accepts;
	return true;
}

static void look(const struct search *search, enum leg leg, bool is_v6,
		 const struct port_set *ports, uint16_t port)
{
	const struct survey_target *target = search->target;
	struct firewall_packet packet = {
		.is_v6 = is_v6,
		.ifname = target->ifname,
		.port = port,
		.locals = target->prefixes,
		.local_count = target->prefix_count,
	};
	struct firewall_fate fate;
	struct hit *hit;

	walk_leg(search, leg, &packet, &fate);
	if (fate.verdict == FIREWALL_ACCEPT)
		return;
	hit = find_hit(search->hits, leg, &fate);
	if (!hit)
		return;
	hit->is_late = leg == LEG_FINAL && passes_late(search, &packet);
	port_set_unite(&hit->ports, ports);
	hit->is_v6 |= is_v6;
	hit->is_v4 |= !is_v6;
}

static bool has_family(const struct survey_target *target, bool is_v6)
{
	for (size_t i = 0; i < target->prefix_count; i++)
		if (addr_is_v4(&target->prefixes[i].addr) != is_v6)
			return true;
	return false;
}

static void look_at_range(const struct search *search, const struct port_set *ports, uint16_t port)
{
	for (enum leg leg = LEG_SYN; leg <= LEG_DATA; leg++)
		for (int is_v6 = 0; is_v6 <= 1; is_v6++)
			if (is_needed(search->target, leg) && has_family(search->target, is_v6))
				look(search, leg, is_v6, ports, port);
}

/* Ports between two cuts are alike. */
static void look_at_all(const struct search *search)
{
	static struct port_set cuts, range;
	uint16_t first = 0;

	memset(&cuts, 0, sizeof(cuts));
	memset(&range, 0, sizeof(range));
	firewall_cut_ports(search->firewall, &cuts);
	for (uint32_t port = 1; port <= UINT16_MAX + 1; port++) {
		if (first && (port > UINT16_MAX || port_set_has(&cuts, (uint16_t)port))) {
			look_at_range(search, &range, first);
			memset(&range, 0, sizeof(range));
			first = 0;
		}
		if (port <= UINT16_MAX && port_set_has(search->target->ports, (uint16_t)port)) {
			first = first ?: (uint16_t)port;
			port_set_add(&range, (uint16_t)port);
		}
	}
}

/* "table inet filter chain input: ct state invalid drop" */
static void format_where(const struct firewall_fate *fate, char text[WHERE_SIZE])
{
	const struct firewall_chain *chain = fate->chain;
	const bool is_nft = !strcmp(chain->tool, "nft");
	char family[16];

	snprintf(family, sizeof(family), "%s%s", is_nft ? chain->family : "", is_nft ? " " : "");
	if (fate->rule)
		snprintf(text, WHERE_SIZE, "%s: table %s%s chain %s: %s", chain->tool, family,
			 chain->table, chain->name, fate->rule->text ? fate->rule->text : "");
	else
		snprintf(text, WHERE_SIZE, "%s: table %s%s chain %s: policy drop", chain->tool,
			 family, chain->table, chain->name);
}

/* Who makes chains of such names. */
static const char *owner_of(const struct firewall_chain *chain)
{
	static const struct {
		const char *part, *owner;
	} owners[] = {
		{"DOCKER", "Docker"},	      {"docker", "Docker"},	{"NETAVARK", "Podman"},
		{"netavark", "Podman"},	      {"CNI-", "a CNI plugin"}, {"KUBE-", "Kubernetes"},
		{"kube-proxy", "Kubernetes"}, {"LIBVIRT", "libvirt"},
	};

	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++)
		if (strstr(chain->name, owners[i].part) || strstr(chain->table, owners[i].part))
			return owners[i].owner;
	return NULL;
}

static const char *plural(const struct port_set *ports)
{
	return port_set_count(ports) == 1 ? "" : "s";
}

/* By rules of nat: a container's port, most likely. */
static void tell_dnat(struct survey *survey, const struct survey_target *target,
		      const struct hit *hit)
{
	const char *owner = owner_of(hit->fate.chain);
	char ports[PORTS_TEXT_SIZE], where[WHERE_SIZE], way[WAY_SIZE];
	const char *then = target->accepts   ? "it gets none"
			   : target->has_bpf ? "it gets none, and loses those that it has"
			   : target->method == NOL_METHOD_NFQUEUE
				   ? "it gets them, and they are not answered"
				   : "both answer";

	port_set_format(&hit->ports, ports, sizeof(ports));
	format_where(&hit->fate, where);
	snprintf(way, sizeof(way), "leave port%s %s out of --port", plural(&hit->ports), ports);
	survey_add(survey, target->has_bpf ? SURVEY_BLOCKS : SURVEY_MAY, "nat", way,
		   "port%s %s: connections %s sent on to %s%s%s (%s); %s%s", plural(&hit->ports),
		   ports, hit->fate.is_certain ? "are" : "may be",
		   hit->fate.rule->target ? hit->fate.rule->target : "another place",
		   owner ? " by " : "", owner ? owner : "", where,
		   target->has_bpf ? "nolisten answers them before that: " : "", then);
}

/* Some way to let these ports pass, in the language of whoever drops them. */
static void format_way(const struct hit *hit, bool is_out, char way[WAY_SIZE])
{
	const struct firewall_chain *chain = hit->fate.chain;
	const bool is_marked = hit->leg == LEG_ANSWER;
	char what[WAY_SIZE / 3], ports[PORTS_TEXT_SIZE];

	port_set_format(&hit->ports, ports, sizeof(ports));
	if (!strcmp(chain->tool, "nft")) {
		snprintf(what, sizeof(what), "tcp %s { %s }", is_out ? "sport" : "dport",
			 strcmp(ports, "all") ? ports : "1-65535");
		if (is_marked)
			snprintf(what, sizeof(what), "meta mark 0x%x", NOL_MARK);
		snprintf(way, WAY_SIZE, "nft insert rule %s %s %s %s accept", chain->family,
			 chain->table, chain->name, what);
		return;
	}
	for (char *dash; (dash = strchr(ports, '-'));)
		*dash = ':';
	snprintf(what, sizeof(what), "-p tcp -m multiport --%s %s", is_out ? "sports" : "dports",
		 strcmp(ports, "all") ? ports : "1:65535");
	if (is_marked)
		snprintf(what, sizeof(what), "-m mark --mark 0x%x", NOL_MARK);
	snprintf(way, WAY_SIZE, "%s -t %s -I %s %s -j ACCEPT", chain->tool, chain->table,
		 chain->name, what);
}

static const char *consequence_of(const struct survey_target *target, const struct hit *hit)
{
	switch (hit->leg) {
	case LEG_FINAL:
		if (hit->is_late)
			return "the connection stands still until its socket has sent something, "
			       "a second and more where the client speaks first";
		return target->accepts || target->has_bpf
			       ? "the client believes that it is connected, and what it sends does not arrive"
			       : "the connection is not completed";
	case LEG_ANSWER:
		return target->method == NOL_METHOD_NONE || target->method == NOL_METHOD_XDP
			       ? "SYNs that no cookie can answer get no answer"
			       : "clients get no answer";
	default:
		return "the connection stands still";
	}
}

static void tell_drop(struct survey *survey, const struct survey_target *target,
		      const struct hit *hit)
{
	static const char *const names[] = {
		[LEG_SYN] = "SYNs",
		[LEG_FINAL] = "what completes a handshake",
		[LEG_ANSWER] = "SYN-ACKs of the engine",
		[LEG_DATA] = "what connections send",
	};
	const bool by_cookies = hit->leg == LEG_ANSWER && (target->method == NOL_METHOD_NONE ||
							   target->method == NOL_METHOD_XDP);
	char ports[PORTS_TEXT_SIZE], where[WHERE_SIZE], way[WAY_SIZE];

	port_set_format(&hit->ports, ports, sizeof(ports));
	format_where(&hit->fate, where);
	format_way(hit, hit->leg >= LEG_ANSWER, way);
	survey_add(
		survey,
		hit->fate.is_certain && !by_cookies && !hit->is_late ? SURVEY_BLOCKS : SURVEY_MAY,
		"firewall", way, "port%s %s%s: %s %s %s by %s; then %s", plural(&hit->ports), ports,
		hit->is_v4 && hit->is_v6 ? ""
		: hit->is_v6		 ? " (IPv6)"
					 : " (IPv4)",
		target->connects_back && hit->leg == LEG_ANSWER ? "SYN-ACKs of the method"
								: names[hit->leg],
		hit->fate.is_certain ? "will be" : "may be",
		hit->fate.verdict == FIREWALL_TAKE ? "taken" : "dropped", where,
		consequence_of(target, hit));
}

static void tell(struct survey *survey, const struct survey_target *target, const struct hits *hits)
{
	size_t nats = 0, drops = 0;

	for (size_t i = 0; i < hits->count; i++) {
		const struct hit *hit = &hits->hits[i];

		if (hit->leg == LEG_SYN && nats++ < SHOWN_MAX)
			tell_dnat(survey, target, hit);
		else if (hit->leg != LEG_SYN && drops++ < SHOWN_MAX)
			tell_drop(survey, target, hit);
	}
	if (nats > SHOWN_MAX || drops > SHOWN_MAX)
		survey_add(survey, SURVEY_NOTE, "firewall", "ask for fewer ports, to see the rest",
			   "%zu findings of this kind are not shown",
			   (nats > SHOWN_MAX ? nats - SHOWN_MAX : 0) +
				   (drops > SHOWN_MAX ? drops - SHOWN_MAX : 0));
}

static bool is_strict(void)
{
	uint64_t value;

	return !number_read_file(LOOSE, 0, &value) && !value;
}

void survey_firewall(struct survey *survey, const struct survey_target *target)
{
	struct firewall firewall = {0};
	struct hits hits = {0};
	const struct search search = {target, &firewall, is_strict(), &hits};
	char why[256];
	int err = firewall_read_host(&firewall, why, sizeof(why));

	if (err && err != -EPROTONOSUPPORT)
		survey_add(survey, SURVEY_NOTE, "firewall", "",
			   "not all of its rules could be looked at: %s", why);
	look_at_all(&search);
	tell(survey, target, &hits);
	for (int is_v6 = 0; target->accepts && is_v6 <= 1; is_v6++)
		if (has_family(target, is_v6))
			survey_nat(survey, target, &firewall, is_v6);
	survey->is_incomplete |= hits.is_incomplete;
	free(hits.hits);
	firewall_free(&firewall);
}
