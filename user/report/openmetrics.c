/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Family by family, as the format wants it: all samples of a name stand together, one for each interface. The two forms
 * differ in what a counter's family is called, and in how the end is told.
 */
#include "openmetrics.h"

#include <linux/types.h>
#include <stdint.h>
#include <string.h>

#include <abi/abi.h>

#include "clock.h"
#include "counters.h"

#define NAME_SIZE 96
#define US_PER_S 1e6

struct page {
	FILE *out;
	const json_t *statuses;
	enum openmetrics_form form;
};

/* A number of each status: a member of its own, or of the object called group. */
struct sample {
	const char *name, *type, *help;
	const char *group; /* NULL: none */
	const char *member;
};

static const struct sample gauges[] = {
	{"uptime_seconds", "gauge", "since the loader began to answer", NULL, "uptime_s"},
	{"half_open_flows", "gauge", "handshakes that are not complete", NULL, "half_open"},
	{"connections", "gauge", "open connections that the loader's service has", NULL,
	 "connections"},
	{"refused_connections", "counter", "connections that the service did not take", NULL,
	 "refused"},
	{"lost_events", "counter", "event lines that could not be written", NULL, "events_lost"},
	{"limited_events", "counter", "events that were not told: above the rate", NULL,
	 "events_limited"},
	{"captured_packets", "counter", "packets that --pcap has written", "capture", "written"},
	{"filtered_packets", "counter", "packets that --pcap-filter has left out", "capture",
	 "filtered"},
	{"uncaptured_packets", "counter", "packets that --pcap has lost", "capture", "lost"},
};

/* For HELP lines and label values alike; a quote needs it in the latter only, and may have it in both. */
static void write_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '\\' || *text == '"')
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

static void write_label(FILE *out, const char *name, const json_t *value)
{
	const char *text = json_string_value(value);

	fprintf(out, "%s=\"", name);
	write_escaped(out, text ? text : "");
	fputc('"', out);
}

static const char *suffix_of(const char *type)
{
	return strcmp(type, "counter") ? "" : "_total";
}

static void begin_family(const struct page *page, const char *name, const char *type,
			 const char *help)
{
	const char *suffix = page->form == OPENMETRICS_TEXT ? suffix_of(type) : "";

	fprintf(page->out, "# TYPE nolisten_%s%s %s\n# HELP nolisten_%s%s ", name, suffix, type,
		name, suffix);
	for (; *help; help++)
		fputc(*help, page->out);
	fputc('\n', page->out);
}

static void begin_sample(const struct page *page, const char *name, const char *suffix,
			 const json_t *status)
{
	fprintf(page->out, "nolisten_%s%s{", name, suffix);
	write_label(page->out, "interface", json_object_get(status, "interface"));
}

static void write_family(const struct page *page, const struct sample *sample)
{
	const json_t *status;
	size_t i;

	begin_family(page, sample->name, sample->type, sample->help);
	json_array_foreach((json_t *)page->statuses, i, status)
	{
		const json_t *group =
			sample->group ? json_object_get(status, sample->group) : status;

		begin_sample(page, sample->name, suffix_of(sample->type), status);
		fprintf(page->out, "} %.15g\n",
			json_number_value(json_object_get(group, sample->member)));
	}
}

static void write_counter(const struct page *page, const char *prefix, const char *group,
			  const char *member, const char *help)
{
	char name[NAME_SIZE];
	const struct sample sample = {name, "counter", help, group, member};

	snprintf(name, sizeof(name), "%s_%s", prefix, member);
	write_family(page, &sample);
}

static void write_counters(const struct page *page)
{
#define PACKETS(name, text) write_counter(page, "packets", "counters", #name, text);
	NOL_STATS(PACKETS)
#undef PACKETS
#define SESSION(name, text) write_counter(page, "session", "engine", #name, text);
	SESSION_STATS(SESSION)
#undef SESSION
#define PASSING(name, text) write_counter(page, "applications", "applications", #name, text);
	PASSING_STATS(PASSING)
#undef PASSING
#define SERVICE(name, text) write_counter(page, "services", "services", #name, text);
	SERVICE_STATS(SERVICE)
#undef SERVICE
}

