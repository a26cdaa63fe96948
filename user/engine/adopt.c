// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A flow whose handshake was kept in a cookie: it is established when it begins. Whoever checked the cookie has
 * vouched for both sequence numbers.
 */
#include "rules.h"
#include "seq.h"
#include "tcb.h"

#define LONGEST_RTT_MS 1000 /* RFC 6298, 2.1 */

/*
 * The clock that made the cookie's TSval goes on here: not one tick before a TSval that the remote has seen, or
 * PAWS drops all we send. The hand-off clears the lowest bit. It goes on later by what the cookie's low bits may have
 * set that TSval back: the kernel takes its distance from the echo for the RTT, which is to be no longer than it was.
 * Nor longer than the RTT that is assumed when none is known: nobody vouches for the echo, and an RTO of two minutes
 * would keep what is left of the connection for half an hour.
 */
static uint32_t choose_ts_offset(const struct engine_flow *flow, const struct segment *in,
				 const struct nol_terms *terms, uint64_t now_ns)
{
	const uint32_t lowest = (in->options.tsecr + 1) & ~1u;
	uint32_t tsval =
		(uint32_t)(now_ns >> NOL_COOKIE_TS_SHIFT) + terms->ts_offset - NOL_COOKIE_TS_BITS;

	if (seq_after(tsval, in->options.tsecr + LONGEST_RTT_MS))
		tsval = in->options.tsecr + LONGEST_RTT_MS;
	if (seq_before(tsval, lowest))
		tsval = lowest;
	return tsval - engine_tsval(flow, now_ns);
}

static void agree(struct engine *engine, struct engine_flow *flow, const struct segment *in,
		  const struct nol_terms *terms)
{
	flow->remote_mss = terms->mss < flow->remote_mss ? terms->mss : flow->remote_mss;
	flow->has_sack = terms->options & NOL_TERM_SACK;
	flow->has_wscale = terms->options & NOL_TERM_WSCALE;
	if (flow->has_wscale) {
		flow->local_wscale = engine->config.wscale;
		flow->remote_wscale = terms->wscale;
	}
	flow->has_timestamps = terms->options & NOL_TERM_TIMESTAMPS;
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
	tcb->public.irs = in->seq - 1;
	tcb->public.remote_mss = tcb->local_mss;
	tcb->public.local_window = engine_window(&engine->config, tcb->local_mss,
						 terms->options & NOL_TERM_TIMESTAMPS);
	agree(engine, &tcb->public, in, terms);
	tcb_establish(engine, tcb, in);
	out->event = ENGINE_EVENT_ESTABLISHED;
	out->flow = &tcb->public;
}
