/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* JSON by jansson, field by field. */
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "events.h"
#include "snapshot.h"

const char *snapshot_state_text(enum nol_flow_state state)
{
	switch (state) {
	case NOL_FLOW_NONE:
		return "none";
	case NOL_FLOW_SYN_SENT:
		return "syn_sent";
	case NOL_FLOW_SYN_RECEIVED:
		return "syn_received";
	case NOL_FLOW_HANDED_OFF:
		return "handed_off";
	case NOL_FLOW_CLOSED:
		return "closed";
	case NOL_FLOW_SHUT:
	case NOL_FLOW_SHUT_FIN:
		return "shut";
	case NOL_FLOW_GONE:
		return "gone";
	}
	return "unknown";
}

json_t *snapshot_flow_to_json(const struct tuple *tuple, const struct nol_flow *flow,
			      uint64_t now_ns)
{
	char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE];
	double age_s = (double)(now_ns - flow->created_ns) / CLOCK_NS_PER_S;
	const __u32 held = nol_is_shut(flow->state) ? 0 : flow->held; /* nobody counts those */

	endpoint_format(&tuple->local, local);
	endpoint_format(&tuple->remote, remote);
	return json_pack("{s:s, s:s, s:s, s:s, s:f, s:I, s:I}", "local", local, "remote", remote,
			 "state", snapshot_state_text(flow->state), "method",
			 method_text(flow->method), "age_s", age_s, "rst_dropped",
			 (json_int_t)flow->rst_dropped, "held", (json_int_t)held);
}

static json_t *addresses_of(const struct snapshot *snapshot)
{
	json_t *array = json_array();
	char text[ADDR_TEXT_SIZE + 4];

	for (size_t i = 0; i < snapshot->prefix_count; i++) {
		prefix_format(&snapshot->prefixes[i], text);
		json_array_append_new(array, json_string(text));
	}
	return array;
}

static json_t *parents_of(const struct snapshot *snapshot)
{
	json_t *array = json_array();
	char text[ENDPOINT_TEXT_SIZE];

	for (size_t i = 0; i < snapshot->parent_count; i++) {
		endpoint_format(&snapshot->parents[i], text);
		json_array_append_new(array, json_string(text));
	}
	return array;
}

static json_t *cookie_keys_of(const struct snapshot *snapshot)
{
	json_t *array = json_array();

	for (size_t i = 0; i < snapshot->cookie_key_count; i++)
		json_array_append_new(array, json_sprintf("%08x", snapshot->cookie_keys[i]));
	return array;
}

json_t *snapshot_packets_to_json(const struct nol_stats *stats)
{
	json_t *object = json_object();

#define SET(name, text) json_object_set_new(object, #name, json_integer((json_int_t)stats->name));
	NOL_STATS(SET)
#undef SET
	return object;
}

json_t *snapshot_session_to_json(const struct session_stats *stats)
{
	json_t *object = json_object();

#define SET(name, text) json_object_set_new(object, #name, json_integer((json_int_t)stats->name));
	SESSION_STATS(SET)
#undef SET
	for (int reason = ENGINE_REASON_NONE; reason < ENGINE_REASON_COUNT; reason++) {
		char name[64];

		snprintf(name, sizeof(name), "segment_%s", engine_reason_text(reason));
		json_object_set_new(object, name, json_integer((json_int_t)stats->reasons[reason]));
	}
	return object;
}

/* Bounds in microseconds, and how many took no longer than each and longer than the one before; "more": longer than all. */
static json_t *times_of(const struct times *times)
{
	json_t *bounds = json_array(), *counts = json_array();

	for (uint32_t bucket = 0; bucket < TIMES_BOUNDS; bucket++) {
		json_array_append_new(bounds, json_integer(times_bound_us(bucket)));
		json_array_append_new(counts, json_integer((json_int_t)times->buckets[bucket]));
	}
	return json_pack("{s:o, s:o, s:I, s:I}", "at_most_us", bounds, "counts", counts, "more",
			 (json_int_t)times->buckets[TIMES_BOUNDS], "sum_us",
			 (json_int_t)times->sum_us);
}

json_t *snapshot_passing_to_json(const struct passing_stats *stats)
{
	json_t *object = json_object();

#define SET(name, text) json_object_set_new(object, #name, json_integer((json_int_t)stats->name));
	PASSING_STATS(SET)
#undef SET
	return object;
}

json_t *snapshot_service_to_json(const struct service_stats *stats)
{
	json_t *object = json_object();

#define SET(name, text) json_object_set_new(object, #name, json_integer((json_int_t)stats->name));
	SERVICE_STATS(SET)
#undef SET
	return object;
}

static json_t *worker_of(const struct worker_counts *counts)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "syn",
			 (json_int_t)counts->session.syn, "established",
			 (json_int_t)counts->session.established, "handed_off",
			 (json_int_t)counts->session.handed_off, "replayed",
			 (json_int_t)counts->session.replayed, "half_open",
			 (json_int_t)counts->half_open, "connections",
			 (json_int_t)counts->connections, "refused", (json_int_t)counts->refused);
}

static json_t *workers_of(const struct snapshot *snapshot)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < snapshot->worker_count; i++)
		json_array_append_new(array, worker_of(&snapshot->workers[i]));
	return array;
}

static json_t *capture_of(const struct capture_stats *stats)
{
	return json_pack("{s:I, s:I, s:I}", "written", (json_int_t)stats->written, "filtered",
			 (json_int_t)stats->filtered, "lost", (json_int_t)stats->lost);
}

json_t *snapshot_to_json(const struct snapshot *snapshot)
{
	const struct worker_counts *sum = &snapshot->sum;
	char ports[256];

	port_set_format(snapshot->ports, ports, sizeof(ports));
	return json_pack(
		"{s:s, s:i, s:f, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"interface", snapshot->ifname, "pid", (int)getpid(), "uptime_s",
		(double)snapshot->up_ns / CLOCK_NS_PER_S, "method", method_text(snapshot->method),
		"xdp", snapshot->xdp, "tc", snapshot->tc, "ports", ports, "addresses",
		addresses_of(snapshot), "parents", parents_of(snapshot), "cookie_keys",
		cookie_keys_of(snapshot), "service", snapshot->service, "flows",
		(json_int_t)snapshot->flows, "half_open", (json_int_t)sum->half_open, "connections",
		(json_int_t)sum->connections, "refused", (json_int_t)sum->refused, "events_lost",
		(json_int_t)snapshot->events_lost, "events_limited",
		(json_int_t)snapshot->events_limited, "capture", capture_of(&snapshot->capture),
		"counters", snapshot_packets_to_json(&snapshot->packets), "rates",
		snapshot_packets_to_json(&snapshot->rates), "engine",
		snapshot_session_to_json(&sum->session), "applications",
		snapshot_passing_to_json(&sum->passing), "services",
		snapshot_service_to_json(&sum->service), "handshake_times",
		times_of(&sum->session.handshake), "handoff_times", times_of(&sum->session.handoff),
		"workers", workers_of(snapshot));
}
