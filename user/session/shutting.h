/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The connections of a tarpit, from the end of their handshake on. Of each there is the flow table's entry, and nothing else: who has a segment
 * of one looks there.
 */
#ifndef NOLISTEN_SHUTTING_H
#define NOLISTEN_SHUTTING_H

#include "session_private.h"

/* Every second, in one session of all that share a flow table: ends those whose time is up. -errno. */
int shutting_watch(struct session *session);
/* Is this flow to be kept so, rather than handed off? */
bool shutting_wants(const struct session *session, const struct engine_flow *flow);
/* Its handshake is complete. The engine has it no more. */
void shutting_begin(struct session *session, struct engine_flow *flow);
/* A segment that is one's is answered, or ends it; false: it is none's. */
bool shutting_take(struct session *session, const struct segment *segment);

#endif
