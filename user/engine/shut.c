/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A connection that nobody takes over: established, with a window of 0 from the SYN-ACK on, so that what the remote may send is
 * a RST and bare ACKs (RFC 9293, 3.10.7.4). All else, its window probes among it, is not acceptable and gets an ACK, which
 * keeps it waiting: who is answered does not give up (RFC 9293, 3.8.6.1). Its FIN is not taken either.
 *
 * It ends with a RST, when it has been there for as long as the configuration says, or two minutes after the last FIN: a
 * remote that has given up says nothing more.
 */
#include "reply.h"
#include "rules.h"
#include "seq.h"
#include "tcb.h"

/* 120 s, see timers.c. */
#define LEVEL_OF_ENDED (TIMER_LEVELS - 1)

static bool is_acceptable(const struct engine_flow *flow, const struct segment *in)
{
	return in->seq == flow->irs + 1 && !segment_seq_len(in);
}

/* Unless the whole time ends sooner. */
static void note_fin(struct engine *engine, struct tcb *tcb)
{
	const uint64_t whole_ns = tcb->public.established_ns + engine->config.shut_ns;

	if (timers_end(LEVEL_OF_ENDED, engine->now_ns) >= whole_ns)
		return;
	timers_stop(&engine->timers, tcb);
	tcb->level = LEVEL_OF_ENDED;
	tcb->is_shut_timed = false;
	timers_start(&engine->timers, tcb, engine->now_ns);
}

static void answer(struct engine *engine, struct tcb *tcb, const struct segment *in,
		   struct engine_action *out)
{
	out->reason = ENGINE_REASON_SHUT;
	if (in->flags & TCP_FIN)
		note_fin(engine, tcb);
	reply_quietly(engine, tcb, out);
}

void shut_begin(struct engine *engine, struct tcb *tcb, const struct segment *in,
		struct engine_action *out)
{
	tcb->public.state = ENGINE_SHUT;
	tcb->public.local_window = 0;
	tcb->quiet_until_ns = 0;
	tcb->is_shut_timed = true;
	engine->shut_count++;
	timers_start(&engine->timers, tcb, engine->now_ns);
	if (segment_seq_len(in))
		answer(engine, tcb, in, out);
}

/* RFC 5961, 3.2: in a window of 0 there is one number only. */
static void take_reset(struct engine *engine, struct tcb *tcb, const struct segment *in,
		       struct engine_action *out)
{
	out->reason = ENGINE_REASON_OUT_OF_WINDOW;
	if (in->seq != tcb->public.irs + 1)
		return;
	out->event = ENGINE_EVENT_CLOSED;
	out->reason = ENGINE_REASON_REMOTE_RESET;
	tcb_remove(engine, tcb);
}

void shut_input(struct engine *engine, struct tcb *tcb, const struct segment *in,
		struct engine_action *out)
{
	if (in->flags & TCP_RST)
		take_reset(engine, tcb, in, out);
	else if (in->flags & TCP_SYN || !(in->flags & TCP_ACK) || in->ack != tcb->public.iss + 1)
		reply_challenge(engine, tcb, in, out);
	else if (!is_acceptable(&tcb->public, in))
		answer(engine, tcb, in, out);
}

void shut_expire(struct engine *engine, struct tcb *tcb, struct engine_action *out)
{
	out->event = ENGINE_EVENT_CLOSED;
	out->reason = tcb->is_shut_timed ? ENGINE_REASON_SHUT_TIME : ENGINE_REASON_SHUT_END;
	tcb_remove(engine, tcb);
}
