/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Time is not measured for each, which would take memory: the whole table is looked through when the first of those that it had the last time may
 * be over, but for no more than a share of the time.
 */
#include "shutting.h"

#include "clock.h"

#define TICK_MS 1000
#define ENDED_MAX 256 /* in one look */
#define LOOK_SHARE 20 /* looks take no more than this part of the time */
/* One whose FIN comes behind a look may be over so long after it. */
#define LOOK_NS (100 * CLOCK_NS_PER_S)

static struct engine_shut shut_of(const struct nol_flow *flow)
{
	return (struct engine_shut){
		.iss = flow->shut.iss,
		.irs = flow->shut.irs,
		.answered_ms = flow->held,
		.has_fin = flow->state == NOL_FLOW_SHUT_FIN,
	};
}

static int write_entry(struct session *session, const struct tuple *tuple,
		       const struct engine_shut *shut)
{
	const struct nol_flow flow = {
		.state = shut->has_fin ? NOL_FLOW_SHUT_FIN : NOL_FLOW_SHUT,
		.held = shut->answered_ms,
		.shut = {shut->iss, shut->irs},
	};

	return session->flows->ops->shut(session->flows, tuple, &flow);
}

/* Another worker may have been first. */
static void end(struct session *session, const struct tuple *tuple, const struct nol_flow *flow,
		enum engine_reason reason)
{
	const struct event event = {
		.kind = EVENT_CLOSED,
		.tuple = tuple,
		.created_ns = flow->created_ns,
		.method = flow->method,
		.rtt_us = -1,
		.handoff_us = -1,
		.reason = engine_reason_text(reason),
	};

	if (session->flows->ops->end_shut(session->flows, tuple))
		return;
	session->stats.tarpit_ended++;
	events_emit(session->options.events, &event);
}

bool shutting_wants(const struct session *session, const struct engine_flow *flow)
{
	return session->options.engine.shut_ns && !flow->is_active;
}

void shutting_begin(struct session *session, struct engine_flow *flow)
{
	struct engine_shut shut;

	engine_shut_begin(&shut, flow, session->now_ns);
	session->stats.tarpit_held++;
	if (write_entry(session, &flow->tuple, &shut))
		session->stats.tarpit_ended++; /* the entry has gone meanwhile */
	engine_release(session->engine, flow);
}

bool shutting_take(struct session *session, const struct segment *segment)
{
	struct flows *flows = session->flows;
	struct engine_action action;
	struct engine_shut shut;
	struct nol_flow flow;

	if (!session->options.engine.shut_ns || flows->ops->get(flows, &segment->tuple, &flow) ||
	    !nol_is_shut(flow.state))
		return false;
	shut = shut_of(&flow);
	if (!engine_shut_input(&shut, segment, session->now_ns, &action))
		end(session, &segment->tuple, &flow, action.reason);
	session->stats.reasons[action.reason]++;
	if (!action.has_reply)
		return true;
	write_entry(session, &segment->tuple, &shut);
	if (session->wire->ops->send(session->wire, &action.reply))
		session->stats.send_failed++;
	return true;
}

struct look {
	struct session *session;
	uint64_t now_ns, next_ns;
	uint32_t count;
	struct {
		struct tuple tuple;
		struct nol_flow flow;
	} ended[ENDED_MAX];
};

static bool look_at(void *context, const struct tuple *tuple, const struct nol_flow *flow)
{
	struct look *look = context;
	const struct engine_shut shut = shut_of(flow);
	uint64_t deadline_ns;

	if (!nol_is_shut(flow->state))
		return true;
	deadline_ns = engine_shut_deadline_ns(&shut, flow->created_ns,
					      look->session->options.engine.shut_ns, look->now_ns);
	if (deadline_ns > look->now_ns) {
		look->next_ns = deadline_ns < look->next_ns ? deadline_ns : look->next_ns;
		return true;
	}
	look->ended[look->count].tuple = *tuple;
	look->ended[look->count++].flow = *flow;
	return look->count < ENDED_MAX;
}

static enum engine_reason reason_of(const struct session *session, const struct nol_flow *flow,
				    uint64_t now_ns)
{
	return now_ns >= flow->created_ns + session->options.engine.shut_ns
		       ? ENGINE_REASON_SHUT_TIME
		       : ENGINE_REASON_SHUT_END;
}

static void look(struct session *session, uint64_t now_ns)
{
	const uint64_t hold_ns = session->options.engine.shut_ns;
	struct look look = {.session = session, .now_ns = now_ns};
	uint64_t took_ns;

	look.next_ns = now_ns + (hold_ns < LOOK_NS ? hold_ns : LOOK_NS);
	session->flows->ops->visit(session->flows, look_at, &look);
	for (uint32_t i = 0; i < look.count; i++) {
		const enum engine_reason reason = reason_of(session, &look.ended[i].flow, now_ns);

		session->stats.reasons[reason]++;
		end(session, &look.ended[i].tuple, &look.ended[i].flow, reason);
	}
	took_ns = (clock_monotonic_ns() - now_ns) * LOOK_SHARE;
	session->next_look_ns = look.count == ENDED_MAX ? now_ns : look.next_ns;
	if (session->next_look_ns < now_ns + took_ns)
		session->next_look_ns = now_ns + took_ns;
}

static void tick(void *context, uint32_t events)
{
	struct session *session = context;
	const uint64_t now_ns = clock_monotonic_ns();

	(void)events;
	if (now_ns >= session->next_look_ns && !session->is_leaving)
		look(session, now_ns);
}

int shutting_watch(struct session *session)
{
	return loop_add_timer(session->options.loop, TICK_MS, tick, session, &session->shut_source);
}
