/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten explain: what the kernel does with handshakes, on an interface or in the demonstration. */
#include <net/if.h>

#include "commands.h"
#include "demo.h"
#include "live.h"
#include "log.h"
#include "reset_watch.h"

struct explain_options {
	const char *ifname;
	struct trace_options trace;
	struct addr remote;
	bool is_json, is_drawing, is_demo, is_rst;
	const char *scene; /* of the demo; NULL: all */
};

static int take_remote(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct explain_options *options = parse->options;

	(void)row;
	if (!addr_parse(arg, &options->remote))
		return option_refuse(parse, arg, "not an IPv4 or IPv6 address");
	options->trace.remote = &options->remote;
	return 0;
}

static int take_demo(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	((struct explain_options *)parse->options)->is_demo = true;
	if (arg && !demo_has(arg))
		return option_refuse(parse, arg, "no such scene (--demo alone plays all)");
	return option_take_text(parse, row, arg);
}

static int check(struct option_parse *parse)
{
	const struct explain_options *options = parse->options;

	if (options->is_json && options->is_drawing)
		return option_fail(parse, "--json and --draw exclude each other");
	if (options->is_rst && (options->is_drawing || options->is_demo))
		return option_fail(parse, "--rst goes with neither --draw nor --demo");
	if (!options->ifname && !options->is_demo)
		return option_fail_usage(parse, "which interface? ");
	if (options->ifname && options->is_demo)
		return option_fail_usage(parse, "");
	return 0;
}

static enum watch_look look_of(const struct explain_options *options)
{
	return options->is_json ? WATCH_JSON : options->is_drawing ? WATCH_DRAWING : WATCH_TEXT;
}

static int run(void *context)
{
	struct explain_options *options = context;
	const enum watch_look look = look_of(options);

	if (options->is_demo)
		return demo_play(look, options->scene) ? STATUS_FAILED : STATUS_DONE;
	options->trace.ifindex = if_nametoindex(options->ifname);
	if (!options->trace.ifindex) {
		log_error("%s: no such interface", options->ifname);
		return STATUS_FAILED;
	}
	if (options->is_rst)
		return reset_watch_run(options->ifname, &options->trace, options->is_json)
			       ? STATUS_FAILED
			       : STATUS_DONE;
	return live_run(options->ifname, &options->trace, look) ? STATUS_FAILED : STATUS_DONE;
}

#define FIELD(member) OPTION_FIELD(explain_options, member)

static const struct option_row options[] = {
	{"port", 'p', "N", "only connections with this port, on either end", option_take_number,
	 FIELD(trace.port), 1, UINT16_MAX},
	{"remote", 'r', "ADDR", "only connections with this remote address", take_remote},
	{"rst", 0, NULL, "whose RSTs leave: what each answers, who is behind it, and the cure",
	 option_take_flag, FIELD(is_rst)},
	{"json", 'j', NULL, "one JSON object a step, or a RST", option_take_flag, FIELD(is_json)},
	{"draw", 0, NULL, "a drawing of each connection, once it is quiet", option_take_flag,
	 FIELD(is_drawing)},
	{"demo", 0, "SCENE", "play the classic cases in namespaces of its own, and tell: %s",
	 take_demo, FIELD(scene), .word_at = demo_scene, .is_optional = true},
	OPTION_HELP,
	{0},
};

static const struct option_row arguments[] = {ARGUMENT_IFACE(explain_options, ifname), {0}};

const struct command explain_command = {
	.program = "nolisten",
	.name = "explain",
	.usages = {"IFACE [--port=N] [--remote=ADDR] [-j | --draw]",
		   "--rst IFACE [--port=N] [--remote=ADDR] [-j]", "--demo[=SCENE] [-j | --draw]"},
	.summary = "what the kernel did with each handshake packet, and why",
	.purpose = "What the kernel did with each TCP handshake packet on IFACE, and why.",
	.options = options,
	.arguments = arguments,
	.size = sizeof(struct explain_options),
	.check = check,
	.run = run,
};
