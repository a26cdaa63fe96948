/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Differences between two readings of nol_stats. */
#include "alerts.h"

static void emit_growth(struct events *events, enum event_kind kind, const char *reason,
			__u64 before, __u64 now)
{
	const struct event event = {
		.kind = kind,
		.rtt_us = -1,
		.handoff_us = -1,
		.count = now - before,
		.reason = reason,
	};

	if (now > before)
		events_emit(events, &event);
}

void alerts_check(struct alerts *alerts, struct gate *gate, struct events *events)
{
	struct nol_stats now;

	if (gate->ops->read_stats(gate, &now))
		return;
	emit_growth(events, EVENT_RST_DROPPED, NULL, alerts->last.rst_dropped, now.rst_dropped);
	emit_growth(events, EVENT_RST_DROPPED, "redirected", alerts->last.rst_redirected,
		    now.rst_redirected);
	emit_growth(events, EVENT_LOST, "ring_full", alerts->last.lost_ring_full,
		    now.lost_ring_full);
	emit_growth(events, EVENT_LOST, "syn_share_full", alerts->last.lost_syn, now.lost_syn);
	emit_growth(events, EVENT_LOST, "too_many_strays", alerts->last.lost_stray, now.lost_stray);
	emit_growth(events, EVENT_LOST, "too_long", alerts->last.lost_too_long, now.lost_too_long);
	emit_growth(events, EVENT_LOST, "queue_full", alerts->last.lost_queue_full,
		    now.lost_queue_full);
	alerts->last = now;
}
