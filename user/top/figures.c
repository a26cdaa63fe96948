/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "figures.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1e9

/* Where a rate comes from: the sum of the counters of these names. */
static const struct rate_source {
	const char *name;
	const char *counters[3]; /* "object.name", or a name of the status itself */
} rate_sources[FIGURE_RATES] = {
	[FIGURE_SYN] = {"syn", {"counters.cookie_sent", "engine.syn"}},
	[FIGURE_ESTABLISHED] = {"established", {"engine.established"}},
	[FIGURE_HANDED_OFF] = {"handed_off", {"engine.handed_off"}},
	[FIGURE_CLOSED] = {"closed", {"engine.closed"}},
	[FIGURE_REFUSED] = {"refused", {"refused"}},
	[FIGURE_RST_DROPPED] = {"rst_dropped", {"counters.rst_dropped"}},
	[FIGURE_EVENTS_LOST] = {"events_lost", {"events_lost"}},
};

static const char *const drop_sources[] = {
	"counters.lost_ring_full", "counters.lost_syn",	       "counters.lost_stray",
	"counters.lost_too_long",  "counters.lost_queue_full", "counters.stray_limited",
	"counters.stray_ignored",  "counters.accept_early",    "counters.accept_failed",
	"counters.accept_unfit",   "counters.back_odd",	       "counters.cookie_expired",
	"counters.cookie_forged",  "engine.table_full",	       "engine.source_full",
	"engine.handoff_failed",   "engine.no_descriptors",    "engine.connect_failed",
	"engine.replay_failed",	   "engine.send_failed",       "engine.malformed",
};
_Static_assert(sizeof(drop_sources) / sizeof(drop_sources[0]) <= FIGURES_DROPS_MAX, "has no room");

void reading_clear(struct reading *reading)
{
	json_decref(reading->status);
	*reading = (struct reading){0};
}

static int64_t number_of(const json_t *object, const char *key)
{
	return (int64_t)json_number_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "-";
}

/* path: "object.name" or "name". */
static int64_t counter_of(const json_t *status, const char *path)
{
	const char *dot = strchr(path, '.');
	char object[16];

	if (!dot || (size_t)(dot - path) >= sizeof(object))
		return number_of(status, path);
	memcpy(object, path, (size_t)(dot - path));
	object[dot - path] = '\0';
	return number_of(json_object_get(status, object), dot + 1);
}

/* A worker that is asked a moment later may have less than another had before: never below 0. */
static double rate_of(int64_t now, int64_t before, double interval_s)
{
	if (interval_s <= 0)
		return -1;
	return now > before ? (double)(now - before) / interval_s : 0;
}

static void read_rates(struct figures *out, const json_t *now, const json_t *before)
{
	for (size_t i = 0; i < FIGURE_RATES; i++) {
		const struct rate_source *source = &rate_sources[i];
		int64_t then = 0;

		out->rates[i].name = source->name;
		for (const char *const *path = source->counters; *path; path++) {
			out->rates[i].total += counter_of(now, *path);
			then += counter_of(before, *path);
		}
		out->rates[i].per_s = rate_of(out->rates[i].total, then, out->interval_s);
	}
}

static int compare_drops(const void *a, const void *b)
{
	const struct figure *first = a, *second = b;

	if (first->per_s != second->per_s)
		return first->per_s > second->per_s ? -1 : 1;
	if (first->total != second->total)
		return first->total > second->total ? -1 : 1;
	return strcmp(first->name, second->name);
}

static void read_drops(struct figures *out, const json_t *now, const json_t *before)
{
	for (size_t i = 0; i < sizeof(drop_sources) / sizeof(drop_sources[0]); i++) {
		const int64_t total = counter_of(now, drop_sources[i]);
		struct figure *drop = &out->drops[out->drop_count];

		if (!total)
			continue;
		drop->name = strchr(drop_sources[i], '.') + 1;
		drop->total = total;
		drop->per_s = rate_of(total, counter_of(before, drop_sources[i]), out->interval_s);
		out->drop_count++;
	}
	qsort(out->drops, out->drop_count, sizeof(out->drops[0]), compare_drops);
}

static int64_t count_at(const json_t *times, size_t bucket, size_t bounds)
{
	if (bucket == bounds)
		return number_of(times, "more");
	return (int64_t)json_integer_value(
		json_array_get(json_object_get(times, "counts"), bucket));
}

static int64_t percentile(const json_t *now, const json_t *before, unsigned int percent)
{
	const json_t *bounds_us = json_object_get(now, "at_most_us");
	const size_t bounds = json_array_size(bounds_us);
	int64_t all = 0, seen = 0;

	for (size_t i = 0; i <= bounds; i++)
		all += count_at(now, i, bounds) - count_at(before, i, bounds);
	for (size_t i = 0; all > 0 && i < bounds; i++) {
		seen += count_at(now, i, bounds) - count_at(before, i, bounds);
		if (seen * 100 >= all * percent)
			return (int64_t)json_integer_value(json_array_get(bounds_us, i));
	}
	return all > 0 ? -1 : 0;
}

static struct percentiles read_times(const json_t *now, const json_t *before)
{
	struct percentiles percentiles = {percentile(now, before, 50), percentile(now, before, 99)};

	if (!percentiles.p50_us)
		percentiles =
			(struct percentiles){percentile(now, NULL, 50), percentile(now, NULL, 99)};
	return percentiles;
}

