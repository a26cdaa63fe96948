/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the control socket tells: the flow table and the counters, as JSON. */
#ifndef NOLISTEN_REPORT_H
#define NOLISTEN_REPORT_H

#include <stdint.h>

#include <jansson.h>

#include "answered.h"
#include "control_server.h"
#include "method.h"
#include "ports.h"
#include "rates.h"
#include "workers.h"

/* Everything is borrowed. */
struct report {
	const char *ifname, *method_name, *service_name;
	const struct method *method;
	struct workers *workers;
	const struct answered *answered;
	const struct port_set *ports;
	const struct rates *rates;
	const struct events *events;
	uint64_t started_ns; /* CLOCK_MONOTONIC */
};

/* Each counter under its name. */
json_t *report_packet_counters(const struct nol_stats *stats);
json_t *report_session_counters(const struct session_stats *stats);

/* A control_answer_fn: "flows": one object a flow; "status": one object. context: struct report. */
int report_answer(void *context, const char *command, struct control_answer *answer);

#endif
