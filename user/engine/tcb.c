/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The life of a flow: made by one SYN, agreed with the remote's, complete when ours is acknowledged. */
#include "tcb.h"

#include "isn.h"
#include "seq.h"

/* What Linux makes of an MSS: none is the default of the family, and less than 48 would be all header. */
#define DEFAULT_MSS_V4 536
#define DEFAULT_MSS_V6 1220
#define MIN_MSS 48

struct tcb *tcb_new(struct engine *engine, const struct tuple *tuple, enum engine_state state)
{
	const struct engine_config *config = &engine->config;
	struct isn isn = isn_make(config->key, tuple, engine->now_ns);
	struct tcb *tcb = tcb_table_add(&engine->table, tuple);

	if (!tcb)
		return NULL;
	tcb->public.state = state;
	tcb->public.iss = isn.iss;
	tcb->public.ts_offset = isn.ts_offset;
	tcb->public.local_window = config->window;
	tcb->public.created_ns = engine->now_ns;
	tcb->local_mss = addr_is_v4(&tuple->local.addr) ? config->mss_v4 : config->mss_v6;
	return tcb;
}

static uint16_t choose_mss(const struct tcb *tcb, const struct tcp_options *options)
{
	uint16_t mss = addr_is_v4(&tcb->public.tuple.local.addr) ? DEFAULT_MSS_V4 : DEFAULT_MSS_V6;

	if (options->has_mss && options->mss)
		mss = options->mss;
	if (mss > tcb->local_mss)
		mss = tcb->local_mss;
	return mss < MIN_MSS ? MIN_MSS : mss;
}

#define TIMESTAMPS_LEN 12 /* bytes of every segment, with their two NOPs */

/* Whole segments only: the remote would wait for room for the last part of one. */
uint16_t engine_window(const struct engine_config *config, uint16_t mss, bool has_timestamps)
{
	mss -= has_timestamps ? TIMESTAMPS_LEN : 0;
	if (!config->rounds_window || config->window <= mss)
		return config->window;
	return config->window - config->window % mss;
}

void tcb_agree(struct engine *engine, struct tcb *tcb, const struct segment *in)
{
	const struct tcp_options *options = &in->options;
	struct engine_flow *public = &tcb->public;

	public->irs = in->seq;
	public->remote_mss = choose_mss(tcb, options);
	public->has_sack = options->has_sack_permitted;
	public->has_timestamps = options->has_timestamps;
	public->ts_recent = options->has_timestamps ? options->tsval : 0;
	if (!public->is_active) /* our own SYN has advertised it already */
	public->local_window =
		engine_window(&engine->config, tcb->local_mss, public->has_timestamps);
	public->has_wscale = options->has_wscale;
	if (!options->has_wscale)
		return;
	public->local_wscale = engine->config.wscale;
	public->remote_wscale =
		options->wscale < TCPOPT_MAX_WSCALE ? options->wscale : TCPOPT_MAX_WSCALE;
}

bool tcb_is_tsecr_unsent(const struct tcb *tcb, const struct tcp_options *options)
{
	uint32_t first = engine_tsval(&tcb->public, tcb->public.created_ns);
	uint32_t last = engine_tsval(&tcb->public, tcb->public.tsval_ns);

	return options->has_timestamps && options->tsecr &&
	       !seq_is_within(options->tsecr, first, last - first + 1);
}

void tcb_establish(struct engine *engine, struct tcb *tcb, const struct segment *in)
{
	struct engine_flow *public = &tcb->public;
	/* The window of a SYN is never scaled (RFC 7323, 2.2). */
	uint8_t shift = in->flags & TCP_SYN ? 0 : public->remote_wscale;

	if (public->has_timestamps && in->options.has_timestamps &&
	    !seq_after(in->seq, public->irs + 1))
	public->ts_recent = in->options.tsval;
	public->remote_window = (uint32_t)in->window << shift;
	public->remote_wl1 = in->seq;
	public->established_ns = engine->now_ns;
	public->state = ENGINE_ESTABLISHED;
	timers_stop(&engine->timers, tcb);
}

void tcb_remove(struct engine *engine, struct tcb *tcb)
{
	timers_stop(&engine->timers, tcb);
	tcb_table_remove(&engine->table, tcb);
}
