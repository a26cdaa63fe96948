/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* JSON by jansson, field by field. */
#include "report.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "events.h"

static const char *state_text(enum nol_flow_state state)
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
	}
	return "unknown";
}

/* Takes the reference. */
static int add_json(struct control_answer *answer, json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int err = text ? control_answer_add(answer, text) : -ENOMEM;

	free(text);
	json_decref(object);
	return err;
}

struct flow_report {
	struct control_answer *answer;
	uint64_t now_ns;
	int err;
};

static bool add_flow(void *context, const struct tuple *tuple, const struct nol_flow *flow)
{
	struct flow_report *report = context;
	char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE];
	double age_s = (double)(report->now_ns - flow->created_ns) / CLOCK_NS_PER_S;

	endpoint_format(&tuple->local, local);
	endpoint_format(&tuple->remote, remote);
	report->err =
		add_json(report->answer,
			 json_pack("{s:s, s:s, s:s, s:s, s:f, s:I, s:I}", "local", local, "remote",
				   remote, "state", state_text(flow->state), "method",
				   method_text(flow->method), "age_s", age_s, "rst_dropped",
				   (json_int_t)flow->rst_dropped, "held", (json_int_t)flow->held));
	return !report->err;
}

static int answer_flows(const struct report *report, struct control_answer *answer)
{
	struct flow_report flows = {.answer = answer, .now_ns = clock_monotonic_ns()};
	int count = report->method->flows->ops->visit(report->method->flows, add_flow, &flows);

	return count < 0 ? count : flows.err;
}

static json_t *addresses_of(const struct answered *answered)
{
	json_t *array = json_array();
	char text[ADDR_TEXT_SIZE + 4];

	for (size_t i = 0; i < answered_count(answered); i++) {
		prefix_format(answered_at(answered, i), text);
		json_array_append_new(array, json_string(text));
	}
	return array;
}

json_t *report_packet_counters(const struct nol_stats *stats)
{
	json_t *object = json_object();

#define SET(name, text) json_object_set_new(object, #name, json_integer((json_int_t)stats->name));
	NOL_STATS(SET)
#undef SET
	return object;
}

static json_t *packet_counters(struct gate *gate)
{
	struct nol_stats stats;

	return gate->ops->read_stats(gate, &stats) ? json_object() : report_packet_counters(&stats);
}

json_t *report_session_counters(const struct session_stats *stats)
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

static json_t *workers_of(struct workers *workers)
{
	json_t *array = json_array();
	struct worker_counts counts;

	for (uint32_t i = 0; i < workers_count(workers); i++) {
		workers_read(workers, i, &counts);
		json_array_append_new(array, worker_of(&counts));
	}
	return array;
}

static bool count_flow(void *context, const struct tuple *tuple, const struct nol_flow *flow)
{
	(void)tuple;
	(void)flow;
	++*(json_int_t *)context;
	return true;
}

static int answer_status(const struct report *report, struct control_answer *answer)
{
	const uint64_t up_ns = clock_monotonic_ns() - report->started_ns;
	struct worker_counts sum;
	json_int_t flows = 0;
	char ports[256];

	workers_sum(report->workers, &sum);
	port_set_format(report->ports, ports, sizeof(ports));
	report->method->flows->ops->visit(report->method->flows, count_flow, &flows);
	return add_json(
		answer,
		json_pack(
			"{s:s, s:i, s:f, s:s, s:s, s:s, s:s, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}",
			"interface", report->ifname, "pid", (int)getpid(), "uptime_s",
			(double)up_ns / CLOCK_NS_PER_S, "method", report->method_name, "xdp",
			method_xdp_text(report->method), "tc", method_tc_text(report->method),
			"ports", ports, "addresses", addresses_of(report->answered), "service",
			report->service_name, "flows", flows, "half_open",
			(json_int_t)sum.half_open, "connections", (json_int_t)sum.connections,
			"refused", (json_int_t)sum.refused, "events_lost",
			(json_int_t)events_lost(report->events), "counters",
			packet_counters(report->method->gate), "rates",
			report_packet_counters(&report->rates->per_s), "engine",
			report_session_counters(&sum.session), "workers",
			workers_of(report->workers)));
}

int report_answer(void *context, const char *command, struct control_answer *answer)
{
	const struct report *report = context;

	if (!strcmp(command, "flows"))
		return answer_flows(report, answer);
	if (!strcmp(command, "status"))
		return answer_status(report, answer);
	return -ENOENT;
}
