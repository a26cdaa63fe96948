/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A chain in iptables' and ip6tables' mangle table, reached from INPUT, and a second one that it may go to. */
#ifndef NOLISTEN_IPTABLES_H
#define NOLISTEN_IPTABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "nft.h"

#define IPTABLES_ERROR_SIZE 256
#define IPTABLES_CHAIN_SIZE 29 /* with the end, as iptables has it */

struct iptables {
	const char *flavour; /* "iptables", "iptables-legacy" */
	bool was_empty[2]; /* by family: no mangle table of nftables, or only ours in it */
};

/*
 * rules: lines "-A CHAIN ..." as iptables-save prints them. The first flavour that takes them for both families;
 * error says why the last one did not.
 */
int iptables_install(struct iptables *out, struct nft *nft, const char *ifname, const char *rules,
		     char error[IPTABLES_ERROR_SIZE]);
/* Other rules in their place, in one step for each family; on failure one family may have the old ones. */
int iptables_change(const struct iptables *iptables, const char *ifname, const char *rules,
		    char error[IPTABLES_ERROR_SIZE]);
/* The tables are as they were, those that iptables-nft has made included. */
void iptables_remove(const struct iptables *iptables, struct nft *nft, const char *ifname);
/* The same for what somebody left behind, if there is anything. */
void iptables_sweep(struct nft *nft, const char *ifname);

/* The names of the chains; an interface's name leaves room for them, and can be neither's. */
void iptables_chain_names(const char *ifname, char first[IPTABLES_CHAIN_SIZE],
			  char second[IPTABLES_CHAIN_SIZE]);

#endif
