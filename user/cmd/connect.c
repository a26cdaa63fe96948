/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten connect: an active open by the engine, and then what nc does with a connection. */
#include "connect.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "commands.h"
#include "join.h"
#include "log.h"
#include "meet_command.h"
#include "numbers.h"
#include "tcpopt_layout.h"

#define STATUS_NOT_EXECUTABLE 126
#define STATUS_NOT_FOUND 127

struct connect_command_line {
	struct connect_options connect;
	char **command; /* NULL: standard input and output; points into argv */
	const char *ifname;
	uint16_t mss, window, wscale, ttl, retries, source_port;
	bool only_v4, only_v6, is_scan;
};

/* ADDR, ADDR:PORT or [ADDR]:PORT. */
static int take_source(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct connect_command_line *line = parse->options;
	struct endpoint *source = option_field(parse, row);

	if (!addr_parse(arg, &source->addr) && !endpoint_parse(arg, source))
		return option_refuse(parse, arg,
				     "not ADDR or ADDR:PORT, as in 10.0.0.2 or [fd00::2]:5000");
	if (!addr_is_one_host(&source->addr))
		return option_refuse(parse, arg, "not the address of one host");
	line->connect.has_source = true;
	return 0;
}

/* getaddrinfo() would take 65616 for 80. */
static int take_port(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	uint64_t port;

	if (!*arg || (!arg[strspn(arg, "0123456789")] && !number_parse(arg, 1, UINT16_MAX, &port)))
		return option_refuse(parse, arg,
				     "a port from 1 to 65535 or the name of a service is needed");
	return option_take_text(parse, row, arg);
}

static int take_interface(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	uint32_t *ifindex = option_field(parse, row);

	*ifindex = if_nametoindex(arg);
	return *ifindex ? 0 : option_refuse(parse, arg, "no such interface");
}

static int take_layout(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct engine_syn *syn = option_field(parse, row);

	syn->given |= ENGINE_SYN_LAYOUT;
	switch (tcpopt_layout_parse(arg, &syn->layout)) {
	case TCPOPT_LAYOUT_OK:
		return 0;
	case TCPOPT_LAYOUT_UNKNOWN:
		break;
	case TCPOPT_LAYOUT_TWICE:
		return option_refuse(parse, arg, "mss, sok, ts and ws can be there once");
	case TCPOPT_LAYOUT_LONG:
		return option_refuse(parse, arg, "options have room for 40 bytes");
	case TCPOPT_LAYOUT_BEHIND_END:
		return option_refuse(parse, arg, "behind eol there is nothing but eol");
	}
	return option_refuse(parse, arg, "not a list of mss, sok, ts, nop, ws, eol, nor none");
}

/* What a SYN says is taken as it is typed: a number that is not there is not given. */
static int take_syn_number(struct option_parse *parse, const struct option_row *row,
			   const char *arg)
{
	static const struct {
		size_t offset;
		enum engine_syn_field field;
	} fields[] = {
		{offsetof(struct connect_command_line, mss), ENGINE_SYN_MSS},
		{offsetof(struct connect_command_line, window), ENGINE_SYN_WINDOW},
		{offsetof(struct connect_command_line, wscale), ENGINE_SYN_WSCALE},
		{offsetof(struct connect_command_line, retries), ENGINE_SYN_RETRIES},
	};
	struct connect_command_line *line = parse->options;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fields[i].offset == row->offset)
			line->connect.syn.given |= fields[i].field;
	}
	return option_take_number(parse, row, arg);
}

static int check_layout(struct option_parse *parse, const struct engine_syn *syn)
{
	if (!(syn->given & ENGINE_SYN_LAYOUT))
		return 0;
	if (syn->given & ENGINE_SYN_MSS && !tcpopt_layout_has(&syn->layout, TCPOPT_KIND_MSS))
		return option_fail(parse, "--mss: --options has no mss");
	if (syn->given & ENGINE_SYN_WSCALE && !tcpopt_layout_has(&syn->layout, TCPOPT_KIND_WSCALE))
		return option_fail(parse, "--wscale: --options has no ws");
	return 0;
}

static int check_source(struct option_parse *parse, struct connect_command_line *line)
{
	struct connect_options *options = &line->connect;
	const bool is_v4 = addr_is_v4(&options->source.addr);

	if (line->source_port && options->source.port)
		return option_fail(parse, "--source-port: --source has a port already");
	if (line->source_port)
		options->source.port = line->source_port;
	if (options->has_source && (is_v4 ? line->only_v6 : line->only_v4))
		return option_fail(parse, "--source: that is an %s address",
				   is_v4 ? "IPv4" : "IPv6");
	return 0;
}

