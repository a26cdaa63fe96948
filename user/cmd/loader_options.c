/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The options of nolisten-loader, and what only goes together. */
#include "loader_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture_options.h"
#include "event_target.h"
#include "events.h"
#include "loader_run.h"
#include "log.h"
#include "methods.h"
#include "metrics_server.h"
#include "numbers.h"
#include "pin_option.h"
#include "port_options.h"
#include "privilege_options.h"
#include "service.h"
#include "service_options.h"
#include "socket_spec.h"
#include "sockopts.h"
#include "vlan.h"

#define KIB 1024
#define DEFAULT_PORT 34567

static int add_prefix(struct option_parse *parse, const char *text)
{
	struct config *config = &((struct loader_options *)parse->options)->config;
	struct prefix prefix, *grown;

	if (!prefix_parse(text, &prefix))
		return option_refuse(parse, text, "not an address, nor a prefix without host bits");
	grown = reallocarray(config->prefixes, config->prefix_count + 1, sizeof(*grown));
	if (!grown)
		return option_fail_memory(parse);
	config->prefixes = grown;
	grown[config->prefix_count++] = prefix;
	return 0;
}

static int take_prefixes(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct config *config = &((struct loader_options *)parse->options)->config;
	char *copy, *rest, *text;
	int err = 0;

	(void)row;
	if (!strcmp(arg, "host")) {
		config->has_host_addresses = true;
		return 0;
	}
	copy = rest = strdup(arg);
	if (!copy)
		return option_fail_memory(parse);
	while (!err && (text = strsep(&rest, ",")))
		err = add_prefix(parse, text);
	free(copy);
	return err;
}

static int take_service(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	const char *why;

	if (service_check(arg, &why))
		return option_refuse(parse, arg, "%s", why);
	return option_take_text(parse, row, arg);
}

static int take_events(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct event_target target;
	const char *why;

	if (!event_target_parse(&target, arg, &why))
		return option_refuse(parse, arg, "%s", why);
	return option_take_text(parse, row, arg);
}

static int take_metrics(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	const char *why;

	if (!metrics_address_check(arg, &why))
		return option_refuse(parse, arg, "%s", why);
	return option_take_text(parse, row, arg);
}

/* A word, or redirect: with the interface behind it. */
static int take_rst(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	static const char redirect[] = "redirect:";
	struct config *config = &((struct loader_options *)parse->options)->config;

	config->redirect_ifname = NULL;
	if (strncmp(arg, redirect, sizeof(redirect) - 1) || !arg[sizeof(redirect) - 1])
		return option_take_word(parse, row, arg);
	config->rst_action = NOL_RST_REDIRECT;
	config->redirect_ifname = arg + sizeof(redirect) - 1;
	return 0;
}

/* Given again, it adds. */
static int take_sockopt(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct sockopts *sockopts = option_field(parse, row);
	char why[SOCKOPT_WHY_SIZE];
	uint32_t mark;

	if (!sockopts_parse(sockopts, arg, why))
		return option_refuse(parse, arg, "%s", why);
	mark = sockopts->values[SOCKOPT_MARK];
	if (mark == NOL_MARK || mark == NOL_MARK_REPLAY)
		return option_refuse(parse, arg, "that is the mark of our own packets");
	return 0;
}

static int take_ring(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	uint64_t kib;

	if (!number_parse(arg, row->min, row->max, &kib) || kib & (kib - 1))
		return option_refuse(parse, arg,
				     "KiB, a power of two from %llu to %llu, are needed",
				     (unsigned long long)row->min, (unsigned long long)row->max);
	*(uint32_t *)option_field(parse, row) = (uint32_t)kib * KIB;
	return 0;
}

static int take_source_prefix(struct option_parse *parse, const struct option_row *row,
			      const char *arg)
{
	struct source_prefix *prefix = option_field(parse, row);
	const char *comma = strchrnul(arg, ',');
	uint64_t v4, v6 = prefix->v6;
	char first[4];

	snprintf(first, sizeof(first), "%.*s", (int)(comma - arg), arg);
	if (comma - arg >= (ptrdiff_t)sizeof(first) || !number_parse(first, 1, 32, &v4) ||
	    (*comma && !number_parse(comma + 1, 1, 128, &v6)))
		return option_refuse(
			parse, arg,
			"bits of IPv4 addresses from 1 to 32 and, behind a comma, of IPv6 "
			"addresses from 1 to 128 are needed, as in 24,56");
	*prefix = (struct source_prefix){(uint8_t)v4, (uint8_t)v6};
	return 0;
}

