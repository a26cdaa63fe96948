// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A flow whose handshake was kept in a cookie: it is established when it begins. Whoever checked the cookie has
 * vouched for both sequence numbers. Half-open only while it waits for data (TCP_DEFER_ACCEPT).
 */
#include "rules.h"
#include "seq.h"
#include "tcb.h"

#define LONGEST_RTT_MS 1000 /* RFC 6298, 2.1 */

/*
 * The clock that made the cookie's TSval goes on here, from that TSval at the earliest, or PAWS drops all we send: the
 * cookie may be another machine's, whose clock is ahead, and now_ns may have been read before the cookie was made. The socket takes
 * its distance from the echo for the RTT, which is not to be longer than the one that is assumed when none is known: a remote
 * may echo any moment of the cookie's life, and an RTO of two minutes would keep what is left of the connection for
 * half an hour.
 */
static uint32_t choose_ts_offset(const struct engine_flow *flow, const struct segment *in,
				 const struct nol_terms *terms, uint64_t now_ns)
{
	const uint32_t echo = in->options.tsecr;
	uint32_t tsval = nol_clock_ms(now_ns) + terms->ts_offset;

	if (seq_after(tsval, echo + LONGEST_RTT_MS))
		tsval = echo + LONGEST_RTT_MS;
	if (seq_before(tsval, echo))
		tsval = echo;
	return tsval - engine_tsval(flow, now_ns);
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
