/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten status: what each loader does, and the counters that say something. */
#include <linux/types.h>
#include <stdio.h>
#include <string.h>

#include <abi/abi.h>

#include "commands.h"
#include "counters.h"
#include "openmetrics.h"
#include "query.h"
#include "status.h"

#define RATE_SIZE 24

struct status_options {
	struct query query;
	bool is_openmetrics;
};

/* Names and meanings come from the lists of the counters; those that are 0 are left out, but for these. */
static const char *const always_shown[] = {
	"held_syn", "held_flow", "lost_ring_full", "rst_dropped", "replay_turned", NULL,
};

static bool is_always_shown(const char *name)
{
	for (const char *const *shown = always_shown; *shown; shown++)
		if (strcmp(*shown, name) == 0)
			return true;
	return false;
}

static bool is_shown(const char *name, const json_t *value)
{
	return json_number_value(value) != 0 || is_always_shown(name);
}

static size_t count_shown(json_t *counters)
{
	const char *name;
	json_t *value;
	size_t count = 0;

	json_object_foreach(counters, name, value) count += is_shown(name, value);
	return count;
}

/* " 1234/s", of the last second; nothing if nothing happened or nobody counts it. */
static const char *format_rate(const json_t *rates, const char *name, char text[RATE_SIZE])
{
	const json_int_t rate = (json_int_t)json_number_value(json_object_get(rates, name));

	text[0] = '\0';
	if (rate)
		snprintf(text, RATE_SIZE, "%lld/s", (long long)rate);
	return text;
}

/* rates: of the same names, or NULL. */
static void print_counters(FILE *out, const char *title, json_t *counters, const json_t *rates)
{
	char rate[RATE_SIZE];
	const char *name;
	json_t *value;

	if (!count_shown(counters))
		return;
	fprintf(out, "\n  %s\n", title);
	json_object_foreach(counters, name, value)
	{
		const char *meaning = counter_meaning(name);

		if (is_shown(name, value))
			fprintf(out, "    %-22s %12lld %10s%s%s\n", name,
				(long long)json_number_value(value), format_rate(rates, name, rate),
				*meaning ? "  " : "", meaning);
	}
}

static void print_list(FILE *out, const json_t *texts)
{
	const size_t count = json_array_size(texts);

	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%s", i ? ", " : "", json_string_value(json_array_get(texts, i)));
	fprintf(out, "%s\n", count ? "" : "none");
}

/* Of method accept; others have none. */
static void print_parents(FILE *out, const json_t *parents)
{
	if (!json_array_size(parents))
		return;
	fprintf(out, "  listens on   ");
	print_list(out, parents);
}

/* Of --cookie-key. */
static void print_keys(FILE *out, const json_t *keys)
{
	if (!json_array_size(keys))
		return;
	fprintf(out, "  cookie keys  ");
	print_list(out, keys);
}

/* What each has had of the whole, if there are several. */
static void print_workers(FILE *out, const json_t *workers)
{
	const size_t count = json_array_size(workers);

	if (count < 2)
		return;
	fprintf(out, "\n  workers        half-open   handed off  connections\n");
	for (size_t i = 0; i < count; i++) {
		const json_t *worker = json_array_get(workers, i);

		fprintf(out, "    %-10zu %12lld %12lld %12lld\n", i,
			query_number(worker, "half_open"), query_number(worker, "handed_off"),
			query_number(worker, "connections"));
	}
}

/* What is not right, if anything is not. */
static void print_losses(FILE *out, const json_t *status)
{
	const long long refused = query_number(status, "refused");
	const long long lost = query_number(status, "events_lost");
	const long long limited = query_number(status, "events_limited");

	if (refused)
		fprintf(out, "  refused      %lld connections that the service did not take\n",
			refused);
	if (lost)
		fprintf(out, "  events lost  %lld lines that could not be written\n", lost);
	if (limited)
		fprintf(out, "  not told     %lld events above --events-rate\n", limited);
}

static void print_capture(FILE *out, const json_t *capture)
{
	const long long written = query_number(capture, "written");
	const long long filtered = query_number(capture, "filtered");
	const long long lost = query_number(capture, "lost");

	if (written || filtered || lost)
		fprintf(out, "  captured     %lld packets; %lld filtered out, %lld lost\n", written,
			filtered, lost);
}

void status_print(FILE *out, const json_t *status)
{
	fprintf(out, "%s: pid %lld, up %lld s\n", query_text(status, "interface"),
		query_number(status, "pid"), query_number(status, "uptime_s"));
	fprintf(out, "  method       %s, xdp %s, tc %s\n", query_text(status, "method"),
		query_text(status, "xdp"), query_text(status, "tc"));
	fprintf(out, "  ports        %s\n  addresses    ", query_text(status, "ports"));
	print_list(out, json_object_get(status, "addresses"));
	print_parents(out, json_object_get(status, "parents"));
	print_keys(out, json_object_get(status, "cookie_keys"));
	fprintf(out, "  service      %s\n", query_text(status, "service"));
	fprintf(out, "  flows        %lld, %lld of them half-open\n", query_number(status, "flows"),
		query_number(status, "half_open"));
	fprintf(out, "  connections  %lld\n", query_number(status, "connections"));
	print_losses(out, status);
	print_capture(out, json_object_get(status, "capture"));
	print_workers(out, json_object_get(status, "workers"));
	print_counters(out, "packets", json_object_get(status, "counters"),
		       json_object_get(status, "rates"));
	print_counters(out, "engine", json_object_get(status, "engine"), NULL);
	print_counters(out, "applications", json_object_get(status, "applications"), NULL);
	print_counters(out, "services", json_object_get(status, "services"), NULL);
}

static void print_one(void *context, const json_t *status)
{
	bool *is_first = context;

	if (!*is_first)
		putchar('\n');
	*is_first = false;
	status_print(stdout, status);
}

static void collect_one(void *context, const json_t *status)
{
	json_array_append((json_t *)context, (json_t *)status);
}

/* All of them in one, since the samples of a name stand together. */
static int print_metrics(const struct query *query)
{
	json_t *statuses = json_array();
	int err = query_run(query, collect_one, statuses);

	if (!err)
		openmetrics_write(stdout, statuses, OPENMETRICS_1_0);
	json_decref(statuses);
	return err;
}

static int run(void *context)
{
	const struct status_options *options = context;
	bool is_first = true;
	int err = options->is_openmetrics ? print_metrics(&options->query)
					  : query_run(&options->query, print_one, &is_first);

	return err ? STATUS_FAILED : STATUS_DONE;
}

static int check(struct option_parse *parse)
{
	const struct status_options *options = parse->options;

	if (options->is_openmetrics && options->query.is_json)
		return option_fail(parse, "--json and --openmetrics: one of them");
	return 0;
}

static const struct option_row options[] = {
	QUERY_JSON(status_options, query),
	{"openmetrics", 0, NULL, "as text for Prometheus' collectors", option_take_flag,
	 OPTION_FIELD(status_options, is_openmetrics)},
	OPTION_HELP,
	{0},
};

static const struct option_row arguments[] = {ARGUMENT_IFACE(status_options, query.ifname), {0}};

static const struct status_options defaults = {.query = {.command = "status"}};

const struct command status_command = {
	.program = "nolisten",
	.name = "status",
	.usages = {"[-j|--openmetrics] [IFACE]"},
	.summary = "what each loader does, and its counters",
	.purpose =
		"What the loader on IFACE does, or all in this network namespace, and their counters.",
	.options = options,
	.arguments = arguments,
	.size = sizeof(struct status_options),
	.defaults = &defaults,
	.check = check,
	.run = run,
};
