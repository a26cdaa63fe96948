/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a segment does in each state; *out is zero but for out->flow when they are called. */
#ifndef NOLISTEN_RULES_H
#define NOLISTEN_RULES_H

#include "engine.h"

struct tcb;

/* No flow: what LISTEN does (RFC 9293, 3.10.7.2). */
void listen_input(struct engine *engine, const struct segment *in,
		  const uint32_t *time_wait_snd_nxt, struct engine_action *out);
/* No flow, but the end of a handshake that a cookie began. */
void adopt_input(struct engine *engine, const struct segment *in, const struct nol_terms *terms,
		 struct engine_action *out);
/* A new flow in SYN-SENT: out->reply is its SYN. syn may be NULL. */
void syn_sent_open(struct engine *engine, struct tcb *tcb, const struct engine_syn *syn,
		   struct engine_action *out);
/* SYN-SENT (RFC 9293, 3.10.7.3). */
void syn_sent_input(struct engine *engine, struct tcb *tcb, const struct segment *in,
		    struct engine_action *out);
/* SYN-RECEIVED, of a passive or of a simultaneous open (RFC 9293, 3.10.7.4). */
void half_open_input(struct engine *engine, struct tcb *tcb, const struct segment *in,
		     struct engine_action *out);

/* Why a segment is ignored whatever it belongs to; or ENGINE_REASON_NONE. */
enum engine_reason engine_find_flaw(const struct segment *in);

#endif
