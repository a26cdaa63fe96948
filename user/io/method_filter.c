// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The rules, in a table that belongs to this process and goes with it:
 *
 * input   what comes in for an answered port and finds no kernel socket is about to be answered with a RST: its 4-tuple
 *         is remembered. What finds one takes its 4-tuple out again, the packets that we replay included: that is how
 *         a hand-off becomes known here without a word from user space.
 * output  a RST of a remembered 4-tuple is dropped, unless it has our mark.
 *
 * A packet passes input and its RST output, and in between, on another CPU, the kernel socket may have been made and the
 * 4-tuple been taken out; or a SYN finds the last connection's socket there and, when TCP looks, gone. So for half a second
 * it is remembered, and a RST without ACK or with SEQ 0 is dropped: that is what answers a segment that found nobody,
 * with an ACK and without one, where a socket that is closed with data unread acknowledges with its RST, in its own place.
 *
 * So a RST that some kernel socket sent is never dropped. If no more 4-tuples can be remembered, the packet itself is
 * dropped: the tap has had it, and the kernel does not send what would get out. Late data of a connection that is over
 * gets its RST from the engine, which sends what the kernel would have; where our own side ended it, as soon as we have
 * heard of that.
 */
#include "method_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "log.h"
#include "nft.h"
#include "tapped.h"

struct method_filter {
	struct tapped tapped; /* first */
	struct nft *nft;
	char table[NFT_TABLE_SIZE];
	bool is_attached;
	uint64_t rst_dropped; /* as last read */
};

/* One family's share of the rules. $ is the version: ip or ip6 before addresses, v4 or v6 behind names. */
#define FAMILY_SETS(v, type)                                                    \
	"set addresses_" v " { type " type "; flags interval; auto-merge; }\n"  \
	"set unowned_" v " { type " type " . inet_service . " type              \
	" . inet_service; flags dynamic, timeout; timeout 10s; size 65535; }\n" \
	"set lately_" v " { type " type " . inet_service . " type               \
	" . inet_service; flags dynamic, timeout; timeout 500ms; size 65535; }\n"

#define TUPLE_KEY(ip) ip " daddr . tcp dport . " ip " saddr . tcp sport"
#define TUPLE_IN(ip) "{ " TUPLE_KEY(ip) " }"
#define TUPLE_OUT(ip) ip " saddr . tcp sport . " ip " daddr . tcp dport"

#define FAMILY_CHAINS(v, ip)                                                                 \
	"chain owned_" v " {\n" TUPLE_KEY(ip) " @unowned_" v " add @lately_" v " " TUPLE_IN( \
		ip) "\n"                                                                     \
		    "delete @unowned_" v                                                     \
		    " " TUPLE_IN(ip) "\n"                                                    \
				     "}\n"                                                   \
				     "chain answered_" v " {\n"                              \
				     "socket transparent 0 goto owned_" v "\n"               \
				     "socket transparent 1 goto owned_" v "\n"               \
				     "add @unowned_" v " " TUPLE_IN(ip) " return\n"          \
									"drop\n"             \
									"}\n"

#define FAMILY_INPUT(v, ip) ip " daddr @addresses_" v " tcp dport @ports jump answered_" v "\n"

#define FAMILY_OUTPUT(v, ip)                                                        \
	"tcp flags & rst == rst " TUPLE_OUT(                                        \
		ip) " @unowned_" v " counter name rst_dropped drop\n"               \
		    "tcp flags & (rst | ack) == rst " TUPLE_OUT(                    \
			    ip) " @lately_" v " counter name rst_dropped drop\n"    \
				"tcp flags & rst == rst tcp sequence 0 " TUPLE_OUT( \
					ip) " @lately_" v " counter name rst_dropped drop\n"

static const char table_format[] =
	"table inet %s {\n"
	"flags owner\n"
	"counter rst_dropped { }\n"
	"set ports { type inet_service; flags interval; %s }\n" FAMILY_SETS(
		"v4", "ipv4_addr") FAMILY_SETS("v6", "ipv6_addr") FAMILY_CHAINS("v4", "ip")
		FAMILY_CHAINS("v6", "ip6") "chain arrived {\n" FAMILY_INPUT("v4", "ip") FAMILY_INPUT(
			"v6",
			"ip6") "}\n"
			       "chain input { type filter hook input priority filter; policy accept;\n"
			       "iifname \"%s\" jump arrived\n"
			       "iifname != \"%s\" meta mark %#x jump arrived\n"
			       "}\n"
			       "chain output { type filter hook output priority filter; policy accept;\n"
			       "meta mark %#x accept\n" FAMILY_OUTPUT("v4", "ip")
				       FAMILY_OUTPUT("v6", "ip6") "}\n"
								  "}\n";

static struct method_filter *from_gate(struct gate *gate)
{
	return container_of(tapped_of_gate(gate), struct method_filter, tapped);
}

