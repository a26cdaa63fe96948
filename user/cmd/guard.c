/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten guard: raw-socket programs without the kernel's RST, and without a firewall rule. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "guard.h"
#include "guard_list.h"

#define DEFAULT_EXPIRY_S 120
#define DEFAULT_LEASES 131072
#define MAX_LEASES (1 << 24)

struct guard_command_line {
	struct guard_options guard;
	struct port_set ports;
	bool has_ports, is_list, is_json;
	int method; /* 1: filter */
	const char *for_guards, *for_leases; /* an option that was given for these; NULL: none */
};

static struct guard_command_line *note(struct option_parse *parse, const struct option_row *row)
{
	struct guard_command_line *line = parse->options;

	line->for_guards = row->name;
	return line;
}

static int take_flag(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	note(parse, row);
	return option_take_flag(parse, row, arg);
}

static int take_word(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	note(parse, row);
	return option_take_word(parse, row, arg);
}

static int take_pid(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	note(parse, row);
	return option_take_number(parse, row, arg);
}

/* Of leases. */
static int take_number(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	note(parse, row)->for_leases = row->name;
	return option_take_number(parse, row, arg);
}

/* Given again, it adds. */
static int take_ports(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct guard_command_line *line = note(parse, row);
	struct port_set set;
	const char *why;

	if (!port_set_parse(arg, &set, &why))
		return option_refuse(parse, arg, "%s", why);
	port_set_unite(&line->ports, &set);
	line->has_ports = true;
	return 0;
}

static int add_remote(struct option_parse *parse, const char *text)
{
	struct lease_guard_options *lease =
		&((struct guard_command_line *)parse->options)->guard.lease;
	struct prefix prefix, *grown;

	if (!prefix_parse(text, &prefix))
		return option_refuse(parse, text, "not an address, nor a prefix without host bits");
	grown = reallocarray((void *)lease->remotes, lease->remote_count + 1, sizeof(*grown));
	if (!grown)
		return option_fail_memory(parse);
	lease->remotes = grown;
	grown[lease->remote_count++] = prefix;
	return 0;
}

static int take_remotes(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	char *list = strdup(arg), *rest = list, *one;
	int err = list ? 0 : option_fail_memory(parse);

	note(parse, row);
	while (!err && (one = strsep(&rest, ",")))
		err = add_remote(parse, one);
	free(list);
	return err;
}

static int take_rst(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct guard_options *guard = &note(parse, row)->guard;

	guard->redirect = NULL;
	if (!strcmp(arg, "drop"))
		guard->lease.rst_action = NOL_RST_DROP;
	else if (!strcmp(arg, "pass"))
		guard->lease.rst_action = NOL_RST_PASS;
	else if (!strncmp(arg, "redirect:", strlen("redirect:")) && arg[strlen("redirect:")])
		guard->redirect = arg + strlen("redirect:");
	else
		return option_refuse(parse, arg, "not one of drop, redirect:IFACE, pass");
	if (guard->redirect)
		guard->lease.rst_action = NOL_RST_REDIRECT;
	return 0;
}

static int check_list(struct option_parse *parse, const struct guard_command_line *line)
{
	if (line->for_guards || parse->rest)
		return option_fail(parse, "--list: shows the guards there are, and starts none");
	return 0;
}

static int check_filter(struct option_parse *parse, const struct guard_options *guard)
{
	if (guard->lease.guards_nat)
		return option_fail(parse, "--method=filter: --nat needs BPF");
	if (guard->lease.raw == NOL_RAW_HOLD)
		return option_fail(
			parse,
			"--method=filter: segments go on to raw IP sockets, --raw=hold needs BPF");
	if (guard->lease.rst_action != NOL_RST_DROP)
		return option_fail(parse, "--method=filter: drops RSTs, another --rst needs BPF");
	return 0;
}

static int check(struct option_parse *parse)
{
	struct guard_command_line *line = parse->options;
	struct guard_options *guard = &line->guard;
	int err;

	if (line->is_list)
		return check_list(parse, line);
	if (line->is_json)
		return option_fail(parse, "-j: goes with --list");
	guard->is_filter = line->method;
	guard->command = parse->rest;
	if (!guard->ifname || (guard->command && !guard->command[0]))
		return option_fail_usage(parse, "");
	if (guard->command && guard->pid)
		return option_fail(parse, "--pid: either a process or COMMAND");
	if (guard->redirect && !strcmp(guard->redirect, guard->ifname))
		return option_fail(parse, "--rst: %s is guarded itself: RSTs would go round",
				   guard->ifname);
	err = guard->is_filter ? check_filter(parse, guard) : 0;
	if (err)
		return err;
	/* Alone it guards nothing else. */
	if (!line->has_ports && (!guard->lease.guards_nat || guard->command || guard->pid ||
				 guard->lease.mode == NOL_GUARD_LEASED_PORTS))
		return 0;
	if (guard->lease.mode == NOL_GUARD_LEASED_PORTS)
		return option_fail(parse, "--lease: the ports of --port need none");
	if (line->for_leases)
		return option_fail(parse, "--%s: with --%s there are no leases", line->for_leases,
				   line->has_ports ? "port" : "nat alone");
	guard->lease.mode = NOL_GUARD_PORTS;
	guard->lease.ports = &line->ports;
	return 0;
}

