/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What user space counts; NOL_STATS in abi.h has what the kernel side counts. Structs and tables come from the lists. */
#ifndef NOLISTEN_COUNTERS_H
#define NOLISTEN_COUNTERS_H

#include <stdint.h>

#include "engine.h"
#include "passing_stats.h"
#include "service_stats.h"
#include "times.h"

/* Of a session, in packets or flows since the start: name, and what it counts. closed and closed_unheard are counted by all sessions together. */
/* clang-format off */
#define SESSION_STATS(X) \
	X(syn, "half-open flows begun") \
	X(established, "handshakes completed") \
	X(handed_off, "connections handed to the kernel") \
	X(closed, "handed-off connections closed since") \
	X(closed_unheard, "those of them whose end was found by looking, since nothing told of it") \
	X(expired, "half-open flows given up") \
	X(reset, "half-open flows reset") \
	X(replayed, "held packets put back into the stack") \
	X(repeated, "held ACKs not put back: the data behind them says the same") \
	X(malformed, "held packets that were no TCP segment") \
	X(table_full, "SYNs refused: the flow table is full") \
	X(source_full, "refused: their source holds as much as it may (--max-per-source)") \
	X(handoff_failed, "handshakes completed that could not become a socket") \
	X(no_descriptors, "handshakes that no descriptor was left for") \
	X(connect_failed, "SYNs that no socket could connect back to") \
	X(replay_failed, "held packets that could not be put back") \
	X(send_failed, "replies that could not leave") \
	X(resets_sent, "RSTs sent") \
	X(syn_ack_retransmits, "SYN-ACKs sent again") \
	X(tarpit_held, "connections that tarpit has let in") \
	X(tarpit_ended, "those of them that are over")
/* clang-format on */

#define SESSION_STATS_FIELD(name, text) uint64_t name;
struct session_stats {
	SESSION_STATS(SESSION_STATS_FIELD)
	uint64_t reasons[ENGINE_REASON_COUNT]; /* segments by engine_reason */
	struct times
		handshake; /* from the SYN-ACK to the final ACK, where somebody noted when: the engine */
	struct times handoff; /* from there to the socket */
};

/* Of a worker: its session, and the service that it has. */
struct worker_counts {
	struct session_stats session;
	uint32_t half_open;
	uint64_t connections, refused; /* of the service */
	struct passing_stats passing; /* of service socket, otherwise 0 */
	struct service_stats service; /* of the others */
};

/* What the counter of that name counts, one of these or of NOL_STATS; "": there is none. */
const char *counter_meaning(const char *name);

#endif
