// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A flow whose handshake was kept in a cookie: it is established when it begins. Whoever checked the cookie has
 * vouched for both sequence numbers. Half-open only while it waits for data (TCP_DEFER_ACCEPT).
 */
#include "rules.h"
#include "tcb.h"

/* The clock that made the cookie's TSval goes on here; now_ns may have been read before the cookie was made. */
static uint32_t choose_ts_offset(const struct engine_flow *flow, const struct segment *in,
				 const struct nol_terms *terms, uint64_t now_ns)
{
	const uint32_t now = nol_clock_ms(now_ns) + terms->ts_offset;

	return nol_tsval_after(in->options.tsecr, now) - engine_tsval(flow, now_ns);
}

static void agree(struct engine *engine, struct tcb *tcb, const struct segment *in,
		  const struct nol_terms *terms)
{
	struct engine_flow *flow = &tcb->public;

	flow->remote_mss = tcb_limit_mss(&engine->config.settings, terms->mss);
	if (flow->remote_mss > tcb->advertised.path_mss)
		flow->remote_mss = tcb->advertised.path_mss;
	flow->has_sack = terms->options & NOL_TERM_SACK;
	flow->has_wscale = terms->options & NOL_TERM_WSCALE;
	if (flow->has_wscale) {
		flow->local_wscale = tcb->advertised.wscale;
		flow->remote_wscale = terms->wscale;
	}
	flow->has_timestamps = terms->options & NOL_TERM_TIMESTAMPS;
	flow->local_window = tcb->advertised.window[flow->has_timestamps];
	if (!flow->has_timestamps)
		return;
	flow->ts_recent = in->options.tsval;
	flow->ts_offset = 0;
	flow->ts_offset = choose_ts_offset(flow, in, terms, engine->now_ns);
}

void adopt_input(struct engine *engine, const struct segment *in, const struct nol_terms *terms,
		 struct engine_action *out)
{
	struct tcb *tcb = tcb_new(engine, &in->tuple, ENGINE_SYN_RECEIVED);

	if (!tcb) {
		out->event = ENGINE_EVENT_REFUSED;
		out->reason = ENGINE_REASON_TABLE_FULL;
		return;
	}
	tcb->public.is_adopted = true;
	tcb->public.iss = in->ack - 1;
	tcb->public.irs = terms->options & NOL_TERM_PROBE ? in->seq : in->seq - 1;
	agree(engine, tcb, in, terms);
	out->flow = &tcb->public;
	if (tcb_is_deferred(engine, tcb, in)) {
		tcb->is_acked = true;
		timers_start(&engine->timers, tcb, engine->now_ns);
		out->reason = ENGINE_REASON_DEFERRED;
		return;
	}
	tcb_establish(engine, tcb, in);
	out->event = ENGINE_EVENT_ESTABLISHED;
}