/* The addresses that are answered, anew: they change seldom. */
static int write_addresses(struct method_filter *filter)
{
	char *v4 = bpfless_format_prefixes(&filter->tapped.bpfless, true);
	char *v6 = bpfless_format_prefixes(&filter->tapped.bpfless, false);
	const char *table = filter->table;
	int err = -ENOMEM;

	if (v4 && v6)
		err = nft_run(filter->nft,
			      "flush set inet %s addresses_v4\n"
			      "flush set inet %s addresses_v6\n"
			      "%s%s%s%s%s\n%s%s%s%s%s\n",
			      table, table, *v4 ? "add element inet " : "", *v4 ? table : "",
			      *v4 ? " addresses_v4 { " : "", v4, *v4 ? " }" : "",
			      *v6 ? "add element inet " : "", *v6 ? table : "",
			      *v6 ? " addresses_v6 { " : "", v6, *v6 ? " }" : "");
	free(v4);
	free(v6);
	return err;
}

/* A table of that name that somebody left behind is replaced. */
static int write_table(struct method_filter *filter)
{
	const struct bpfless_options *options = &filter->tapped.bpfless.options;
	char *ports = nft_format_elements(options->ports);
	const char *table = filter->table;
	int err = -ENOMEM;

	if (!ports)
		return err;
	err = nft_run(filter->nft, "table inet %s\ndelete table inet %s\n", table, table);
	if (!err)
		err = nft_run(filter->nft, table_format, table, ports, options->ifname,
			      options->ifname, NOL_MARK_REPLAY, NOL_MARK);
	free(ports);
	return err;
}

static int attach(struct gate *gate)
{
	struct method_filter *filter = from_gate(gate);
	int err = write_table(filter);

	if (!err)
		err = write_addresses(filter);
	if (err) {
		log_error("%s: nftables refuses the rules (nf_tables with inet tables, sets and "
			  "socket lookup is needed): %s",
			  filter->tapped.bpfless.options.ifname, nft_error(filter->nft));
		return err;
	}
	filter->is_attached = true;
	return tap_start(filter->tapped.tap);
}

static int add_prefix(struct gate *gate, const struct prefix *prefix)
{
	int err = bpfless_add_prefix(gate, prefix);

	return !err && from_gate(gate)->is_attached ? write_addresses(from_gate(gate)) : err;
}

static int remove_prefix(struct gate *gate, const struct prefix *prefix)
{
	int err = bpfless_remove_prefix(gate, prefix);

	return !err && from_gate(gate)->is_attached ? write_addresses(from_gate(gate)) : err;
}

/* A packet of a port that is new and of no interest to the tap yet would be kept from the kernel, and from us. */
static int set_ports(struct gate *gate, const struct port_set *ports)
{
	struct method_filter *filter = from_gate(gate);
	int err = tapped_set_ports(gate, ports);

	return err || !filter->is_attached ? err
					   : nft_write_ports(filter->nft, filter->table, ports);
}

static int read_stats(struct gate *gate, struct nol_stats *out)
{
	struct method_filter *filter = from_gate(gate);
	const char *packets;

	tapped_read_stats(gate, out);
	if (filter->is_attached &&
	    !nft_run(filter->nft, "list counter inet %s rst_dropped\n", filter->table)) {
		packets = strstr(nft_output(filter->nft), "packets ");
		if (packets)
			filter->rst_dropped = strtoull(packets + strlen("packets "), NULL, 10);
	}
	out->rst_dropped = filter->rst_dropped;
	return 0;
}

static void detach(struct gate *gate)
{
	struct method_filter *filter = from_gate(gate);
	struct nol_stats last;

	tap_stop(filter->tapped.tap);
	if (!filter->is_attached)
		return;
	read_stats(gate, &last);
	filter->is_attached = false;
	nft_run(filter->nft, "delete table inet %s\n", filter->table);
}

static void free_method(struct gate *gate)
{
	struct method_filter *filter = from_gate(gate);

	if (filter->is_attached)
		detach(gate);
	nft_free(filter->nft);
	tapped_release(&filter->tapped);
	free(filter);
}

static const struct gate_ops gate_ops = {
	.attach = attach,
	.detach = detach,
	.add_prefix = add_prefix,
	.remove_prefix = remove_prefix,
	.set_ports = set_ports,
	.read_stats = read_stats,
	.free = free_method,
};

static const struct wire_ops wire_ops = {
	.shield = WIRE_SHIELD_DEAF,
	.receive = tapped_receive,
	.send = bpfless_send,
	.flush = bpfless_flush,
	.replay = bpfless_replay,
	.set_mtu = bpfless_set_mtu,
	.fd = tapped_fd,
};

static const struct bpfless_ops ops = {
	.method = NOL_METHOD_FILTER,
	.gate = &gate_ops,
	.flows = &tapped_flows_ops,
	.wire = &wire_ops,
};

int method_filter_new(struct method_parts *out, const struct bpfless_options *options)
{
	struct method_filter *filter = calloc(1, sizeof(*filter));
	int err;

	if (!filter)
		return -ENOMEM;
	nft_table_name(options->ifname, filter->table);
	err = tapped_init(&filter->tapped, &ops, options, NULL);
	if (!err) {
		err = nft_new(&filter->nft);
		if (err)
			log_error("%s: netfilter does not answer: %s", options->ifname,
				  strerror(-err));
	}
	if (err)
		free_method(&filter->tapped.bpfless.gate);
	else
		*out = bpfless_parts(&filter->tapped.bpfless);
	return err;
}
