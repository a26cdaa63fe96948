/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The segments that the engine sends; each function fills in out->reply. */
#ifndef NOLISTEN_REPLY_H
#define NOLISTEN_REPLY_H

#include "engine.h"

struct tcb;

/* SYN in SYN-SENT, SYN-ACK in SYN-RECEIVED, with the options that go with it. */
void reply_syn(struct engine *engine, struct tcb *tcb, struct engine_action *out);
/* A SYN-ACK for a repeated SYN, at most one per flow in 500 ms. */
void reply_syn_again(struct engine *engine, struct tcb *tcb, struct engine_action *out);
/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
void reply_ack(struct engine *engine, struct tcb *tcb, struct engine_action *out);
/* The same as an answer to a segment that was not accepted: limited by flow and for all flows together. */
void reply_challenge(struct engine *engine, struct tcb *tcb, const struct segment *in,
		     struct engine_action *out);
/* The RST for this segment (RFC 9293, 3.10.7.1), none for a RST; limited for all flows together. */
void reply_reset(struct engine *engine, const struct segment *in, struct engine_action *out);

#endif
