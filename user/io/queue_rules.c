// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* nftables first, since its table cannot outlive the process. */
#include "queue_rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iptables.h"
#include "log.h"
#include "nft.h"

#define RANGES_MAX \
	32 /* rules of iptables; above that one for all, and user space lets the others go */

struct queue_rules {
	char ifname[32];
	struct nft *nft;
	bool is_nft;
	struct iptables iptables;
};

/* Where no socket is found, or a transparent one, which may be one that we are making: see enum wire_shield. */
static const char table_format[] =
	"table inet %s {\n"
	"flags owner\n"
	"set ports { type inet_service; flags interval; %s }\n"
	"chain input { type filter hook input priority mangle; policy accept;\n"
	"iifname \"%s\" meta pkttype host tcp dport @ports jump answered\n"
	"}\n"
	"chain answered {\n"
	"socket transparent 0 return\n"
	"queue num %u bypass\n"
	"}\n"
	"}\n";

static int install_nft(struct queue_rules *rules, const struct queue_rules_options *options)
{
	char *ports = nft_format_elements(options->ports);
	char table[NFT_TABLE_SIZE];
	int err;

	if (!ports)
		return -ENOMEM;
	nft_table_name(options->ifname, table);
	err = nft_run(rules->nft, table_format, table, ports, options->ifname,
		      (unsigned int)options->queue);
	free(ports);
	return err;
}

static unsigned int count_ranges(const struct port_set *ports)
{
	unsigned int count = 0;

	for (uint32_t port = 1; port <= UINT16_MAX; port++)
		count += port_set_has(ports, (uint16_t)port) &&
			 !(port > 1 && port_set_has(ports, (uint16_t)(port - 1)));
	return count;
}

/* Lines "-A CHAIN ... --dport FIRST:LAST THEN", or one for all ports. */
static void print_for_ports(FILE *out, const char *chain, const char *then,
			    const struct port_set *ports)
{
	if (count_ranges(ports) > RANGES_MAX) {
		fprintf(out, "-A %s -p tcp %s\n", chain, then);
		return;
	}
	for (uint32_t first = 1, last; first <= UINT16_MAX; first = last + 1) {
		last = first;
		if (!port_set_has(ports, (uint16_t)first))
			continue;
		while (last < UINT16_MAX && port_set_has(ports, (uint16_t)(last + 1)))
			last++;
		fprintf(out, "-A %s -p tcp --dport %u:%u %s\n", chain, first, last, then);
	}
}

/*
 * A wildcard listener is a listener, too. A transparent socket may be one that we are making, see enum wire_shield, and
 * is asked for second: whoever finds no socket at first and a shielded one then would let the packet through to that.
 */
static char *format_rules(const struct queue_rules_options *options)
{
	char chain[IPTABLES_CHAIN_SIZE], owned[IPTABLES_CHAIN_SIZE];
	char to_queue[64], to_owned[128];
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	iptables_chain_names(options->ifname, chain, owned);
	snprintf(to_queue, sizeof(to_queue), "-j NFQUEUE --queue-num %u --queue-bypass",
		 (unsigned int)options->queue);
	snprintf(to_owned, sizeof(to_owned), "-m socket --nowildcard -g %s", owned);
	print_for_ports(out, chain, to_owned, options->ports);
	print_for_ports(out, chain, to_queue, options->ports);
	fprintf(out, "-A %s -p tcp -m socket --nowildcard --transparent %s\n", owned, to_queue);
	fclose(out);
	return text;
}

static int install_iptables(struct queue_rules *rules, const struct queue_rules_options *options,
			    char error[IPTABLES_ERROR_SIZE])
{
	char *text = format_rules(options);
	int err = -ENOMEM;

	if (text)
		err = iptables_install(&rules->iptables, rules->nft, options->ifname, text, error);
	free(text);
	return err;
}

int queue_rules_install(struct queue_rules **out, const struct queue_rules_options *options)
{
	struct queue_rules *rules = calloc(1, sizeof(*rules));
	char error[IPTABLES_ERROR_SIZE] = "out of memory";
	int err;

	if (!rules)
		return -ENOMEM;
	snprintf(rules->ifname, sizeof(rules->ifname), "%s", options->ifname);
	err = nft_new(&rules->nft);
	if (err) {
		snprintf(error, sizeof(error), "netfilter does not answer: %s", strerror(-err));
	} else {
		rules->is_nft = !install_nft(rules, options);
		if (!rules->is_nft)
			err = install_iptables(rules, options, error);
	}
	if (err) {
		log_error("%s: no way to queue packets: neither nftables' queue (CONFIG_NFT_QUEUE) "
			  "nor iptables' NFQUEUE and socket match work here: %s",
			  options->ifname, error);
		nft_free(rules->nft);
		free(rules);
		return err;
	}
	*out = rules;
	return 0;
}

static int change_iptables(struct queue_rules *rules, const struct queue_rules_options *options,
			   char error[IPTABLES_ERROR_SIZE])
{
	char *text = format_rules(options);
	int err = text ? iptables_change(&rules->iptables, options->ifname, text, error) : -ENOMEM;

	free(text);
	return err;
}

int queue_rules_change(struct queue_rules *rules, const struct queue_rules_options *options)
{
	char error[IPTABLES_ERROR_SIZE] = "out of memory";
	char table[NFT_TABLE_SIZE];
	int err;

	if (rules->is_nft) {
		nft_table_name(options->ifname, table);
		err = nft_write_ports(rules->nft, table, options->ports);
		snprintf(error, sizeof(error), "%s", nft_error(rules->nft));
	} else {
		err = change_iptables(rules, options, error);
	}
	if (err)
		log_error("%s: cannot queue other ports: %s", options->ifname, error);
	return err;
}

void queue_rules_remove(struct queue_rules *rules)
{
	char table[NFT_TABLE_SIZE];

	if (!rules)
		return;
	nft_table_name(rules->ifname, table);
	if (rules->is_nft)
		nft_run(rules->nft, "delete table inet %s\n", table);
	else
		iptables_remove(&rules->iptables, rules->nft, rules->ifname);
	nft_free(rules->nft);
	free(rules);
}

const char *queue_rules_backend(const struct queue_rules *rules)
{
	return rules->is_nft ? "nftables" : rules->iptables.flavour;
}

bool queue_rules_run_programs(const struct queue_rules *rules)
{
	return !rules->is_nft;
}

void queue_rules_sweep(const char *ifname)
{
	struct nft *nft;

	if (nft_new(&nft))
		return;
	iptables_sweep(nft, ifname);
	nft_free(nft);
}
