/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The segments that the engine sends. What can be provoked by a segment that was not accepted is rate-limited,
 * so that nobody can be flooded through us: where a limit forbids it, the reason says so and there is no reply.
 */
#include "reply.h"

#include "clock.h"
#include "tcb.h"

#define QUIET_NS (500 * CLOCK_NS_PER_MS) /* Linux's tcp_invalid_ratelimit */

static void add_timestamps(struct engine *engine, struct tcb *tcb, struct segment *reply)
{
	reply->options.has_timestamps = true;
	reply->options.tsval = engine_tsval(&tcb->public, engine->now_ns);
	reply->options.tsecr = tcb->public.ts_recent;
	tcb->public.tsval_ns = engine->now_ns;
}

/* Of all that an active open sends. */
static void set_ttl(const struct tcb *tcb, struct segment *reply)
{
	if (tcb->syn)
		reply->ttl = tcb->syn->ttl;
}

/* Our SYN's MSS may be left out; nobody's SYN-ACK does without. */
static bool has_mss(const struct tcb *tcb, bool is_offer)
{
	return !is_offer || !tcb_syn_has(tcb, ENGINE_SYN_LAYOUT) || tcb->offers & NOL_OFFER_MSS;
}

void reply_syn(struct engine *engine, struct tcb *tcb, struct engine_action *out)
{
	struct engine_flow *public = &tcb->public;
	struct segment *reply = &out->reply;
	bool is_offer = public->state == ENGINE_SYN_SENT;

	out->has_reply = true;
	reply->tuple = public->tuple;
	reply->seq = public->iss;
	reply->flags = is_offer ? TCP_SYN : TCP_SYN | TCP_ACK;
	reply->ack = is_offer ? 0 : public->irs + 1;
	reply->window = public->local_window;
	reply->options.has_mss = has_mss(tcb, is_offer);
	reply->options.mss = tcb->advertised.mss;
	reply->options.has_sack_permitted =
		is_offer ? tcb->offers & NOL_OFFER_SACK : public->has_sack;
	reply->options.has_wscale = is_offer ? tcb->offers & NOL_OFFER_WSCALE : public->has_wscale;
	if (reply->options.has_wscale)
		reply->options.wscale = is_offer ? tcb->advertised.wscale : public->local_wscale;
	if (is_offer ? tcb->offers & NOL_OFFER_TIMESTAMPS : public->has_timestamps)
		add_timestamps(engine, tcb, reply);
	if (is_offer && tcb_syn_has(tcb, ENGINE_SYN_LAYOUT))
		reply->options.layout = &tcb->syn->layout;
	set_ttl(tcb, reply);
	public->sent_ns = engine->now_ns;
}

static bool take_turn(struct engine *engine, struct tcb *tcb)
{
	if (engine->now_ns < tcb->quiet_until_ns)
		return false;
	tcb->quiet_until_ns = engine->now_ns + QUIET_NS;
	return true;
}

void reply_syn_again(struct engine *engine, struct tcb *tcb, struct engine_action *out)
{
	if (!take_turn(engine, tcb)) {
		out->reason = ENGINE_REASON_RATE_LIMITED;
		return;
	}
	if (tcb->public.retransmits < UINT8_MAX)
		tcb->public.retransmits++;
	reply_syn(engine, tcb, out);
}

void reply_ack(struct engine *engine, struct tcb *tcb, struct engine_action *out)
{
	const struct engine_flow *public = &tcb->public;
	struct segment *reply = &out->reply;

	out->has_reply = true;
	reply->tuple = public->tuple;
	reply->seq = public->iss + 1;
	reply->ack = public->irs + 1;
	reply->flags = TCP_ACK;
	reply->window = public->local_window >> public->local_wscale;
	if (public->has_timestamps)
		add_timestamps(engine, tcb, reply);
	set_ttl(tcb, reply);
}

void reply_challenge(struct engine *engine, struct tcb *tcb, const struct segment *in,
		     struct engine_action *out)
{
	/* Two ends that ACK each other's ACKs loop; data ends by itself, so Linux does not count it. */
	bool may_loop = in->flags & TCP_SYN || !segment_seq_len(in);

	if ((may_loop && !take_turn(engine, tcb)) ||
	    !nol_limit_take(engine->limit, engine->now_ns)) {
		out->reason = ENGINE_REASON_RATE_LIMITED;
		return;
	}
	reply_ack(engine, tcb, out);
}

void reply_reset(struct engine *engine, const struct segment *in, struct engine_action *out)
{
	struct segment *reply = &out->reply;

	if (in->flags & TCP_RST)
		return;
	if (!nol_limit_take(engine->limit, engine->now_ns)) {
		out->reason = ENGINE_REASON_RATE_LIMITED;
		return;
	}
	out->has_reply = true;
	reply->tuple = in->tuple;
	reply->flags = TCP_RST;
	if (in->flags & TCP_ACK) {
		reply->seq = in->ack;
		return;
	}
	reply->flags |= TCP_ACK;
	reply->ack = in->seq + segment_seq_len(in);
}