static void write_reason(const struct page *page, const json_t *status, enum engine_reason reason)
{
	char member[NAME_SIZE];

	snprintf(member, sizeof(member), "segment_%s", engine_reason_text(reason));
	begin_sample(page, "segments", "_total", status);
	fprintf(page->out, ",reason=\"%s\"} %.15g\n", engine_reason_text(reason),
		json_number_value(json_object_get(json_object_get(status, "engine"), member)));
}

static void write_segments(const struct page *page)
{
	const json_t *status;
	size_t i;

	begin_family(page, "segments", "counter",
		     "segments that the engine has looked at, by what was odd about them");
	json_array_foreach((json_t *)page->statuses, i, status)
	{
		for (int reason = ENGINE_REASON_NONE; reason < ENGINE_REASON_COUNT; reason++)
			write_reason(page, status, reason);
	}
}

static void write_bucket(const struct page *page, const char *name, const json_t *status,
			 const char *bound, json_int_t count)
{
	begin_sample(page, name, "_bucket", status);
	fprintf(page->out, ",le=\"%s\"} %" JSON_INTEGER_FORMAT "\n", bound, count);
}

/* Buckets are cumulative there, and bounds are seconds. */
static void write_times_of(const struct page *page, const char *name, const json_t *status,
			   const json_t *times)
{
	const json_t *bounds = json_object_get(times, "at_most_us");
	const json_t *counts = json_object_get(times, "counts");
	json_int_t sum = 0;
	char bound[32];

	for (size_t i = 0; i < json_array_size(bounds); i++) {
		sum += json_integer_value(json_array_get(counts, i));
		snprintf(bound, sizeof(bound), "%g",
			 json_number_value(json_array_get(bounds, i)) / US_PER_S);
		write_bucket(page, name, status, bound, sum);
	}
	sum += json_integer_value(json_object_get(times, "more"));
	write_bucket(page, name, status, "+Inf", sum);
	begin_sample(page, name, "_sum", status);
	fprintf(page->out, "} %.15g\n",
		json_number_value(json_object_get(times, "sum_us")) / US_PER_S);
	begin_sample(page, name, "_count", status);
	fprintf(page->out, "} %" JSON_INTEGER_FORMAT "\n", sum);
}

static void write_times(const struct page *page, const char *name, const char *member,
			const char *help)
{
	const json_t *status;
	size_t i;

	begin_family(page, name, "histogram", help);
	json_array_foreach((json_t *)page->statuses, i, status)
		write_times_of(page, name, status, json_object_get(status, member));
}

/* Its kind only: what a banner says or exec runs is nobody's business. */
static void write_service(FILE *out, const char *service)
{
	fprintf(out, ",service=\"%.*s\"", (int)strcspn(service, ":"), service);
}

/* What does not change while it runs, for others to be joined with. */
static void write_info(const struct page *page)
{
	static const char *const labels[] = {"method", "xdp", "tc", "ports"};
	const bool is_text = page->form == OPENMETRICS_TEXT;
	const json_t *status;
	size_t i;

	begin_family(page, is_text ? "loader_info" : "loader", is_text ? "gauge" : "info",
		     "what each loader is");
	json_array_foreach((json_t *)page->statuses, i, status)
	{
		begin_sample(page, "loader", "_info", status);
		for (size_t k = 0; k < sizeof(labels) / sizeof(labels[0]); k++) {
			fputc(',', page->out);
			write_label(page->out, labels[k], json_object_get(status, labels[k]));
		}
		write_service(page->out, json_string_value(json_object_get(status, "service")));
		fputs("} 1\n", page->out);
	}
}

void openmetrics_write(FILE *out, const json_t *statuses, enum openmetrics_form form)
{
	const struct page page = {.out = out, .statuses = statuses, .form = form};

	write_info(&page);
	for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		write_family(&page, &gauges[i]);
	write_times(&page, "handshake_seconds", "handshake_times",
		    "from the SYN-ACK to the final ACK, of handshakes that the engine answered");
	write_times(&page, "handoff_seconds", "handoff_times",
		    "from the final ACK to the kernel socket");
	write_segments(&page);
	write_counters(&page);
	if (form == OPENMETRICS_1_0)
		fputs("# EOF\n", out);
}

const char *openmetrics_media_type(enum openmetrics_form form)
{
	return form == OPENMETRICS_TEXT
		       ? "text/plain; version=0.0.4; charset=utf-8"
		       : "application/openmetrics-text; version=1.0.0; charset=utf-8";
}
