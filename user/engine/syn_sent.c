/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Active opens until the remote's SYN or SYN-ACK comes. Data that comes with it is left to retransmission. */
#include "reply.h"
#include "rules.h"
#include "tcb.h"

static uint8_t offers_of(const struct tcpopt_layout *layout)
{
	return (tcpopt_layout_has(layout, TCPOPT_KIND_MSS) ? NOL_OFFER_MSS : 0) |
	       (tcpopt_layout_has(layout, TCPOPT_KIND_WSCALE) ? NOL_OFFER_WSCALE : 0) |
	       (tcpopt_layout_has(layout, TCPOPT_KIND_SACK_PERMITTED) ? NOL_OFFER_SACK : 0) |
	       (tcpopt_layout_has(layout, TCPOPT_KIND_TIMESTAMPS) ? NOL_OFFER_TIMESTAMPS : 0);
}

/* The window that the settings have stays in tcb->advertised: it is announced once the SYN has been answered. */
static void shape(struct tcb *tcb, const struct engine_syn *syn)
{
	tcb->syn = syn;
	if (tcb_syn_has(tcb, ENGINE_SYN_MSS))
		tcb->advertised.mss = syn->mss;
	if (tcb_syn_has(tcb, ENGINE_SYN_WSCALE)) {
		tcb->advertised.wscale = syn->wscale;
		tcb->offers |= NOL_OFFER_WSCALE;
	}
	if (tcb_syn_has(tcb, ENGINE_SYN_WINDOW))
		tcb->public.local_window = syn->window;
	if (tcb_syn_has(tcb, ENGINE_SYN_LAYOUT))
		tcb->offers = offers_of(&syn->layout);
}

void syn_sent_open(struct engine *engine, struct tcb *tcb, const struct engine_syn *syn,
		   struct engine_action *out)
{
	tcb->public.is_active = true;
	shape(tcb, syn);
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
