/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Active opens until the remote's SYN or SYN-ACK comes. Data that comes with it is left to retransmission. */
#include "flow.h"
#include "reply.h"
#include "rules.h"

void syn_sent_open(struct engine *engine, struct flow *flow, struct engine_action *out)
{
	flow->public.is_active = true;
	timers_start(&engine->timers, flow, engine->now_ns);
	out->flow = &flow->public;
	reply_syn(engine, flow, out);
}

static void take_syn_ack(struct engine *engine, struct flow *flow, const struct segment *in,
			 struct engine_action *out)
{
	flow_agree(engine, flow, in);
	flow_establish(engine, flow, in);
	out->event = ENGINE_EVENT_ESTABLISHED;
	reply_ack(engine, flow, out);
}

static void take_ack(struct engine *engine, struct flow *flow, const struct segment *in,
		     struct engine_action *out)
{
	if (in->ack != flow->public.iss + 1) {
		out->reason = ENGINE_REASON_BAD_ACK;
		reply_reset(engine, in, out);
	} else if (flow_is_tsecr_unsent(flow, &in->options)) {
		out->reason = ENGINE_REASON_BAD_TSECR;
		reply_reset(engine, in, out);
	} else if (in->flags & TCP_RST) {
		out->event = ENGINE_EVENT_RESET;
		out->reason = ENGINE_REASON_REMOTE_RESET;
		flow_remove(engine, flow);
	} else if (in->flags & TCP_SYN) {
		take_syn_ack(engine, flow, in, out);
	} else {
		out->reason = ENGINE_REASON_FLAGS;
	}
}

/* Simultaneous open: the SYNs have crossed. The ISS stays, and the SYN-ACK has its own retransmissions. */
static void take_crossing_syn(struct engine *engine, struct flow *flow, const struct segment *in,
			      struct engine_action *out)
{
	flow_agree(engine, flow, in);
	flow->public.state = ENGINE_SYN_RECEIVED;
	timers_stop(&engine->timers, flow);
	flow->level = 0;
	timers_start(&engine->timers, flow, engine->now_ns);
	reply_syn(engine, flow, out);
}

void syn_sent_input(struct engine *engine, struct flow *flow, const struct segment *in,
		    struct engine_action *out)
{
	if (in->flags & TCP_ACK)
		take_ack(engine, flow, in, out);
	else if ((in->flags & (TCP_SYN | TCP_RST)) == TCP_SYN)
		take_crossing_syn(engine, flow, in, out);
	else
		out->reason = ENGINE_REASON_FLAGS;
}