/* Of service socket. */
static int check_applications(struct option_parse *parse)
{
	const struct loader_options *options = parse->options;
	const struct config *config = &options->config;
	struct socket_spec spec;
	const bool passes = socket_spec_of_service(config->service, &spec);

	if (config->fallback && !passes)
		return option_fail(parse, "--fallback: goes with --service=socket:PATH");
	if (config->fallback && socket_spec_of_service(config->fallback, &spec))
		return option_fail(parse, "--fallback: socket cannot fall back to itself");
	if (passes && port_set_count(&options->vlans))
		return option_fail(parse, "--service: a socket serves one interface: start a "
					  "loader on each device, as in eth0.5");
	return 0;
}

/* What only goes together; and the default port, which any other replaces. */
static int check(struct option_parse *parse)
{
	struct loader_options *options = parse->options;
	struct config *config = &options->config;

	if (!port_set_count(&config->ports))
		port_set_add(&config->ports, DEFAULT_PORT);
	port_set_subtract(&config->ports, &config->guard.ports);
	if (!port_set_count(&config->ports))
		return option_fail(parse,
				   "--guard: no port is left to answer: a guarded one is not");
	if (!config->ifname && !options->is_check && !options->settings.is_printed)
		return option_fail_usage(parse, "which interface? ");
	if (options->is_check && options->is_dry_run)
		return option_fail(parse, "--check and --dry-run: one of them");
	if (options->is_json && !options->is_check && !options->is_dry_run)
		return option_fail(
			parse,
			"--json: goes with --check and --dry-run; --events=FILE is JSON too");
	if (port_set_count(&options->vlans) && options->is_check)
		return option_fail(parse, "--vlan: does not go with --check");
	if (config->has_host_addresses && config->prefix_count)
		return option_fail(parse, "--address: host does not go with others");
	if (port_set_count(&options->vlans) && (config->prefix_count || config->has_host_addresses))
		return option_fail(parse,
				   "--vlan: does not go with --address: which of them has it? "
				   "Start a loader on each device, as in eth0.5");
	if (port_set_count(&options->vlans) && config->metrics)
		return option_fail(
			parse, "--metrics: does not go with --vlan, whose devices have a loader "
			       "each: collect \"nolisten status --openmetrics\"");
	config->may_change = options->settings.path;
	if (config->rst_action != NOL_RST_DROP && !method_needs_bpf(config->method))
		return option_fail(parse, "--rst: method %s has no guard: use auto or engine",
				   method_text(config->method));
	if (config->xdp_mode == KERN_XDP_NONE && !method_accepts(config->method))
		return option_fail(parse, "--xdp: only method accept does without");
	if (config->tc_mode == KERN_TC_CLSACT && method_accepts(config->method))
		return option_fail(parse, "--tc: method accept needs tcx");
	if (config->sockopts.values[SOCKOPT_DEFER_ACCEPT] && method_connects_back(config->method))
		return option_fail(parse,
				   "--sockopt: method %s cannot wait for data: without "
				   "defer-accept, or use auto, xdp, engine or accept",
				   method_text(config->method));
	if (config->workers > 1 && !method_can_share(config->method))
		return option_fail(parse,
				   "--workers: method %s has one only: use auto, xdp or engine",
				   method_text(config->method));
	return capture_options_check(parse, config, port_set_count(&options->vlans))
		       ?: check_applications(parse)
		       ?: pin_option_check(parse, config)
		       ?: service_options_check(parse, config);
}

static void print_services(FILE *out)
{
	fprintf(out, "\nServices:\n");
	for (size_t i = 0; service_form(i); i++)
		help_print_item(out, service_form(i), service_meaning(i));
}

static void release(void *options)
{
	struct config *config = &((struct loader_options *)options)->config;

	free(config->prefixes);
	config->prefixes = NULL;
	config->prefix_count = 0;
	option_settings_free(&((struct loader_options *)options)->settings);
}

void loader_options_set_log(const struct loader_options *options)
{
	static const enum log_level levels[] = {LOG_INFO, LOG_DEBUG, LOG_TRACE};

	log_open("nolisten-loader", levels[options->verbose > 2 ? 2 : options->verbose]);
}

#define METHOD_WORD(member, text) {text, NOL_METHOD_##member},
static const struct option_word port_words[] = {{"all", 0}, {0}};
static const struct option_word guard_words[] = {{"auto", 0}, {0}};
static const struct option_word method_words[] = {{"auto", NOL_METHOD_NONE},
						  NOL_METHODS(METHOD_WORD){0}};
static const struct option_word rst_words[] = {
	{"drop", NOL_RST_DROP}, {"redirect:IFACE", NOL_RST_REDIRECT}, {"pass", NOL_RST_PASS}, {0}};
