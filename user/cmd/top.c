/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten top: its options. */
#include "top.h"

#include "commands.h"

struct top_command_options {
	struct top_options top;
	bool is_once, is_batch;
};

static int check(struct option_parse *parse)
{
	struct top_command_options *options = parse->options;

	if (options->is_once && options->is_batch)
		return option_fail(parse, "--once and --batch: one of them");
	if (options->top.count && !options->is_batch)
		return option_fail(parse, "--count: goes with --batch");
	if (options->top.is_json && !options->is_once && !options->is_batch)
		return option_fail(parse, "--json: goes with --once and --batch");
	if (options->is_once)
		options->top.count = 1;
	return 0;
}

static int run(void *context)
{
	const struct top_command_options *options = context;
	const bool is_text = options->is_once || options->is_batch;
	int err = is_text ? top_batch(&options->top) : top_live(&options->top);

	return err ? STATUS_FAILED : STATUS_DONE;
}

#define FIELD(member) OPTION_FIELD(top_command_options, member)

static const struct option_word sort_words[] = {{"flows", SORT_FLOWS},
						{"half-open", SORT_HALF_OPEN},
						{"handed-off", SORT_HANDED_OFF},
						{"source", SORT_SOURCE},
						{0}};

static const struct option_row options[] = {
	{"delay", 'd', "SECONDS", "between two looks, %s [1]", option_take_number,
	 FIELD(top.delay_s), 1, 3600},
	{"sort", 's', "KEY", "order of the sources: %s [flows]", option_take_word, FIELD(top.sort),
	 .words = sort_words},
	{"once", '1', NULL, "print one look as text, and end", option_take_flag, FIELD(is_once)},
	{"batch", 'b', NULL, "print a look each time, as text, without a terminal",
	 option_take_flag, FIELD(is_batch)},
	{"count", 'n', "N", "with --batch: so many looks [any number]", option_take_number,
	 FIELD(top.count), 1, 1000000000},
	{"json", 'j', NULL, "with --once and --batch: a JSON object a line", option_take_flag,
	 FIELD(top.is_json)},
	OPTION_HELP,
	{0},
};

static const struct option_row arguments[] = {ARGUMENT_IFACE(top_command_options, top.ifname), {0}};

static const struct top_command_options defaults = {.top = {.delay_s = 1}};

const struct command top_command = {
	.program = "nolisten",
	.name = "top",
	.usages = {"[-d SECONDS] [-s KEY] [IFACE]", "--once|--batch [-n N] [-j] [IFACE]"},
	.summary = "a live table: rates, times, drops, who has most flows",
	.purpose =
		"A live table of what the loader on IFACE does, or those of this network namespace in turn.",
	.options = options,
	.arguments = arguments,
	.size = sizeof(struct top_command_options),
	.defaults = &defaults,
	.check = check,
	.run = run,
};