static int run(void *context)
{
	struct guard_command_line *line = context;

	if (line->is_list)
		return guard_list(line->guard.ifname, line->is_json) ? STATUS_FAILED : STATUS_DONE;
	return guard_run(&line->guard);
}

static void release(void *context)
{
	struct guard_command_line *line = context;

	free((void *)line->guard.lease.remotes);
}

#define FIELD(member) OPTION_FIELD(guard_command_line, member)

static const struct option_word leases[] = {
	{"flow", NOL_GUARD_FLOWS},
	{"port", NOL_GUARD_LEASED_PORTS},
	{0},
};

static const struct option_word methods[] = {{"bpf", 0}, {"filter", 1}, {0}};

static const struct option_word raws[] = {
	{"auto", NOL_RAW_AUTO},
	{"hold", NOL_RAW_HOLD},
	{"pass", NOL_RAW_PASS},
	{0},
};

static const struct option_word rsts[] = {{"drop"}, {"redirect:IFACE"}, {"pass"}, {0}};

static const struct option_row options[] = {
	{"port", 'p', "LIST",
	 "guard these local ports, as in 443,40000-40999, or all [what raw sockets open]",
	 take_ports},
	{"remote", 'r', "LIST", "only with these addresses or prefixes [all]", take_remotes},
	{"lease", 0, "WHAT", "what a segment of a raw socket leases: %s [flow]", take_word,
	 FIELD(guard.lease.mode), .words = leases},
	{"method", 'm', "METHOD", "%s: with BPF, or by nftables where that is not allowed [bpf]",
	 take_word, FIELD(method), .words = methods},
	{"nat", 0, NULL,
	 "connections that conntrack translates, as a container's; alone: no other ones", take_flag,
	 FIELD(guard.lease.guards_nat)},
	{"expire", 0, "S", "seconds after its last segment that a lease ends [120]", take_number,
	 FIELD(guard.lease.expiry_s), 1, 86400},
	{"max-leases", 0, "COUNT", "leases at a time, then the oldest idle one goes [131072]",
	 take_number, FIELD(guard.lease.max_leases), 1, MAX_LEASES},
	{"raw", 0, "WHAT", "what comes in: %s; hold it from raw IP sockets or not [auto]",
	 take_word, FIELD(guard.lease.raw), .words = raws},
	{"rst", 0, "WHAT", "the kernel's RSTs: %s [drop]", take_rst, .words = rsts},
	{"pid", 0, "PID", "guard while this process lives", take_pid, FIELD(guard.pid), 1,
	 INT32_MAX},
	{"list", 'l', NULL, "show the guards and their leases", option_take_flag, FIELD(is_list)},
	{"json", 'j', NULL, "with --list: JSON, one object a line", option_take_flag,
	 FIELD(is_json)},
	{"quiet", 'q', NULL, "say nothing but errors", option_take_flag, FIELD(guard.is_quiet)},
	OPTION_HELP,
	{0},
};

static const struct option_row arguments[] = {
	ARGUMENT_IFACE(guard_command_line, guard.ifname),
	{0},
};

static const struct guard_command_line defaults = {
	.guard = {.lease = {.expiry_s = DEFAULT_EXPIRY_S, .max_leases = DEFAULT_LEASES}},
};

static void print_end(FILE *out)
{
	fprintf(out, "\nThe guard ends with COMMAND, and its exit status is COMMAND's.\n");
}

const struct command guard_command = {
	.program = "nolisten",
	.name = "guard",
	.usages = {"IFACE [OPTION...] [-- COMMAND [ARGUMENT...]]", "--list [-j] [IFACE]"},
	.summary = "raw-socket programs without the kernel's RST, and without a firewall rule",
	.purpose =
		"Keep the kernel from resetting connections of programs that speak TCP through raw or "
		"packet sockets, while COMMAND runs or until Ctrl-C. What kernel sockets own is "
		"left alone.",
	.options = options,
	.arguments = arguments,
	.has_rest = true,
	.size = sizeof(struct guard_command_line),
	.defaults = &defaults,
	.check = check,
	.print_more = print_end,
	.run = run,
	.release = release,
};