static enum figures_sort sort_by; /* qsort() hands nothing on */

static int64_t key_of(const struct figure_source *source)
{
	return sort_by == SORT_HALF_OPEN    ? source->half_open
	       : sort_by == SORT_HANDED_OFF ? source->handed_off
	       : sort_by == SORT_FLOWS	    ? source->flows
					    : 0;
}

static int compare_sources(const void *a, const void *b)
{
	const struct figure_source *first = a, *second = b;

	if (key_of(first) != key_of(second))
		return key_of(first) > key_of(second) ? -1 : 1;
	return strcmp(first->source, second->source);
}

static void read_sources(struct figures *out, const json_t *sources, enum figures_sort sort)
{
	const json_t *one;
	size_t index;

	out->sampled = number_of(sources, "sampled");
	out->is_sample = json_is_false(json_object_get(sources, "is_all"));
	out->states = json_object_get(sources, "states");
	out->methods = json_object_get(sources, "methods");
	json_array_foreach(json_object_get(sources, "list"), index, one)
	{
		if (out->source_count == FIGURES_SOURCES_MAX)
			break;
		out->sources[out->source_count++] = (struct figure_source){
			.source = text_of(one, "source"),
			.flows = number_of(one, "flows"),
			.half_open = number_of(one, "half_open"),
			.handed_off = number_of(one, "handed_off"),
		};
	}
	sort_by = sort;
	qsort(out->sources, out->source_count, sizeof(out->sources[0]), compare_sources);
}

static bool is_same_loader(const json_t *now, const json_t *before)
{
	return before && number_of(now, "pid") == number_of(before, "pid") &&
	       number_of(now, "uptime_s") >= number_of(before, "uptime_s");
}

void figures_read(struct figures *out, const struct reading *now, const struct reading *before,
		  enum figures_sort sort)
{
	const json_t *status = now->status;
	const json_t *old = is_same_loader(status, before->status) ? before->status : NULL;

	*out = (struct figures){
		.ifname = text_of(status, "interface"),
		.method = text_of(status, "method"),
		.xdp = text_of(status, "xdp"),
		.tc = text_of(status, "tc"),
		.ports = text_of(status, "ports"),
		.service = text_of(status, "service"),
		.addresses = json_object_get(status, "addresses"),
		.pid = number_of(status, "pid"),
		.up_s = number_of(status, "uptime_s"),
		.flows = number_of(status, "flows"),
		.half_open = number_of(status, "half_open"),
		.connections = number_of(status, "connections"),
		.workers = (int64_t)json_array_size(json_object_get(status, "workers")),
		.interval_s = old ? (double)(now->at_ns - before->at_ns) / NS_PER_S : 0,
	};
	read_rates(out, status, old);
	read_drops(out, status, old);
	out->handshake = read_times(json_object_get(status, "handshake_times"),
				    json_object_get(old, "handshake_times"));
	out->handoff = read_times(json_object_get(status, "handoff_times"),
				  json_object_get(old, "handoff_times"));
	read_sources(out, json_object_get(status, "sources"), sort);
}

static json_t *figure_to_json(const struct figure *figure)
{
	json_t *object = json_pack("{s:I}", "total", (json_int_t)figure->total);

	if (figure->per_s >= 0)
		json_object_set_new(object, "per_s", json_real(figure->per_s));
	return object;
}

/* null: nothing was timed, or longer than the longest bound. */
static json_t *times_to_json(const struct percentiles *times)
{
	return json_pack("{s:o, s:o}", "p50_at_most",
			 times->p50_us > 0 ? json_integer(times->p50_us) : json_null(),
			 "p99_at_most",
			 times->p99_us > 0 ? json_integer(times->p99_us) : json_null());
}

static json_t *source_to_json(const struct figure_source *source)
{
	return json_pack("{s:s, s:I, s:I, s:I}", "source", source->source, "flows",
			 (json_int_t)source->flows, "half_open", (json_int_t)source->half_open,
			 "handed_off", (json_int_t)source->handed_off);
}

json_t *figures_to_json(const struct figures *figures)
{
	json_t *rates = json_object(), *drops = json_object(), *sources = json_array();

	for (size_t i = 0; i < FIGURE_RATES; i++)
		json_object_set_new(rates, figures->rates[i].name,
				    figure_to_json(&figures->rates[i]));
	for (size_t i = 0; i < figures->drop_count; i++)
		json_object_set_new(drops, figures->drops[i].name,
				    figure_to_json(&figures->drops[i]));
	for (size_t i = 0; i < figures->source_count; i++)
		json_array_append_new(sources, source_to_json(&figures->sources[i]));
	return json_pack(
		"{s:s, s:I, s:f, s:f, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:O?, s:O?, s:I, s:b, s:o}",
		"interface", figures->ifname, "pid", (json_int_t)figures->pid, "uptime_s",
		(double)figures->up_s, "interval_s", figures->interval_s, "method", figures->method,
		"xdp", figures->xdp, "tc", figures->tc, "ports", figures->ports, "flows",
		(json_int_t)figures->flows, "half_open", (json_int_t)figures->half_open,
		"connections", (json_int_t)figures->connections, "rates", rates, "drops", drops,
		"handshake_us", times_to_json(&figures->handshake), "handoff_us",
		times_to_json(&figures->handoff), "states", figures->states, "methods",
		figures->methods, "sampled", (json_int_t)figures->sampled, "is_sample",
		figures->is_sample, "sources", sources);
}
