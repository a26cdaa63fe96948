// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Each change is one call of iptables-restore, which is atomic. */
#include "iptables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "log.h"

static const char *const flavours[] = {"iptables", "iptables-legacy"};

/* By family. */
static const char *const restore_names[2][2] = {
	{"iptables-restore", "iptables-legacy-restore"},
	{"ip6tables-restore", "ip6tables-legacy-restore"},
};
static const char *const nft_families[2] = {"ip", "ip6"};
static const char *const table_lists[2] = {"/proc/net/ip_tables_names",
					   "/proc/net/ip6_tables_names"};

#define CHAIN_PREFIX "nolisten_"

void iptables_chain_names(const char *ifname, char first[IPTABLES_CHAIN_SIZE],
			  char second[IPTABLES_CHAIN_SIZE])
{
	snprintf(first, IPTABLES_CHAIN_SIZE, CHAIN_PREFIX "%s", ifname);
	snprintf(second, IPTABLES_CHAIN_SIZE, CHAIN_PREFIX "%s/own", ifname);
}

static int restore(int family, int flavour, const char *text, char error[IPTABLES_ERROR_SIZE])
{
	char *argv[] = {(char *)restore_names[family][flavour], "--noflush", "--wait", NULL};

	return command_run(argv, text, error, IPTABLES_ERROR_SIZE);
}

/* The chains' rules, whatever was in them. jump: the line that leads to the first, or "". */
static int write_chain(int family, int flavour, const char *ifname, const char *jump,
		       const char *rules, char error[IPTABLES_ERROR_SIZE])
{
	char first[IPTABLES_CHAIN_SIZE], second[IPTABLES_CHAIN_SIZE];
	char *text;
	int err;

	iptables_chain_names(ifname, first, second);
	if (asprintf(&text, "*mangle\n:%s - [0:0]\n:%s - [0:0]\n%s%sCOMMIT\n", first, second, jump,
		     rules) < 0)
		return -ENOMEM;
	err = restore(family, flavour, text, error);
	free(text);
	return err;
}

static int install_family(int family, int flavour, const char *ifname, const char *rules,
			  char error[IPTABLES_ERROR_SIZE])
{
	char first[IPTABLES_CHAIN_SIZE], second[IPTABLES_CHAIN_SIZE], jump[256];

	iptables_chain_names(ifname, first, second);
	snprintf(jump, sizeof(jump), "-A INPUT -i %s -p tcp -m pkttype --pkt-type unicast -j %s\n",
		 ifname, first);
	return write_chain(family, flavour, ifname, jump, rules, error);
}

/* To name a chain makes it, or empties it: an earlier version had one. */
static int remove_family(int family, int flavour, const char *ifname)
{
	char first[IPTABLES_CHAIN_SIZE], second[IPTABLES_CHAIN_SIZE];
	char text[512], error[IPTABLES_ERROR_SIZE];

	iptables_chain_names(ifname, first, second);
	snprintf(
		text, sizeof(text),
		"*mangle\n:%s - [0:0]\n:%s - [0:0]\n"
		"-D INPUT -i %s -p tcp -m pkttype --pkt-type unicast -j %s\n-X %s\n-X %s\nCOMMIT\n",
		first, second, ifname, first, first, second);
	return restore(family, flavour, text, error);
}

static bool has_table(struct nft *nft, int family)
{
	return !nft_run(nft, "list table %s mangle\n", nft_families[family]);
}

static bool is_started_by(const char *line, const char *word)
{
	return !strncmp(line, word, strlen(word));
}

/*
 * Nothing in it but base chains that accept, which is what iptables-nft leaves, and chains of ours with the jumps to
 * them. The text is cut up.
 */
