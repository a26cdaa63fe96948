/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The life of a flow: made by one SYN, agreed with the remote's, complete when ours is acknowledged. */
#include "tcb.h"

#include "isn.h"
#include "routes.h"
#include "seq.h"

/* What Linux makes of an MSS: none is the default of the family, and less than 48 would be all header. */
#define DEFAULT_MSS_V4 536
#define DEFAULT_MSS_V6 1220
#define MIN_MSS 48

static struct nol_advertised find_advertised(const struct engine_settings *settings,
					     const struct addr *remote)
{
	const struct nol_advertised *found = routes_find(settings->routes, remote);

	if (found)
		return *found;
	return addr_is_v4(remote) ? settings->v4 : settings->v6;
}

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
	tcb->public.created_ns = engine->now_ns;
	tcb->offers = config->settings.offers;
	tcb->advertised = find_advertised(&config->settings, &tuple->remote.addr);
	tcb->public.local_window = tcb->advertised.window[0];
	return tcb;
}

uint16_t tcb_limit_mss(const struct engine_settings *settings, uint16_t mss)
{
	return settings->mss_limit && settings->mss_limit < mss ? settings->mss_limit : mss;
}

/* A limit of ours is for what the remote says; what is assumed where it says nothing stays, as in Linux. */
static uint16_t choose_mss(const struct engine *engine, const struct tcb *tcb,
			   const struct tcp_options *options)
{
	const bool is_v4 = addr_is_v4(&tcb->public.tuple.local.addr);
	uint16_t mss = is_v4 ? DEFAULT_MSS_V4 : DEFAULT_MSS_V6;

	if (options->has_mss && options->mss)
		mss = tcb_limit_mss(&engine->config.settings, options->mss);
	if (mss > tcb->advertised.path_mss)
		mss = tcb->advertised.path_mss;
	return mss < MIN_MSS ? MIN_MSS : mss;
}

/* Our own SYN has advertised it already; of one that was shaped it may be too small to receive anything by. */
static void agree_window(struct tcb *tcb)
{
	struct engine_flow *public = &tcb->public;
	const uint16_t window = tcb->advertised.window[public->has_timestamps];

	if (!public->is_active ||
	    (tcb_syn_has(tcb, ENGINE_SYN_WINDOW) && public->local_window < window))
	public->local_window = window;
}

void tcb_agree(struct engine *engine, struct tcb *tcb, const struct segment *in)
{
	const struct tcp_options *options = &in->options;
	struct engine_flow *public = &tcb->public;

	public->irs = in->seq;
	syn_print_take(&public->syn, in);
	public->remote_mss = choose_mss(engine, tcb, options);
	public->has_sack = options->has_sack_permitted && tcb->offers & NOL_OFFER_SACK;
	public->has_timestamps = options->has_timestamps && tcb->offers & NOL_OFFER_TIMESTAMPS;
	public->ts_recent = public->has_timestamps ? options->tsval : 0;
	agree_window(tcb);
	public->has_wscale = options->has_wscale && tcb->offers & NOL_OFFER_WSCALE;
	if (!public->has_wscale)
		return;
	public->local_wscale = tcb->advertised.wscale;
	public->remote_wscale =
		options->wscale < TCPOPT_MAX_WSCALE ? options->wscale : TCPOPT_MAX_WSCALE;
}

bool tcb_is_tsecr_unsent(const struct tcb *tcb, const struct tcp_options *options)
{
	uint32_t first = engine_tsval(&tcb->public, tcb->public.created_ns);
	uint32_t last = engine_tsval(&tcb->public, tcb->public.tsval_ns);

	/* When a cookie's TSval was sent nobody has noted. */
	return !tcb->public.is_adopted && options->has_timestamps && options->tsecr &&
	       !seq_is_within(options->tsecr, first, last - first + 1);
}

bool tcb_is_deferred(const struct engine *engine, const struct tcb *tcb, const struct segment *in)
{
	return !tcb->public.is_active && tcb->level < engine->config.defer_timeouts &&
	       in->seq + segment_seq_len(in) == tcb->public.irs + 1;
}

#define LOST_BEFORE_SLOW \
	2 /* as Linux has it: the first timeout is a short one (RFC 6298, appendix A) */

/* Unless the remote shows that it was the first that arrived, and nothing was lost. */
static bool starts_slowly(const struct tcb *tcb, const struct segment *in)
{
	const uint32_t first = engine_tsval(&tcb->public, tcb->public.created_ns);

	return tcb->level >= LOST_BEFORE_SLOW &&
	       !(tcb->public.has_timestamps && in->options.has_timestamps &&
		 in->options.tsecr == first);
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
	public->starts_slowly = starts_slowly(tcb, in);
	public->local_mss = tcb->advertised.mss;
	public->established_ns = engine->now_ns;
	public->state = ENGINE_ESTABLISHED;
	timers_stop(&engine->timers, tcb);
}

void tcb_remove(struct engine *engine, struct tcb *tcb)
{
	timers_stop(&engine->timers, tcb);
	tcb_table_remove(&engine->table, tcb);
}
