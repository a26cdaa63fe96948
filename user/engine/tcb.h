/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside the engine: a flow as table, timers and rules see it, and the engine itself. */
#ifndef NOLISTEN_TCB_H
#define NOLISTEN_TCB_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

/* Waits of 1, 2, 4, 8, 16, 32, 64, 120 s; every further one is as long as the last. */
#define TIMER_LEVELS 8

struct tcb {
	struct engine_flow public; /* first, so that a pointer to one is a pointer to the other */
	struct tcb *chain; /* the next of the hash bucket, or of the free flows */
	struct tcb *earlier, *later; /* in the list of its timer level */
	uint64_t deadline_ns;
	uint64_t quiet_until_ns; /* no answer to repeated or out-of-window segments before that */
	struct nol_advertised advertised; /* also when it is sent again */
	const struct engine_syn *syn; /* of an active open; NULL: as the settings have it */
	uint8_t offers; /* enum nol_offer: of the settings when it began */
	uint8_t level; /* timeouts so far in this state */
	bool is_timed;
	bool is_acked; /* by a final ACK that was not enough, see tcb_is_deferred() */
};

struct tcb_table {
	uint8_t key[SIPHASH_KEY_SIZE];
	struct tcb **buckets;
	struct tcb *slab; /* max_flows of them; those from used on were never touched */
	struct tcb *free;
	uint32_t mask, max_flows, used, count;
};

struct timer_list {
	struct tcb *first, *last;
};

struct timers {
	struct timer_list levels[TIMER_LEVELS];
};

struct engine {
	struct engine_config config;
	struct tcb_table table;
	struct timers timers;
	struct nol_limit *limit; /* of RSTs and challenge ACKs */
	struct nol_limit own_limit; /* where nobody shares one */
	uint64_t now_ns; /* of the call under way */
};

static inline bool tcb_syn_has(const struct tcb *tcb, enum engine_syn_field field)
{
	return tcb->syn && tcb->syn->given & field;
}

/* A flow of that tuple with ISS of ours and what is advertised to its remote, timer off, state as given; NULL: the table is full. */
struct tcb *tcb_new(struct engine *engine, const struct tuple *tuple, enum engine_state state);
/* Take what the remote's SYN or SYN-ACK says: IRS, MSS and the options that both have. */
void tcb_agree(struct engine *engine, struct tcb *tcb, const struct segment *in);
/* Does it echo a TSval that we did not send? Linux's check; a TSecr of 0 is none. */
bool tcb_is_tsecr_unsent(const struct tcb *tcb, const struct tcp_options *options);
/* The MSS that a remote has told of, within TCP_MAXSEG. */
uint16_t tcb_limit_mss(const struct engine_settings *settings, uint16_t mss);
/* TCP_DEFER_ACCEPT: is this final ACK to be dropped, since it brings neither data nor a FIN? */
bool tcb_is_deferred(const struct engine *engine, const struct tcb *tcb, const struct segment *in);
/* The handshake is complete with this segment. */
void tcb_establish(struct engine *engine, struct tcb *tcb, const struct segment *in);
/* The flow stays readable until the next one is made. */
void tcb_remove(struct engine *engine, struct tcb *tcb);

/* The bounded hash table. */
int tcb_table_init(struct tcb_table *table, const uint8_t key[SIPHASH_KEY_SIZE],
		   uint32_t max_flows);
void tcb_table_free(struct tcb_table *table);
struct tcb *tcb_table_find(const struct tcb_table *table, const struct tuple *tuple);
/* Zeroed but for the tuple, which must not be in the table; NULL: full. */
struct tcb *tcb_table_add(struct tcb_table *table, const struct tuple *tuple);
void tcb_table_remove(struct tcb_table *table, struct tcb *tcb);

/* Retransmission timers. now_ns must not go back from one call to the next. */
void timers_start(struct timers *timers, struct tcb *tcb, uint64_t now_ns);
void timers_stop(struct timers *timers, struct tcb *tcb);
/* The flow whose timer ends first, or NULL. */
struct tcb *timers_first(const struct timers *timers);

#endif