static int check(struct option_parse *parse)
{
	struct connect_command_line *line = parse->options;
	struct connect_options *options = &line->connect;
	int err;

	line->command = parse->rest;
	if (!options->port || (line->command && !line->command[0]))
		return option_fail_usage(parse, "");
	if (line->only_v4 && line->only_v6)
		return option_fail(parse, "either --ipv4 or --ipv6");
	if (line->command && line->is_scan)
		return option_fail(parse,
				   "--zero: nothing is done with the connection: no COMMAND");
	err = check_source(parse, line) ?: check_layout(parse, &options->syn);
	options->family = line->only_v4 ? AF_INET : line->only_v6 ? AF_INET6 : AF_UNSPEC;
	options->syn.mss = line->mss;
	options->syn.window = line->window;
	options->syn.wscale = (uint8_t)line->wscale;
	options->syn.retries = (uint8_t)line->retries;
	options->syn.ttl = (uint8_t)line->ttl;
	return err;
}

/* They were blocked for the loop; from here on Ctrl-C ends us as it ends anybody. */
static void restore_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int become_command(const struct connect_command_line *line, const struct connected *on)
{
	const int err = meet_command_exec(line->command, on->fd, &on->tuple);

	log_error("connect: cannot run '%s': %s", line->command[0], strerror(-err));
	return err == -ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

static int use_connection(const struct connect_command_line *line, const struct connected *on)
{
	int err;

	if (line->command)
		return become_command(line, on);
	err = line->is_scan ? 0 : join_socket(on->fd, true);
	if (!err)
		return STATUS_DONE;
	log_error("connection to %s port %s: %s", line->connect.host, line->connect.port,
		  strerror(-err));
	return STATUS_FAILED;
}

static int run(void *context)
{
	const struct connect_command_line *line = context;
	struct connected on;
	int signal = 0;
	int err = connect_open(&line->connect, &on, &signal);
	int status;

	restore_signals();
	if (signal) {
		raise(signal);
		return 128 + signal; /* where somebody has it ignored */
	}
	if (err)
		return STATUS_FAILED;
	status = use_connection(line, &on);
	connect_close(&on);
	return status;
}

#define FIELD(member) OPTION_FIELD(connect_command_line, member)

static const struct option_row options[] = {
	{"source", 's', "ADDR[:PORT]", "from this address of the host [the route's]", take_source,
	 FIELD(connect.source)},
	{"source-port", 'p', "PORT", "from this port [any that is free]", option_take_number,
	 FIELD(source_port), 1, UINT16_MAX},
	{"interface", 'i', "IFACE", "leave by this interface [the route's]", take_interface,
	 FIELD(connect.ifindex), .offer = OFFER_INTERFACES},
	{"ipv4", '4', NULL, "IPv4 only", option_take_flag, FIELD(only_v4)},
	{"ipv6", '6', NULL, "IPv6 only", option_take_flag, FIELD(only_v6)},
	{"timeout", 'w', "S", "give up after so many seconds, %s [when the last SYN has waited]",
	 option_take_number, FIELD(connect.timeout_s), 1, 86400},
	{"retries", 0, "COUNT", "send the SYN again so often, %s [tcp_syn_retries]",
	 take_syn_number, FIELD(retries), 0, 127},
	{"mss", 0, "BYTES", "the SYN's MSS, %s [the route's]", take_syn_number, FIELD(mss), 1,
	 UINT16_MAX},
	{"window", 0, "BYTES", "the SYN's window, %s [the host's]", take_syn_number, FIELD(window),
	 0, UINT16_MAX},
	{"wscale", 0, "SHIFT", "the window scale, %s [the host's]", take_syn_number, FIELD(wscale),
	 0, TCPOPT_MAX_WSCALE},
	{"ttl", 0, "HOPS", "TTL or hop limit, %s [64]", option_take_number, FIELD(ttl), 1,
	 UINT8_MAX},
	{"options", 'o', "LIST",
	 "the SYN's options in this order, of mss, sok, ts, nop, ws, eol; or none", take_layout,
	 FIELD(connect.syn)},
	{"zero", 'z', NULL, "connect, and that is all", option_take_flag, FIELD(is_scan)},
	{"verbose", 'v', NULL, "tell of the connection, and of the remote's SYN-ACK",
	 option_take_flag, FIELD(connect.is_verbose)},
	OPTION_HELP,
	{0},
};

static const struct option_row arguments[] = {
	{.arg = "HOST", .take = option_take_text, FIELD(connect.host)},
	{.arg = "PORT", .take = take_port, FIELD(connect.port)},
	{0},
};

static void print_end(FILE *out)
{
	fprintf(out, "\nThe connection is joined to standard input and output, or is those of "
		     "COMMAND, whose exit status\nis then ours.\n");
}

const struct command connect_command = {
	.program = "nolisten",
	.name = "connect",
	.usages = {"[OPTION...] HOST PORT [-- COMMAND [ARGUMENT...]]"},
	.summary = "connect as nc does, by a SYN of any shape",
	.purpose =
		"Open a connection whose SYN says what you want, by an engine of our own; then it "
		"is an ordinary socket. No port listens, no filter is set, and a loader may run on "
		"the same interface.",
	.options = options,
	.arguments = arguments,
	.has_rest = true,
	.size = sizeof(struct connect_command_line),
	.check = check,
	.print_more = print_end,
	.run = run,
};