static const struct option_word xdp_words[] = {{"auto", KERN_XDP_AUTO},
					       {"native", KERN_XDP_NATIVE},
					       {"generic", KERN_XDP_GENERIC},
					       {"none", KERN_XDP_NONE},
					       {0}};
static const struct option_word events_words[] = {
	{"-", 0}, {"unix:PATH", 0}, {"syslog:FACILITY", 0}, {0}};
static const struct option_word tc_words[] = {
	{"auto", KERN_TC_AUTO}, {"tcx", KERN_TC_TCX}, {"clsact", KERN_TC_CLSACT}, {0}};

#define FIELD(member) OPTION_FIELD(loader_options, member)

static const struct option_row options[] = {
	{"port", 'p', "LIST", "TCP ports to answer: 80,443,8000-8999 or all [34567]",
	 port_options_take, FIELD(config.ports), .words = port_words, .is_live = true},
	{"address", 'a', "LIST",
	 "local addresses or prefixes to answer, IPv4 and IPv6; host: all of this host "
	 "[the interface's own]",
	 take_prefixes, .is_live = true},
	{"guard", 0, "WHAT",
	 "guard local ports for raw-socket programs, 40000-40999, or auto: what they open",
	 port_options_take_guard, FIELD(config.guard), .words = guard_words},
	{"vlan", 0, "LIST", "answer the VLAN devices on top of IFACE as well: 5,10-12",
	 port_options_take_vlans, FIELD(vlans)},
	{"method", 'm', "METHOD",
	 "who answers the SYN: %s [auto: XDP plain ones, the engine the others]", option_take_word,
	 FIELD(config.method), .words = method_words},
	{"service", 's', "WHAT", "what a connection gets, see below [echo]", take_service,
	 FIELD(config.service), .word_at = service_form},
	{"fallback", 0, "WHAT", "with socket: what those get that no application takes [a RST]",
	 take_service, FIELD(config.fallback), .word_at = service_form},
	{"queue", 0, "N", "with socket: connections that wait for an application [1024]",
	 option_take_number, FIELD(config.queue_max), 1, 65536},
	{"queue-time", 0, "MS", "with socket: for so long [5000]", option_take_number,
	 FIELD(config.queue_ms), 10, 600000},
	{"forward-timeout", 0, "MS", "with forward: wait so long for each target [3000]",
	 option_take_number, FIELD(config.connect_ms), 10, 600000},
	{"proxy-protocol", 0, NULL, "with forward: tell targets who it is, by PROXY protocol v2",
	 option_take_flag, FIELD(config.has_proxy_header)},
	{"record-time", 0, "MS", "with record: wait so long for bytes [5000]", option_take_number,
	 FIELD(config.record_ms), 10, 600000},
	{"tarpit-time", 0, "S", "with tarpit: hold a connection for so long [3600]",
	 option_take_number, FIELD(config.tarpit_s), 1, 604800},
	{"rst", 0, "WHAT", "the kernel's RSTs of our flows: %s [drop]", take_rst,
	 FIELD(config.rst_action), .words = rst_words},
	{"xdp", 0, "MODE", "%s [auto: native, generic on veth and lo]", option_take_word,
	 FIELD(config.xdp_mode), .words = xdp_words},
	{"tc", 0, "MODE", "%s [auto: tcx where the kernel has it]", option_take_word,
	 FIELD(config.tc_mode), .words = tc_words},
	{"events", 0, "WHERE",
	 "JSON lines in EVE's names: to a file, - (standard output), unix:PATH or syslog:[FACILITY]",
	 take_events, FIELD(config.events.target), .words = events_words, .offer = OFFER_FILES},
	{"events-rate", 0, "N", "events of one kind a second at most, 0: any number [10000]",
	 option_take_number, FIELD(config.events.rate), 0, 100000000},
	{"community-id-seed", 0, "N", "that of the others who write Community IDs [0]",
	 option_take_number, FIELD(config.events.community_id_seed), 0, UINT16_MAX},
	{"metrics", 0, "WHERE",
	 "serve OpenMetrics over HTTP: ADDR:PORT, :PORT (on 127.0.0.1) or unix:PATH", take_metrics,
	 FIELD(config.metrics)},
	{"pcap", 0, "FILE",
	 "write what is held, answered, sent and dropped as pcapng; - is standard output",
	 option_take_path, FIELD(config.capture.path), .offer = OFFER_FILES},
	{"pcap-filter", 0, "EXPR", "only what tcpdump's expression takes, as in 'net 10.0.0.0/8'",
	 option_take_text, FIELD(config.capture.filter)},
	{"pcap-what", 0, "LIST", "what becomes of them: %s [all but passed and replayed]",
	 capture_options_take_what, FIELD(config.capture.what), .word_at = capture_what_word,
	 .offer = OFFER_LIST},
	{"pcap-size", 0, "MIB", "begin another file then [0: never]", option_take_number,
	 FIELD(config.capture.size_mib), 0, 1048576},
	{"pcap-files", 0, "N", "and keep so many, FILE.1 and so on are older [10]",
	 option_take_number, FIELD(config.capture.files), 1, 10000},
	{"pcap-snaplen", 0, "BYTES", "of each packet at most [0: all]", option_take_number,
	 FIELD(config.capture.snap_len), 0, 65535},
	{"max-children", 0, "N", "processes of exec: at a time [64]", option_take_number,
	 FIELD(config.max_children), 1, 65536},
	{"max-flows", 0, "N", "flows known at a time [65536]", option_take_number,
	 FIELD(config.max_flows), 1, 4194304},
	{"max-per-source", 0, "N", "flows of one source at a time [0: any number]",
	 option_take_number, FIELD(config.max_per_source), 0, 4194304},
	{"source-prefix", 0, "BITS[,BITS]",
	 "what of an address is its source, for --max-per-source [32,64]", take_source_prefix,
	 FIELD(config.source_prefix)},
	{"ring", 0, "KIB", "ring buffer of held packets [256]", take_ring, FIELD(config.ring_size),
	 64, 16384},
	{"spin", 0, "US", "poll so long after a packet before sleeping, longer if many come [50]",
	 option_take_number, FIELD(config.spin_us), 0, 1000000},
	{"workers", 0, "N", "threads, each with a ring and a share of the flows [1]",
	 option_take_number, FIELD(config.workers), 1, NOL_WORKERS_MAX},
	{"sockopt", 0, "NAME=VALUE", "set on each connection, as if inherited from a listener: %s",
	 take_sockopt, FIELD(config.sockopts), .word_at = sockopts_name},
	{"cookie-key", 0, "FILE",
	 "keys of the SYN cookies, for several machines behind one address [random]",
	 option_take_path, FIELD(config.cookie_key_path), .offer = OFFER_FILES},
	{"pin", 0, "S",
	 "the programs outlive the loader, by so many seconds at most [120], and the next one takes "
	 "over",
	 pin_option_take, FIELD(config.pin_s), 5, 3600, .is_optional = true},
	{"user", 0, "NAME[:GROUP]", "run as that user once it has started, and services as well",
	 privilege_options_take_user, FIELD(config.privileges.user)},
	{"privileges", 0, "WHAT", "%s: what it needs no more once it has started [drop]",
	 privilege_options_take, FIELD(config.privileges), .words = privilege_words},
	{"check", 0, NULL, "can this host run it? load everything, say what is missing",
	 option_take_flag, FIELD(is_check), .is_request = true},
	{"dry-run", 0, NULL, "say what it would do, and what is in its way; change nothing",
	 option_take_flag, FIELD(is_dry_run), .is_request = true},
	{"json", 'j', NULL, "with --check, --dry-run: JSON on standard output", option_take_flag,
	 FIELD(is_json), .is_request = true},
	{"quiet", 'q', NULL, "no line for each event", option_take_flag, FIELD(config.is_quiet)},
	{"verbose", 'v', NULL, "more messages; twice: libbpf's too", option_count_flag,
	 FIELD(verbose), .is_live = true},
	OPTION_CONFIG,
	OPTION_PRINT_CONFIG,
	OPTION_COMPLETION,
	OPTION_VERSION,
	OPTION_HELP,
	{0},
};

static const struct option_row arguments[] = {ARGUMENT_IFACE(loader_options, config.ifname), {0}};

static const struct loader_options defaults = {
	.config = {.service = "echo",
		   .queue_max = 1024,
		   .queue_ms = 5000,
		   .events = {.rate = 10000},
		   .max_children = 64,
		   .max_flows = 65536,
		   .source_prefix = {32, 64},
		   .ring_size = 256 * KIB,
		   .spin_us = 50,
		   .workers = 1},
};

const struct command loader_command = {
	.program = "nolisten-loader",
	.usages = {"[OPTION...] IFACE"},
	.purpose = "Answer TCP connections on IFACE without a listening socket.",
	.options = options,
	.arguments = arguments,
	.size = sizeof(struct loader_options),
	.defaults = &defaults,
	OPTION_SETTINGS(loader_options, settings),
	.check = check,
	.print_more = print_services,
	.run = loader_command_run,
	.release = release,
};
