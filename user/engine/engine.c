/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The TCP rules before a kernel socket exists.
 *
 * Theory of operation
 *
 * The engine stands where the kernel's listener would. It sees only segments that no kernel socket owns, and
 * it keeps a flow for as long as the kernel cannot: from the first SYN until a socket has taken it over.
 *
 *	                  SYN in / SYN-ACK
 *	     (no flow) ─────────────────────► SYN_RECEIVED ──── ACK ────► ESTABLISHED ──► engine_release()
 *	         │                                ▲                            ▲
 *	         │ engine_connect() / SYN         │ SYN / SYN-ACK              │
 *	         └──────────────► SYN_SENT ───────┴──────── SYN-ACK / ACK ─────┘
 *
 * RSTs, new SYNs and timeouts end a flow before ESTABLISHED. From there on every segment is reported as HELD and
 * none is answered: the socket that takes over will see them again and answer them itself, a RST too. Where there will be none, shut.c
 * answers.
 *
 * Nothing is decided twice: listen.c, syn_sent.c and half_open.c hold the rules of one state each, flow.c what a
 * flow remembers, reply.c what is sent. A call gives at most one reply and one event. Memory is bounded by
 * max_flows, and is all there is: options, windows and timestamps are kept, payload never is.
 *
 * What is sent without being asked for is a retransmission, with one fixed wait per level (timers.c). What is
 * sent to a segment that fits nothing is a RST or an ACK, limited for all flows together, and ACKs for each
 * flow too; withheld ones have ENGINE_REASON_RATE_LIMITED.
 */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>

#include "reply.h"
#include "rules.h"
#include "tcb.h"

static const struct {
	const char *text, *meaning;
} reason_table[ENGINE_REASON_COUNT] = {
#define REASON(member, text, meaning) [ENGINE_REASON_##member] = {text, meaning},
	ENGINE_REASONS(REASON)
#undef REASON
};

const char *engine_reason_text(enum engine_reason reason)
{
	return (unsigned int)reason < ENGINE_REASON_COUNT ? reason_table[reason].text : "unknown";
}

const char *engine_reason_meaning(enum engine_reason reason)
{
	return (unsigned int)reason < ENGINE_REASON_COUNT ? reason_table[reason].meaning : "";
}

int engine_new(struct engine **out, const struct engine_config *config)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	int err;

	if (!engine)
		return -ENOMEM;
	engine->config = *config;
	nol_limit_set(&engine->own_limit, config->resets_per_s);
	engine->limit = config->limit ?: &engine->own_limit;
	err = tcb_table_init(&engine->table, config->key, config->max_flows);
	if (err)
		goto out;
	*out = engine;
	engine = NULL;
out:
	free(engine);
	return err;
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	tcb_table_free(&engine->table);
	free(engine);
}

/* A clock that goes back would put the timer lists out of order: it stands still instead. */
static void advance(struct engine *engine, uint64_t now_ns)
{
	if (now_ns > engine->now_ns)
		engine->now_ns = now_ns;
}

/* Both ends the same: nobody but a self-connected socket means it, and that is the kernel's. */
static bool is_land(const struct tuple *tuple)
{
	return tuple->local.port == tuple->remote.port &&
	       addr_is_equal(&tuple->local.addr, &tuple->remote.addr);
}

/* Loopback addresses are valid between themselves. */
static bool is_source_valid(const struct tuple *tuple)
{
	return addr_is_valid_source(&tuple->remote.addr) ||
	       (addr_is_loopback(&tuple->remote.addr) && addr_is_loopback(&tuple->local.addr));
}

/* What no host may send as a source, but for loopback, is no address of ours either. */
static bool is_local_valid(const struct addr *local)
{
	return addr_is_valid_source(local) || addr_is_loopback(local);
}

enum engine_reason engine_find_flaw(const struct segment *in)
{
	if (in->checksum == CHECKSUM_BAD)
		return ENGINE_REASON_BAD_CHECKSUM;
	if (!in->tuple.remote.port)
		return ENGINE_REASON_SOURCE_PORT_0;
	if (is_land(&in->tuple) || !is_source_valid(&in->tuple))
		return ENGINE_REASON_SOURCE_ADDRESS;
	if (!is_local_valid(&in->tuple.local.addr))
		return ENGINE_REASON_LOCAL_ADDRESS;
	if (in->options.has_signature)
		return ENGINE_REASON_SIGNATURE;
	return ENGINE_REASON_NONE;
}

void engine_input(struct engine *engine, const struct segment *segment, uint64_t now_ns,
		  const uint32_t *time_wait_snd_nxt, struct engine_action *out)
{
	struct tcb *tcb;

	*out = (struct engine_action){.reason = engine_find_flaw(segment)};
	if (out->reason)
		return;
	advance(engine, now_ns);
	tcb = tcb_table_find(&engine->table, &segment->tuple);
	if (!tcb) {
		listen_input(engine, segment, time_wait_snd_nxt, out);
		return;
	}
	out->flow = &tcb->public;
	switch (tcb->public.state) {
	case ENGINE_SYN_SENT:
		syn_sent_input(engine, tcb, segment, out);
		break;
	case ENGINE_SYN_RECEIVED:
		half_open_input(engine, tcb, segment, out);
		break;
	case ENGINE_ESTABLISHED:
		out->event = ENGINE_EVENT_HELD;
		break;
	}
}

