/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Segments of no flow, as a listener takes them: a SYN makes a flow, an ACK gets a RST, nothing else an answer. */
#include "isn.h"
#include "reply.h"
#include "rules.h"
#include "tcb.h"

static void open_flow(struct engine *engine, const struct segment *in,
		      const uint32_t *time_wait_snd_nxt, struct engine_action *out)
{
	struct tcb *tcb = tcb_new(engine, &in->tuple, ENGINE_SYN_RECEIVED);

	if (!tcb) {
		out->event = ENGINE_EVENT_REFUSED;
		out->reason = ENGINE_REASON_TABLE_FULL;
		return;
	}
	if (time_wait_snd_nxt)
		tcb->public.iss = isn_above(tcb->public.iss, *time_wait_snd_nxt);
	tcb_agree(engine, tcb, in);
	timers_start(&engine->timers, tcb, engine->now_ns);
	out->event = ENGINE_EVENT_SYN;
	out->flow = &tcb->public;
	reply_syn(engine, tcb, out);
}

void listen_input(struct engine *engine, const struct segment *in,
		  const uint32_t *time_wait_snd_nxt, struct engine_action *out)
{
	if (in->flags & (TCP_RST | TCP_ACK)) {
		out->reason = ENGINE_REASON_NO_FLOW;
		reply_reset(engine, in, out);
	} else if ((in->flags & (TCP_SYN | TCP_FIN)) == TCP_SYN) {
		open_flow(engine, in, time_wait_snd_nxt, out);
	} else {
		out->reason = ENGINE_REASON_FLAGS;
	}
}
