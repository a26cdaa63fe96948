/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten bench: its options. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "bench_lab.h"
#include "commands.h"
#include "compare.h"
#include "contender.h"
#include "listen_server.h"
#include "loader_path.h"
#include "log.h"
#include "schedule.h"
#include "sheet.h"

#define TIME_MAX_S 86400
#define TEXT(number) TEXT_OF(number)
#define TEXT_OF(number) #number

/* Its options are ours, with a place for the path of the loader. */
struct bench_command_line {
	struct bench_options bench;
	const char *old_results, *new_results; /* --compare */
	uint32_t serve_port; /* --serve */
	char path[PATH_MAX], reason[LOADER_REASON_SIZE];
};

static int add_peer(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct bench_options *bench = parse->options;
	char **grown = reallocarray(bench->peers, bench->peer_count + 1, sizeof(*grown));

	(void)row;
	if (!grown)
		return option_fail_memory(parse);
	bench->peers = grown;
	grown[bench->peer_count++] = (char *)arg;
	return 0;
}

/* Results are compared, or measured. */
static int check(struct option_parse *parse)
{
	static const struct bench_options none;
	const struct bench_command_line *line = parse->options;

	if (!line->old_results && line->new_results)
		return option_fail(parse, "'%s': not understood (see %s --help)", line->new_results,
				   command_title(parse->command));
	if (line->old_results && !line->new_results)
		return option_fail_usage(parse, "--compare: with what? ");
	if (line->serve_port &&
	    (line->old_results || memcmp(&line->bench, &none, sizeof(none)) != 0))
		return option_fail(parse, "--serve: measures nothing, so no other option "
					  "goes with it");
	if (line->old_results && memcmp(&line->bench, &none, sizeof(none)) != 0)
		return option_fail(parse, "--compare: measures nothing, so no other option "
					  "goes with it");
	return 0;
}

static const char *measure_at(size_t index)
{
	size_t count = 0;

	while (sheet_table[count].name)
		count++;
	return index < count ? sheet_table[index].name : index == count ? HANDOFF_MEASURE : NULL;
}

static const char *contender_at(size_t index)
{
	return contender_table[index].name;
}

static void print_lists(FILE *out)
{
	fprintf(out, "\nMeasures:\n");
	for (const struct sheet *sheet = sheet_table; sheet->name; sheet++)
		help_print_item(out, sheet->name, sheet->title);
	help_print_item(out, HANDOFF_MEASURE, "hand-offs a second, by threads");
	fprintf(out, "\nContenders:\n");
	for (const struct contender *contender = contender_table; contender->name; contender++)
		help_print_item(out, contender->name, contender->text);
}

/* The one that is asked for, or ours; without one of ours: loader is NULL and no_loader says why. */
static int find_loader(struct bench_command_line *line)
{
	struct bench_options *bench = &line->bench;

	if (bench->loader && !loader_path_is_program(bench->loader)) {
		log_error("bench: --loader: '%s': no program is there", bench->loader);
		return -ENOENT;
	}
	if (!bench->loader && !loader_path_find(line->path, line->reason))
		bench->loader = line->path;
	bench->no_loader = line->reason;
	return 0;
}

static int serve(const struct bench_command_line *line)
{
	const int err = listen_server_run((uint16_t)line->serve_port);

	log_error("bench: --serve: port %u: %s", line->serve_port, strerror(-err));
	return STATUS_FAILED;
}

static int run(void *context)
{
	struct bench_command_line *line = context;
	int err;

	if (line->old_results)
		return compare_print(line->old_results, line->new_results) ? STATUS_FAILED
									   : STATUS_DONE;
	if (line->serve_port)
		return serve(line);
	err = find_loader(line);
	if (!err && geteuid()) {
		log_error("bench: needs root, for network namespaces and BPF");
		err = -EPERM;
	}
	if (!err)
		err = bench_run(&line->bench);
	return err == -EINVAL ? STATUS_USAGE : err ? STATUS_FAILED : STATUS_DONE;
}

static void release(void *context)
{
	free(((struct bench_command_line *)context)->bench.peers);
}

#define FIELD(member) OPTION_FIELD(bench_command_line, bench.member)

static const struct option_row options[] = {
	{"quick", 0, NULL, "within 90 seconds", option_take_flag, FIELD(is_quick)},
	{"time", 0, "SECONDS", "measure for so long, %s [600; with --quick 72]", option_take_number,
	 FIELD(time_s), 1, TIME_MAX_S},
	{"slice", 0, "MS", "measure nothing longer than that at a time, %s", option_take_number,
	 FIELD(slice_ms), PLAN_SLICE_MIN_MS, PLAN_SLICE_MAX_MS},
	{"only", 0, "LIST", "these measures alone, see below", option_take_text, FIELD(only),
	 .word_at = measure_at, .offer = OFFER_LIST},
	{"methods", 0, "LIST", "these contenders alone, see below", option_take_text,
	 FIELD(methods), .word_at = contender_at, .offer = OFFER_LIST},
	{"peer", 0, "NAME:COMMAND",
	 "a program that answers TCP port " TEXT(BENCH_PORT) " joins them", add_peer},
	{"out", 0, "DIR", "write results.json, report.html and plots there", option_take_path,
	 FIELD(out_dir), .offer = OFFER_FOLDERS},
	{"loader", 0, "PATH", "another nolisten-loader", option_take_text, FIELD(loader),
	 .offer = OFFER_FILES},
	{"serve", 0, "PORT", "be nothing but the server that listens, for others to measure",
	 option_take_number, OPTION_FIELD(bench_command_line, serve_port), 1, 65535},
	{"compare", 0, "OLD", "what has changed from that results.json to NEW", option_take_path,
	 OPTION_FIELD(bench_command_line, old_results), .offer = OFFER_FILES},
	OPTION_HELP,
	{0},
};

static const struct option_row arguments[] = {
	{.arg = "NEW",
	 .take = option_take_path,
	 .offer = OFFER_FILES,
	 OPTION_FIELD(bench_command_line, new_results)},
	{0},
};

const struct command bench_command = {
	.program = "nolisten",
	.name = "bench",
	.usages = {"[OPTION...]", "--compare OLD NEW", "--serve=PORT"},
	.summary = "ways to accept a connection, side by side",
	.purpose =
		"Ways to accept a TCP connection side by side, in network namespaces of their own.",
	.options = options,
	.arguments = arguments,
	.size = sizeof(struct bench_command_line),
	.check = check,
	.print_more = print_lists,
	.run = run,
	.release = release,
};
