/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A firewall's rules as far as they can be understood, whoever has written them: chains of rules, and what becomes of a
 * packet that meets them. What is not understood is a condition that may hold or not.
 */
#ifndef NOLISTEN_FIREWALL_H
#define NOLISTEN_FIREWALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "ports.h"

#define FIREWALL_NAME_SIZE 128
#define FIREWALL_IFNAME_SIZE 17 /* a wildcard behind the longest name */

enum firewall_hook {
	FIREWALL_NO_HOOK, /* only other chains lead there */
	FIREWALL_INGRESS,
	FIREWALL_PREROUTING,
	FIREWALL_INPUT,
	FIREWALL_OUTPUT,
	FIREWALL_POSTROUTING,
	FIREWALL_OTHER_HOOK,
};

enum firewall_key {
	FIREWALL_UNKNOWN, /* may hold or not */
	FIREWALL_NEVER,
	FIREWALL_IIF, /* names */
	FIREWALL_OIF,
	FIREWALL_LOCAL, /* the destination is this host */
	FIREWALL_FAMILY, /* numbers from here on: AF_INET or AF_INET6 */
	FIREWALL_PROTOCOL,
	FIREWALL_SPORT,
	FIREWALL_DPORT,
	FIREWALL_MARK,
	FIREWALL_CT_STATE, /* bits */
	FIREWALL_TCP_FLAGS, /* bits, as in the header */
	FIREWALL_SADDR, /* addresses */
	FIREWALL_DADDR,
};

/* Bits of FIREWALL_CT_STATE. */
#define FIREWALL_CT_NEW 1u
#define FIREWALL_CT_ESTABLISHED 2u
#define FIREWALL_CT_RELATED 4u
#define FIREWALL_CT_INVALID 8u
#define FIREWALL_CT_UNTRACKED 16u

#define FIREWALL_FIN 1u
#define FIREWALL_SYN 2u
#define FIREWALL_RST 4u
#define FIREWALL_ACK 16u

/* From and to, both included; a name is in the first. */
struct firewall_value {
	union {
		struct {
			uint32_t from, to;
		};
		struct {
			struct addr first, last;
		};
		char name[FIREWALL_IFNAME_SIZE];
	};
};

/* One of the values, under the mask; of CT_STATE and with has_any_bit: a bit of one of them. */
struct firewall_match {
	enum firewall_key key;
	bool is_inverted, has_any_bit;
	uint32_t mask;
	struct firewall_value *values;
	size_t count;
};

enum firewall_verdict {
	FIREWALL_CONTINUE,
	FIREWALL_ACCEPT,
	FIREWALL_DROP, /* or reject */
	FIREWALL_RETURN,
	FIREWALL_JUMP,
	FIREWALL_GOTO,
	FIREWALL_DNAT, /* and what sends elsewhere by other names */
	FIREWALL_NOTRACK,
	FIREWALL_TAKE, /* somebody else answers: SYNPROXY, a queue, TPROXY */
};

struct firewall_rule {
	struct firewall_match *matches;
	size_t match_count;
	enum firewall_verdict verdict;
	char *target; /* a chain's name, or where it sends; NULL: none */
	char *text; /* for people */
};

struct firewall_chain {
	const char *tool; /* "nft", "iptables", "ip6tables", ...: a constant */
	char family[8]; /* as the tool has it: "inet" */
	bool has_v4, has_v6;
	char table[FIREWALL_NAME_SIZE], name[FIREWALL_NAME_SIZE];
	enum firewall_hook hook;
	int priority;
	char device[FIREWALL_IFNAME_SIZE]; /* of FIREWALL_INGRESS; "": not told */
	bool is_nat, drops; /* its policy */
	struct firewall_rule *rules;
	size_t rule_count;
};

struct firewall {
	struct firewall_chain **chains;
	size_t chain_count;
	bool tracks; /* some rule needs connection tracking, which is on for all then */
};

void firewall_free(struct firewall *firewall); /* what it has */

/* The rest of the chain is for the caller to fill. NULL: no memory. */
struct firewall_chain *firewall_add_chain(struct firewall *firewall, const char *tool,
					  const char *family, const char *table, const char *name);
struct firewall_chain *firewall_find_chain(const struct firewall *firewall, const char *tool,
					   const char *family, const char *table, const char *name);
/* Takes what the rule has, in any case. 0 or -ENOMEM. */
int firewall_add_rule(struct firewall_chain *chain, struct firewall_rule *rule);
void firewall_rule_free(struct firewall_rule *rule); /* what it has */
/* A match without values; NULL: no memory. */
struct firewall_match *firewall_add_match(struct firewall_rule *rule, enum firewall_key key);
/* A value, all zero; NULL: no memory. */
struct firewall_value *firewall_add_value(struct firewall_match *match);
int firewall_add_number(struct firewall_match *match, uint32_t from, uint32_t to);
/* All addresses of the prefix. */
int firewall_add_prefix(struct firewall_match *match, const struct prefix *prefix);

/* "new" and "syn" to their bit; 0: there is none of that name. */
uint32_t firewall_ct_state(const char *name, size_t len);
uint32_t firewall_tcp_flag(const char *name, size_t len);

/* A TCP segment on its way in or out. */
struct firewall_packet {
	bool is_v6, is_out;
	const char *ifname;
	uint16_t port; /* ours; the remote's is not known, nor is its address */
	const struct prefix *locals; /* one of these */
	size_t local_count;
	uint32_t flags, ct_state;
	uint32_t mark;
	bool has_mark; /* it is known */
};

/* What has become of it. */
struct firewall_fate {
	enum firewall_verdict verdict; /* FIREWALL_ACCEPT: nothing to tell */
	bool is_certain;
	const struct firewall_chain *chain;
	const struct firewall_rule *rule; /* NULL: the chain's policy */
};

/*
 * By the base chains of that hook, nat or not. The first that certainly drops it, else the first that may; for nat the first that
 * sends it elsewhere. NOTRACK on its way makes packet->ct_state untracked.
 */
void firewall_walk(const struct firewall *firewall, enum firewall_hook hook, bool is_nat,
		   struct firewall_packet *packet, struct firewall_fate *out);

/* cuts: the first port of each range within which no rule tells one port from another. */
void firewall_cut_ports(const struct firewall *firewall, struct port_set *cuts);

/* The JSON of "nft -j list ruleset". -EINVAL: it is none. */
int firewall_add_nft(struct firewall *firewall, const char *json);
/* Has it rules that only iptables-save can tell? And then: the tables that it has told are taken out. */
bool firewall_needs_iptables(const char *json);
/* What iptables-save prints; tool: "iptables", "ip6tables", "iptables-legacy", ...; the others' tables of that name are dropped. */
int firewall_add_iptables(struct firewall *firewall, const char *tool, bool is_v6, char *text);

#endif
