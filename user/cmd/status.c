/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten status: what each loader does, and the counters that say something. */
#include <linux/types.h>
#include <stdio.h>
#include <string.h>

#include <abi/abi.h>

#include "commands.h"
#include "counters.h"
#include "query.h"
#include "status.h"

#define RATE_SIZE 24

/* Names and meanings come from the lists of the counters; those that are 0 are left out, but for these. */
static const char *const always_shown[] = {
	"held_syn", "held_flow", "lost_ring_full", "rst_dropped", "replay_turned", NULL,
};

static const struct counter {
	const char *name, *meaning;
} counter_table[] = {
#define COUNTER(name, text) {#name, text},
#define REASON(member, text, meaning) {"segment_" text, meaning},
	NOL_STATS(COUNTER) SESSION_STATS(COUNTER) ENGINE_REASONS(REASON)
#undef COUNTER
#undef REASON
};

static const char *find_meaning(const char *name)
{
	for (size_t i = 0; i < sizeof(counter_table) / sizeof(counter_table[0]); i++)
		if (strcmp(counter_table[i].name, name) == 0)
			return counter_table[i].meaning;
	return "";
}

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
		const char *meaning = find_meaning(name);

		if (is_shown(name, value))
			fprintf(out, "    %-22s %12lld %10s%s%s\n", name,
				(long long)json_number_value(value), format_rate(rates, name, rate),
				*meaning ? "  " : "", meaning);
	}
}

static void print_addresses(FILE *out, const json_t *addresses)
{
	const size_t count = json_array_size(addresses);

	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%s", i ? ", " : "",
			json_string_value(json_array_get(addresses, i)));
	fprintf(out, "%s\n", count ? "" : "none");
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

	if (refused)
		fprintf(out, "  refused      %lld connections that the service did not take\n",
			refused);
	if (lost)
		fprintf(out, "  events lost  %lld lines that could not be written\n", lost);
}

void status_print(FILE *out, const json_t *status)
{
	fprintf(out, "%s: pid %lld, up %lld s\n", query_text(status, "interface"),
		query_number(status, "pid"), query_number(status, "uptime_s"));
	fprintf(out, "  method       %s, xdp %s, tc %s\n", query_text(status, "method"),
		query_text(status, "xdp"), query_text(status, "tc"));
	fprintf(out, "  ports        %s\n  addresses    ", query_text(status, "ports"));
	print_addresses(out, json_object_get(status, "addresses"));
	fprintf(out, "  service      %s\n", query_text(status, "service"));
	fprintf(out, "  flows        %lld, %lld of them half-open\n", query_number(status, "flows"),
		query_number(status, "half_open"));
	fprintf(out, "  connections  %lld\n", query_number(status, "connections"));
	print_losses(out, status);
	print_workers(out, json_object_get(status, "workers"));
	print_counters(out, "packets", json_object_get(status, "counters"),
		       json_object_get(status, "rates"));
	print_counters(out, "engine", json_object_get(status, "engine"), NULL);
}

static void print_one(void *context, const json_t *status)
{
	bool *is_first = context;

	if (!*is_first)
		putchar('\n');
	*is_first = false;
	status_print(stdout, status);
}

static int run(void *context)
{
	bool is_first = true;

	return query_run(context, print_one, &is_first) ? STATUS_FAILED : STATUS_DONE;
}

static const struct query defaults = {.command = "status"};

const struct command status_command = {
	.program = "nolisten",
	.name = "status",
	.usages = {QUERY_USAGE},
	.summary = "what each loader does, and its counters",
	.purpose =
		"What the loader on IFACE does, or all in this network namespace, and their counters.",
	.options = query_options,
	.arguments = query_arguments,
	.size = sizeof(struct query),
	.defaults = &defaults,
	.run = run,
};
