/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A connection that nobody takes over: established, with a window of 0 from the SYN-ACK on, so that what the remote may send is
 * a RST and bare ACKs (RFC 9293, 3.10.7.4). All else, its window probes among it, is not acceptable and gets an ACK, which
 * keeps it waiting: who is answered does not give up (RFC 9293, 3.8.6.1). Its FIN is not taken either. So neither sequence number ever
 * changes, and the engine keeps nothing: whoever has the connection has a struct engine_shut. bpf/shut.h has the same rules.
 *
 * It ends with a RST, when it has been there for as long as the configuration says, or two minutes after the last answer to a remote that
 * has ended: one that has given up says nothing more.
 */
#include <linux/types.h>

#include <abi/shut.h>

#include "clock.h"
#include "engine.h"
#include "rules.h"

static bool is_acceptable(const struct engine_shut *shut, const struct segment *in)
{
	return in->flags & TCP_ACK && !(in->flags & TCP_SYN) && in->ack == shut->iss + 1 &&
	       in->seq == shut->irs + 1 && !segment_seq_len(in);
}

static void answer(struct engine_shut *shut, const struct segment *in, uint64_t now_ns,
		   struct engine_action *out)
{
	const uint32_t now_ms = nol_clock_ms(now_ns);

	out->reason = ENGINE_REASON_RATE_LIMITED;
	if ((int32_t)(now_ms - shut->answered_ms) < NOL_SHUT_QUIET_MS)
		return;
	shut->answered_ms = now_ms;
	shut->has_fin = shut->has_fin || in->flags & TCP_FIN;
	out->reason = ENGINE_REASON_SHUT;
	out->has_reply = true;
	out->reply.tuple = in->tuple;
	out->reply.seq = shut->iss + 1;
	out->reply.ack = shut->irs + 1;
	out->reply.flags = TCP_ACK;
}

void engine_shut_begin(struct engine_shut *shut, const struct engine_flow *flow, uint64_t now_ns)
{
	*shut = (struct engine_shut){
		.iss = flow->iss,
		.irs = flow->irs,
		.answered_ms = nol_clock_ms(now_ns) - NOL_SHUT_QUIET_MS,
	};
}

/* RFC 5961, 3.2: in a window of 0 there is one number only. */
bool engine_shut_input(struct engine_shut *shut, const struct segment *in, uint64_t now_ns,
		       struct engine_action *out)
{
	*out = (struct engine_action){.reason = engine_find_flaw(in)};
	if (out->reason)
		return true;
	if (in->flags & TCP_RST) {
		const bool is_exact = in->seq == shut->irs + 1;

		out->reason = is_exact ? ENGINE_REASON_REMOTE_RESET : ENGINE_REASON_OUT_OF_WINDOW;
		return !is_exact;
	}
	if (!is_acceptable(shut, in))
		answer(shut, in, now_ns, out);
	return true;
}

uint64_t engine_shut_deadline_ns(const struct engine_shut *shut, uint64_t created_ns,
				 uint64_t hold_ns, uint64_t now_ns)
{
	const uint64_t whole_ns = created_ns + hold_ns;
	const int32_t since_ms = (int32_t)(nol_clock_ms(now_ns) - shut->answered_ms);
	const int32_t left_ms = since_ms > 0 ? NOL_SHUT_ENDED_MS - since_ms : NOL_SHUT_ENDED_MS;
	uint64_t ended_ns;

	if (!shut->has_fin)
		return whole_ns;
	ended_ns = now_ns + (uint64_t)(left_ms > 0 ? left_ms : 0) * CLOCK_NS_PER_MS;
	return ended_ns < whole_ns ? ended_ns : whole_ns;
}