static bool is_ours_alone(char *listing)
{
	char *rest = NULL;
	bool was_chain = false, is_of_us = false;

	for (char *line = strtok_r(listing, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		line += strspn(line, "\t ");
		if (is_started_by(line, "chain "))
			is_of_us = is_started_by(line, "chain " CHAIN_PREFIX);
		if (is_of_us || strstr(line, "jump " CHAIN_PREFIX))
			continue;
		if (was_chain && !(is_started_by(line, "type ") && strstr(line, "policy accept;")))
			return false;
		if (!was_chain && !is_started_by(line, "table ") &&
		    !is_started_by(line, "chain ") && *line != '}' && *line != '#')
			return false;
		was_chain = is_started_by(line, "chain ");
	}
	return true;
}

/* Another loader's rules in a table that the first of us has made: the last of us removes it. */
static bool has_nothing_of_others(struct nft *nft, int family)
{
	char *listing;
	bool has_nothing;

	if (!has_table(nft, family))
		return true;
	listing = strdup(nft_output(nft));
	has_nothing = listing && strstr(listing, CHAIN_PREFIX) && is_ours_alone(listing);
	free(listing);
	return has_nothing;
}

static void remove_bare_table(struct nft *nft, int family)
{
	char *listing;

	if (!has_table(nft, family))
		return;
	listing = strdup(nft_output(nft));
	if (listing && !strstr(listing, CHAIN_PREFIX) && is_ours_alone(listing))
		nft_run(nft, "delete table %s mangle\n", nft_families[family]);
	free(listing);
}

int iptables_install(struct iptables *out, struct nft *nft, const char *ifname, const char *rules,
		     char error[IPTABLES_ERROR_SIZE])
{
	int err = -ENOENT;

	for (int family = 0; family < 2; family++)
		out->was_empty[family] = has_nothing_of_others(nft, family);
	for (int flavour = 0; flavour < 2; flavour++) {
		out->flavour = flavours[flavour];
		err = install_family(0, flavour, ifname, rules, error);
		if (!err)
			err = install_family(1, flavour, ifname, rules, error);
		if (!err)
			return 0;
		iptables_remove(out, nft, ifname);
	}
	return err;
}

int iptables_change(const struct iptables *iptables, const char *ifname, const char *rules,
		    char error[IPTABLES_ERROR_SIZE])
{
	const int flavour = iptables->flavour != flavours[0];
	int err = write_chain(0, flavour, ifname, "", rules, error);

	return err ?: write_chain(1, flavour, ifname, "", rules, error);
}

void iptables_remove(const struct iptables *iptables, struct nft *nft, const char *ifname)
{
	const int flavour = iptables->flavour != flavours[0];

	for (int family = 0; family < 2; family++) {
		remove_family(family, flavour, ifname);
		if (iptables->was_empty[family])
			remove_bare_table(nft, family);
	}
}

static bool has_legacy_mangle(int family)
{
	FILE *file = fopen(table_lists[family], "re");
	char line[64];
	bool has = false;

	while (file && !has && fgets(line, sizeof(line), file))
		has = !strcmp(line, "mangle\n");
	if (file)
		fclose(file);
	return has;
}

/* The whole name: that of veth10 begins with that of veth1. */
static bool has_chain(struct nft *nft, int family, const char *ifname)
{
	char first[IPTABLES_CHAIN_SIZE], second[IPTABLES_CHAIN_SIZE];
	char line[IPTABLES_CHAIN_SIZE + 16];

	iptables_chain_names(ifname, first, second);
	snprintf(line, sizeof(line), "chain %s {", first);
	return has_table(nft, family) && strstr(nft_output(nft), line);
}

/* Without a look first, iptables would make the tables that it is asked to clean. */
void iptables_sweep(struct nft *nft, const char *ifname)
{
	for (int family = 0; family < 2; family++) {
		if (has_chain(nft, family, ifname)) {
			log_info("%s: removing the %s rules that a killed process left", ifname,
				 nft_families[family]);
			remove_family(family, 0, ifname);
			remove_bare_table(nft, family);
		}
		if (has_legacy_mangle(family))
			remove_family(family, 1, ifname);
	}
}
