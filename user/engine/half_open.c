/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SYN-RECEIVED. The order of the checks is that of Linux's half-open sockets: a repeated SYN, a RST, the
 * acknowledgement number, timestamps and window, a new SYN; what is left with an ACK completes the handshake.
 * In a simultaneous open the acknowledgement number comes last, as in RFC 9293, 3.10.7.4 and in Linux.
 */
#include "reply.h"
#include "rules.h"
#include "seq.h"
#include "tcb.h"

static bool is_in_window(const struct engine_flow *flow, const struct segment *in)
{
	uint32_t start = flow->irs + 1, end = start + flow->local_window;
	uint32_t seq_end = in->seq + segment_seq_len(in);

	if (in->seq == start)
		return true;
	/* The SYN that we have: whatever it carries now is sent again behind it. */
	if (in->flags & TCP_SYN && in->seq == flow->irs)
		return false;
	if (seq_after(seq_end, start) && seq_before(in->seq, end))
		return true;
	return in->seq == end && in->seq == seq_end;
}

/* RFC 7323, 5.3. A TS.Recent of 0 proves nothing: there are systems whose SYN has a TSval of 0. */
static bool is_tsval_old(const struct engine_flow *flow, const struct segment *in)
{
	return flow->has_timestamps && in->options.has_timestamps && flow->ts_recent &&
	       seq_before(in->options.tsval, flow->ts_recent);
}

static enum engine_reason find_fault(const struct tcb *tcb, const struct segment *in)
{
	if (is_tsval_old(&tcb->public, in))
		return ENGINE_REASON_PAWS;
	if (tcb->public.has_timestamps && tcb_is_tsecr_unsent(tcb, &in->options))
		return ENGINE_REASON_BAD_TSECR;
	if (!is_in_window(&tcb->public, in))
		return ENGINE_REASON_OUT_OF_WINDOW;
	return ENGINE_REASON_NONE;
}

static bool is_ack_wrong(const struct engine_flow *flow, const struct segment *in)
{
	return in->flags & TCP_ACK && in->ack != flow->iss + 1;
}

static bool is_duplicate_syn(const struct engine_flow *flow, const struct segment *in)
{
	return (in->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_SYN && in->seq == flow->irs &&
	       !is_tsval_old(flow, in);
}

/* The first TSval goes on being echoed, as Linux has it (RFC 7323, 4.3 (2) would take the newer). */
static void answer_duplicate_syn(struct engine *engine, struct tcb *tcb, struct engine_action *out)
{
	out->reason = ENGINE_REASON_DUPLICATE_SYN;
	reply_syn_again(engine, tcb, out);
}

/*
 * RFC 5961, 3.2. The acknowledgement number does not matter, timestamps do: TSecr by RFC 7323, 3.2, and an old
 * TSval as Linux has it (RFC 7323, 5.2 would let the RST pass).
 */
static void take_reset(struct engine *engine, struct tcb *tcb, const struct segment *in,
		       struct engine_action *out)
{
	if (is_tsval_old(&tcb->public, in)) {
		out->reason = ENGINE_REASON_PAWS;
	} else if (tcb->public.has_timestamps && tcb_is_tsecr_unsent(tcb, &in->options)) {
		out->reason = ENGINE_REASON_BAD_TSECR;
	} else if (in->seq == tcb->public.irs + 1) {
		out->event = ENGINE_EVENT_RESET;
		out->reason = ENGINE_REASON_REMOTE_RESET;
		tcb_remove(engine, tcb);
	} else if (is_in_window(&tcb->public, in)) {
		out->reason = ENGINE_REASON_CHALLENGE;
		reply_challenge(engine, tcb, in, out);
	} else {
		out->reason = ENGINE_REASON_OUT_OF_WINDOW;
	}
}

/* A passive open goes back to LISTEN; an active one is not given up for anybody's SYN (RFC 5961, 4.2). */
static void refuse_new_syn(struct engine *engine, struct tcb *tcb, const struct segment *in,
			   struct engine_action *out)
{
	if (tcb->public.is_active) {
		out->reason = ENGINE_REASON_CHALLENGE;
		reply_challenge(engine, tcb, in, out);
		return;
	}
	reply_reset(engine, in, out);
	out->event = ENGINE_EVENT_RESET;
	out->reason = ENGINE_REASON_NEW_SYN;
	tcb_remove(engine, tcb);
}

static void refuse_ack(struct engine *engine, const struct segment *in, struct engine_action *out)
{
	out->reason = ENGINE_REASON_BAD_ACK;
	reply_reset(engine, in, out);
}

/* Simultaneous open: both SYNs were answered by a SYN-ACK, whose sequence number is the SYN's own. */
static bool is_crossing_syn_ack(const struct engine_flow *flow, const struct segment *in)
{
	return flow->is_active && in->flags & TCP_SYN && in->flags & TCP_ACK &&
	       in->seq == flow->irs && !is_ack_wrong(flow, in);
}

static void take_crossing_syn_ack(struct engine *engine, struct tcb *tcb, const struct segment *in,
				  struct engine_action *out)
{
	enum engine_reason fault = find_fault(tcb, in);

	if (fault && fault != ENGINE_REASON_OUT_OF_WINDOW) {
		out->reason = fault;
		reply_challenge(engine, tcb, in, out);
		return;
	}
	tcb_establish(engine, tcb, in);
	out->event = ENGINE_EVENT_ESTABLISHED;
	reply_ack(engine, tcb, out);
}

static void take_other(struct engine *engine, struct tcb *tcb, const struct segment *in,
		       struct engine_action *out)
{
	out->reason = find_fault(tcb, in);
	if (out->reason) {
		reply_challenge(engine, tcb, in, out);
	} else if (in->flags & TCP_SYN) {
		refuse_new_syn(engine, tcb, in, out);
	} else if (is_ack_wrong(&tcb->public, in)) {
		refuse_ack(engine, in, out);
	} else if (in->flags & TCP_ACK && tcb_is_deferred(engine, tcb, in)) {
		tcb->is_acked = true;
		out->reason = ENGINE_REASON_DEFERRED;
	} else if (in->flags & TCP_ACK) {
		tcb_establish(engine, tcb, in);
		out->event = ENGINE_EVENT_ESTABLISHED;
	} else {
		out->reason = ENGINE_REASON_FLAGS;
	}
}

void half_open_input(struct engine *engine, struct tcb *tcb, const struct segment *in,
		     struct engine_action *out)
{
	if (is_duplicate_syn(&tcb->public, in)) {
		answer_duplicate_syn(engine, tcb, out);
	} else if (in->flags & TCP_RST) {
		take_reset(engine, tcb, in, out);
	} else if (!tcb->public.is_active && is_ack_wrong(&tcb->public, in)) {
		refuse_ack(engine, in, out);
	} else if (is_crossing_syn_ack(&tcb->public, in)) {
		take_crossing_syn_ack(engine, tcb, in, out);
	} else {
		take_other(engine, tcb, in, out);
	}
}