void engine_adopt(struct engine *engine, const struct segment *segment,
		  const struct nol_terms *terms, uint64_t now_ns, struct engine_action *out)
{
	if (tcb_table_find(&engine->table, &segment->tuple)) {
		engine_input(engine, segment, now_ns, NULL, out);
		return;
	}
	*out = (struct engine_action){.reason = engine_find_flaw(segment)};
	if (out->reason)
		return;
	advance(engine, now_ns);
	adopt_input(engine, segment, terms, out);
}

void engine_unreachable(struct engine *engine, const struct icmp_error *error, uint64_t now_ns,
			struct engine_action *out)
{
	struct tcb *tcb = tcb_table_find(&engine->table, &error->tuple);

	*out = (struct engine_action){.event = ENGINE_NOTHING};
	advance(engine, now_ns);
	if (!tcb || tcb->public.state == ENGINE_ESTABLISHED)
		return;
	out->flow = &tcb->public;
	if (error->seq != tcb->public.iss) {
		out->reason = ENGINE_REASON_ICMP_SEQ;
		return;
	}
	out->event = ENGINE_EVENT_RESET;
	out->reason = ENGINE_REASON_UNREACHABLE;
	tcb_remove(engine, tcb);
}

int engine_connect(struct engine *engine, const struct tuple *tuple, const struct engine_syn *syn,
		   uint64_t now_ns, struct engine_action *out)
{
	struct tcb *tcb;

	if (!tuple->local.port || !tuple->remote.port || is_land(tuple))
		return -EINVAL;
	if (tcb_table_find(&engine->table, tuple))
		return -EEXIST;
	advance(engine, now_ns);
	tcb = tcb_new(engine, tuple, ENGINE_SYN_SENT);
	if (!tcb)
		return -ENOSPC;
	*out = (struct engine_action){.event = ENGINE_NOTHING};
	syn_sent_open(engine, tcb, syn, out);
	return 0;
}

static uint8_t max_retries(const struct engine *engine, const struct tcb *tcb)
{
	if (tcb->public.state != ENGINE_SYN_SENT)
		return engine->config.settings.syn_ack_retries;
	return tcb_syn_has(tcb, ENGINE_SYN_RETRIES) ? tcb->syn->retries
						    : engine->config.syn_retries;
}

/* Who has acknowledged it already is waited for as long as final ACKs are deferred, as Linux has it. */
static bool is_given_up(const struct engine *engine, const struct tcb *tcb)
{
	return tcb->level >= max_retries(engine, tcb) &&
	       (!tcb->is_acked || tcb->level >= engine->config.defer_timeouts);
}

/* A last SYN-ACK asks for the ACK that will do without data. */
static bool is_waiting_for_data(const struct engine *engine, const struct tcb *tcb)
{
	return tcb->is_acked && tcb->level + 1 < engine->config.defer_timeouts;
}

static void retransmit(struct engine *engine, struct tcb *tcb, struct engine_action *out)
{
	const bool is_waiting = is_waiting_for_data(engine, tcb);

	tcb->level++;
	timers_start(&engine->timers, tcb, engine->now_ns);
	if (is_waiting)
		return;
	if (tcb->public.retransmits < UINT8_MAX)
		tcb->public.retransmits++;
	reply_syn(engine, tcb, out);
}

bool engine_expire(struct engine *engine, uint64_t now_ns, struct engine_action *out)
{
	struct tcb *tcb = timers_first(&engine->timers);

	advance(engine, now_ns);
	if (!tcb || tcb->deadline_ns > engine->now_ns)
		return false;
	*out = (struct engine_action){.reason = ENGINE_REASON_TIMEOUT, .flow = &tcb->public};
	timers_stop(&engine->timers, tcb);
	if (is_given_up(engine, tcb)) {
		out->event = ENGINE_EVENT_EXPIRED;
		tcb_remove(engine, tcb);
	} else {
		retransmit(engine, tcb, out);
	}
	return true;
}

uint64_t engine_deadline_ns(const struct engine *engine)
{
	const struct tcb *tcb = timers_first(&engine->timers);

	return tcb ? tcb->deadline_ns : UINT64_MAX;
}

struct engine_flow *engine_find(struct engine *engine, const struct tuple *tuple)
{
	struct tcb *tcb = tcb_table_find(&engine->table, tuple);

	return tcb ? &tcb->public : NULL;
}

void engine_release(struct engine *engine, struct engine_flow *flow)
{
	tcb_remove(engine, (struct tcb *)flow);
}

uint32_t engine_flow_count(const struct engine *engine)
{
	return engine->table.count;
}

void engine_set(struct engine *engine, const struct engine_settings *settings)
{
	engine->config.settings = *settings;
}

uint32_t engine_tsval(const struct engine_flow *flow, uint64_t now_ns)
{
	return nol_clock_ms(now_ns) + flow->ts_offset;
}
