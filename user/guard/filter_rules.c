/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * input   a segment of a guarded flow that finds no kernel socket is about to be answered with a RST: its 4-tuple is remembered.
 *         What finds a socket takes its 4-tuple out again.
 * output  a RST of a remembered 4-tuple is dropped, unless a process's socket or a loader sends it. The kernel's own answers have no
 *         user.
 */
#include "filter_rules.h"

#include <stdio.h>
#include <stdlib.h>

struct family {
	const char *name, *ip, *type;
	bool is_v4;
};

static const struct family families[] = {
	{"v4", "ip", "ipv4_addr", true},
	{"v6", "ip6", "ipv6_addr", false},
};

/* As a packet that comes in has it, or one that goes out. */
static void print_key(FILE *out, const struct family *family, bool is_in, bool has_remote)
{
	const char *local = is_in ? "daddr" : "saddr", *local_port = is_in ? "dport" : "sport";
	const char *remote = is_in ? "saddr" : "daddr", *remote_port = is_in ? "sport" : "dport";

	fprintf(out, "%s %s . tcp %s", family->ip, local, local_port);
	if (has_remote)
		fprintf(out, " . %s %s . tcp %s", family->ip, remote, remote_port);
}

static void print_set(FILE *out, const struct family *family, const char *name, bool has_remote,
		      uint64_t timeout_s, uint32_t size)
{
	fprintf(out, "set %s_%s { type %s . inet_service", name, family->name, family->type);
	if (has_remote)
		fprintf(out, " . %s . inet_service", family->type);
	fprintf(out, "; flags dynamic, timeout; timeout %llus; size %u; }\n",
		(unsigned long long)timeout_s, size);
}

static size_t print_remotes(FILE *out, const struct family *family,
			    const struct lease_guard_options *options)
{
	char text[ADDR_TEXT_SIZE + 4];
	size_t count = 0;

	for (size_t i = 0; i < options->remote_count; i++) {
		if (addr_is_v4(&options->remotes[i].addr) != family->is_v4)
			continue;
		prefix_format(&options->remotes[i], text);
		if (!count++)
			fprintf(out,
				"set remotes_%s { type %s; flags interval; auto-merge; elements = { ",
				family->name, family->type);
		fprintf(out, "%s%s", count > 1 ? ", " : "", text);
	}
	if (count)
		fprintf(out, " }; }\n");
	return count;
}

/* Is it for a kernel socket? The expression matches if there is one, whatever it says of it. */
static void print_judgement(FILE *out, const struct family *family)
{
	const char *name = family->name;

	fprintf(out, "chain owned_%s {\ndelete @unowned_%s { ", name, name);
	print_key(out, family, true, true);
	fprintf(out,
		" }\n}\nchain judge_%s {\nsocket transparent 0 goto owned_%s\n"
		"socket transparent 1 goto owned_%s\nadd @unowned_%s { ",
		name, name, name, name);
	print_key(out, family, true, true);
	fprintf(out, " }\n}\n");
}

static void print_arrival(FILE *out, const struct family *family,
			  const struct lease_guard_options *options, bool has_remotes)
{
	const bool is_flow = options->mode == NOL_GUARD_FLOWS;
	const char *name = family->name;

	if (options->mode != NOL_GUARD_PORTS) {
		fprintf(out, "chain leased_%s {\nupdate @leases_%s { ", name, name);
		print_key(out, family, true, is_flow);
		fprintf(out, " }\njump judge_%s\n}\n", name);
	}
	fprintf(out, "chain arrived_%s {\n", name);
	if (has_remotes)
		fprintf(out, "%s saddr != @remotes_%s return\n", family->ip, name);
	if (options->mode == NOL_GUARD_PORTS) {
		fprintf(out, "tcp dport @ports jump judge_%s\n", name);
	} else {
		print_key(out, family, true, is_flow);
		fprintf(out, " @leases_%s jump leased_%s\n", name, name);
	}
	fprintf(out, "}\n");
}

/* True: the family has guarded flows. */
static bool print_family(FILE *out, const struct family *family,
			 const struct lease_guard_options *options)
{
	const size_t remotes = print_remotes(out, family, options);

	if (options->remote_count && !remotes)
		return false;
	print_set(out, family, "unowned", true, 10, 65535);
	if (options->mode != NOL_GUARD_PORTS)
		print_set(out, family, "leases", options->mode == NOL_GUARD_FLOWS,
			  options->expiry_s, options->max_leases);
	print_judgement(out, family);
	print_arrival(out, family, options, remotes);
	return true;
}

static void print_hooks(FILE *out, const struct lease_guard_options *options, const bool has[2])
{
	fprintf(out, "chain input { type filter hook input priority filter; policy accept;\n");
	for (size_t i = 0; i < 2; i++)
		if (has[i])
			fprintf(out, "iifname \"%s\" meta nfproto ip%s jump arrived_%s\n",
				options->ifname, families[i].name, families[i].name);
	fprintf(out,
		"}\nchain output { type filter hook output priority filter; policy accept;\n"
		"tcp flags & rst == 0 accept\n"
		"meta skuid != 4294967295 accept\nmeta mark %#x accept\n",
		NOL_MARK);
	for (size_t i = 0; i < 2; i++) {
		if (!has[i])
			continue;
		print_key(out, &families[i], false, true);
		fprintf(out, " @unowned_%s counter name rst_dropped drop\n", families[i].name);
	}
	fprintf(out, "}\n");
}

char *filter_rules_table(const char *table, const struct lease_guard_options *options,
			 const char *ports)
{
	bool has[2];
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "table inet %s\ndelete table inet %s\n", table, table);
	fprintf(out, "table inet %s {\nflags owner\ncounter rst_dropped { }\n", table);
	if (ports)
		fprintf(out,
			"set ports { type inet_service; flags interval; elements = { %s }; }\n",
			ports);
	for (size_t i = 0; i < 2; i++)
		has[i] = print_family(out, &families[i], options);
	print_hooks(out, options, has);
	fprintf(out, "}\n");
	return fclose(out) ? NULL : text;
}
