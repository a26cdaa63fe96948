/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table of old iptables is asked for only where there is one: asking would make it. */
#include "firewall_host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "nft.h"

static int add_command(struct firewall *firewall, const char *program, const char *tool, bool is_v6,
		       char *why, size_t size)
{
	char *const argv[] = {(char *)program, NULL};
	char *text = NULL;
	int err = command_read(argv, &text);

	if (!err)
		err = firewall_add_iptables(firewall, tool, is_v6, text);
	else
		snprintf(why, size, "%s: %s", program, strerror(-err));
	free(text);
	return err;
}

static bool has_line(const char *path)
{
	FILE *file = fopen(path, "re");
	const bool has_it = file && fgetc(file) != EOF;

	if (file)
		fclose(file);
	return has_it;
}

static int add_legacy(struct firewall *firewall, char *why, size_t size)
{
	int err = 0;

	if (has_line("/proc/net/ip_tables_names"))
		err = add_command(firewall, "iptables-legacy-save", "iptables-legacy", false, why,
				  size);
	if (has_line("/proc/net/ip6_tables_names"))
		err = add_command(firewall, "ip6tables-legacy-save", "ip6tables-legacy", true, why,
				  size)
			      ?: err;
	return err;
}

static int add_nftables(struct firewall *firewall, const char *json, char *why, size_t size)
{
	int err = firewall_add_nft(firewall, json);

	if (err)
		snprintf(why, size, "nftables: its list is not understood");
	if (err || !firewall_needs_iptables(json))
		return err;
	return add_command(firewall, "iptables-nft-save", "iptables", false, why, size)
		       ?: add_command(firewall, "ip6tables-nft-save", "ip6tables", true, why, size);
}

static int add_by(struct firewall *firewall, struct nft *nft, char *why, size_t size)
{
	char *json;
	int err;

	nft_speak_json(nft);
	err = nft_run(nft, "list ruleset");
	if (err) {
		snprintf(why, size, "nftables: %s", nft_error(nft));
		return err;
	}
	json = strdup(nft_output(nft));
	err = json ? add_nftables(firewall, json, why, size) : -ENOMEM;
	free(json);
	return err;
}

int firewall_read_host(struct firewall *firewall, char *why, size_t size)
{
	struct nft *nft;
	int err = nft_new(&nft);

	snprintf(why, size, "%s", strerror(-err));
	if (err)
		return err;
	err = add_by(firewall, nft, why, size);
	nft_free(nft);
	return add_legacy(firewall, why, size) ?: err;
}
