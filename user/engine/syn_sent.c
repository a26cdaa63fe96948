/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Active opens until the remote's SYN or SYN-ACK comes. Data that comes with it is left to retransmission. */
#include "reply.h"
#include "rules.h"
#include "tcb.h"

void syn_sent_open(struct engine *engine, struct tcb *tcb, struct engine_action *out)
{
	tcb->public.is_active = true;
	timers_start(&engine->timers, tcb, engine->now_ns);
	out->flow = &tcb->public;
	reply_syn(engine, tcb, out);
}

static void take_syn_ack(struct engine *engine, struct tcb *tcb, const struct segment *in,
			 struct engine_action *out)
{
	tcb_agree(engine, tcb, in);
	tcb_establish(engine, tcb, in);
	out->event = ENGINE_EVENT_ESTABLISHED;
	reply_ack(engine, tcb, out);
}

static void take_ack(struct engine *engine, struct tcb *tcb, const struct segment *in,
		     struct engine_action *out)
{
	if (in->ack != tcb->public.iss + 1) {
		out->reason = ENGINE_REASON_BAD_ACK;
		reply_reset(engine, in, out);
	} else if (tcb_is_tsecr_unsent(tcb, &in->options)) {
		out->reason = ENGINE_REASON_BAD_TSECR;
		reply_reset(engine, in, out);
	} else if (in->flags & TCP_RST) {
		out->event = ENGINE_EVENT_RESET;
		out->reason = ENGINE_REASON_REMOTE_RESET;
		tcb_remove(engine, tcb);
	} else if (in->flags & TCP_SYN) {
		take_syn_ack(engine, tcb, in, out);
	} else {
		out->reason = ENGINE_REASON_FLAGS;
	}
}

/* Simultaneous open: the SYNs have crossed. The ISS stays, and the SYN-ACK has its own retransmissions. */
static void take_crossing_syn(struct engine *engine, struct tcb *tcb, const struct segment *in,
			      struct engine_action *out)
{
	tcb_agree(engine, tcb, in);
	tcb->public.state = ENGINE_SYN_RECEIVED;
	timers_stop(&engine->timers, tcb);
	tcb->level = 0;
	timers_start(&engine->timers, tcb, engine->now_ns);
	reply_syn(engine, tcb, out);
}

void syn_sent_input(struct engine *engine, struct tcb *tcb, const struct segment *in,
		    struct engine_action *out)
{
	if (in->flags & TCP_ACK)
		take_ack(engine, tcb, in, out);
	else if ((in->flags & (TCP_SYN | TCP_RST)) == TCP_SYN)
		take_crossing_syn(engine, tcb, in, out);
	else
		out->reason = ENGINE_REASON_FLAGS;
}
