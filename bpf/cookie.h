/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SYN cookies, see struct nol_cookie: made of a SYN, recognised in the segment that acknowledges one, and read. The hash is
 * over 4-tuple and the remote's ISN, keyed by slot, so that a cookie is worth something to nobody else, for no other
 * connection, and for two minutes at most. Nothing here needs a packet's context but cookie_accept(), at the end.
 */
#ifndef NOLISTEN_BPF_COOKIE_H
#define NOLISTEN_BPF_COOKIE_H

#include "advertised.h"
#include "clock.h"
#include "options.h"
#include "siphash.h"
#include "stats.h"

#include <abi/mss.h>

#define COOKIE_HASH_MASK (~0u >> NOL_COOKIE_SLOT_BITS)
#define COOKIE_EARLY_MS (NOL_COOKIE_EARLY_S * 1000)
#define COOKIE_LIFE_MS (2 * NOL_COOKIE_SLOT_S * 1000)

/* What a SYN-ACK carries of it. */
struct cookie {
	__u32 iss, tsval;
};

/* What is left of a cookie once it is known to be ours. */
struct cookie_proof {
	__u32 code;
	__u32 ts_offset; /* as in struct nol_terms */
};

static __always_inline const struct nol_cookie *find_cookie_config(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&nol_cookie, &zero);
}

/* For TSvals. In a flood nearly all are by the coarse clock, which costs next to nothing. */
static __always_inline __u64 cookie_clock_ns(const struct nol_cookie *config)
{
	return clock_fine_ns(config->exact_in_window);
}

static __always_inline __u32 cookie_first_class(bool is_ipv4)
{
	return is_ipv4 ? NOL_MSS_CLASS_536 : NOL_MSS_CLASS_1220;
}

/* The MSS that a SYN means (RFC 9293, 3.7.1). */
static __always_inline __u16 effective_mss(const struct options *options, bool is_ipv4)
{
	if (options->mss)
		return options->mss;
	return is_ipv4 ? NOL_MSS_MIN_V4 : NOL_MSS_MIN_V6;
}

/* In the count of the family. False: the MSS is smaller than any class. */
static __always_inline bool cookie_find_class(const struct nol_cookie *config, bool is_ipv4,
					      __u16 mss, __u32 *class)
{
	const __u32 last = (is_ipv4 ? config->classes_v4 : config->classes_v6) - 1;
	__u32 found;

	if (mss < (is_ipv4 ? NOL_MSS_MIN_V4 : NOL_MSS_MIN_V6))
		return false;
	found = nol_mss_class(mss) - cookie_first_class(is_ipv4);
	*class = found < last ? found : last;
	return true;
}

/* By the sysctl, or by a feature of the route. */
static __always_inline bool may_agree_to_ecn(const struct nol_cookie *config,
					     const struct facts *facts)
{
	const struct nol_advertised *found;

	if (config->offers & NOL_OFFER_ECN || !config->has_routes)
		return config->offers & NOL_OFFER_ECN;
	found = find_route(facts);
	return found && found->has_ecn;
}

static __always_inline bool cookie_has_ecn(const struct nol_cookie *config,
					   const struct facts *facts, bool has_timestamps)
{
	const __u8 setup = TCP_FLAG_ECE | TCP_FLAG_CWR;

	/* A SYN that says at once that its packets are ECN-capable does not follow RFC 3168, 6.1.1. */
	return config->has_ecn && (facts->flags & setup) == setup && !facts->ecn &&
	       (has_timestamps || !config->is_wary) && may_agree_to_ecn(config, facts);
}

static __always_inline __u32 cookie_encode(const struct nol_cookie *config,
					   const struct facts *facts, const struct options *options,
					   __u32 class)
{
	__u32 wscale = options->has & NOL_OFFER_WSCALE ? options->wscale : NOL_COOKIE_NO_WSCALE;
	__u32 sack = !!(options->has & NOL_OFFER_SACK);
	__u32 code = class << NOL_COOKIE_CLASS_SHIFT | wscale << 1 | sack;
	bool has_timestamps = options->has & NOL_OFFER_TIMESTAMPS;

	return config->has_ecn ? code << 1 | cookie_has_ecn(config, facts, has_timestamps) : code;
}

static __always_inline __u64 cookie_half(const __u8 *bytes)
{
	return *(const __u32 *)bytes;
}

static __always_inline void hash_addresses(struct siphash *s, const struct facts *facts)
{
	const __u8 *remote = facts->key.remote_addr, *local = facts->key.local_addr;

	if (facts->is_ipv4) {
		siphash_add(s, cookie_half(remote + 12) | cookie_half(local + 12) << 32);
		return;
	}
	siphash_add(s, ((const __u64 *)remote)[0]);
	siphash_add(s, ((const __u64 *)remote)[1]);
	siphash_add(s, ((const __u64 *)local)[0]);
	siphash_add(s, ((const __u64 *)local)[1]);
}

static __always_inline __u64 cookie_hash(const struct nol_cookie *config, const struct facts *facts,
					 __u32 isn, __u32 set, __u32 slot)
{
	const struct nol_flow_key *key = &facts->key;
	struct siphash s;

	siphash_start(&s, config->keys[set & (NOL_COOKIE_SETS - 1)][slot & (NOL_COOKIE_SLOTS - 1)]);
	hash_addresses(&s, facts);
	siphash_add(&s, key->remote_port | (__u64)key->local_port << 16 | (__u64)isn << 32);
	return siphash_end(&s, facts->is_ipv4 ? NOL_COOKIE_KIND_V4 : NOL_COOKIE_KIND_V6);
}

static __always_inline __u32 cookie_ts_offset(const struct nol_cookie *config, __u64 hash)
{
	return config->ts_offset + (__u32)(hash >> 32);
}

/* Of a SYN. False: no class takes its MSS. A TSval of 0 is never sent, since its echo would be none. */
static __always_inline bool cookie_make(const struct nol_cookie *config, const struct facts *facts,
					const struct options *options, __u64 now_ns,
					struct cookie *out)
{
	__u32 slot = config->slot, class;
	__u64 hash;

	if (!cookie_find_class(config, facts->is_ipv4, effective_mss(options, facts->is_ipv4),
			       &class))
		return false;
	hash = cookie_hash(config, facts, facts->seq, config->making, slot);
	out->iss = ((__u32)hash + cookie_encode(config, facts, options, class) * NOL_COOKIE_SPREAD)
			   << NOL_COOKIE_SLOT_BITS |
		   (slot & (NOL_COOKIE_SLOTS - 1));
	out->tsval = (nol_clock_ms(now_ns) + cookie_ts_offset(config, hash)) ?: 1;
	return true;
}

/* How many slots before the newest one this ISS would have been made in; a cookie above 1 has expired. */
static __always_inline __u32 cookie_age(const struct nol_cookie *config, __u32 iss)
{
	return (config->newest - iss) & (NOL_COOKIE_SLOTS - 1);
}

static __always_inline bool cookie_matches_set(const struct nol_cookie *config,
					       const struct facts *facts, __u32 isn, __u32 set,
					       struct cookie_proof *out)
{
	__u32 iss = facts->ack - 1, slot = iss & (NOL_COOKIE_SLOTS - 1);
	__u64 hash = cookie_hash(config, facts, isn, set, slot);

	out->code = ((iss >> NOL_COOKIE_SLOT_BITS) - (__u32)hash) * NOL_COOKIE_GATHER &
		    COOKIE_HASH_MASK;
	out->ts_offset = cookie_ts_offset(config, hash);
	return out->code < (facts->is_ipv4 ? config->codes_v4[slot] : config->codes_v6[slot]);
}

/*
 * Does this segment acknowledge a cookie of ours, of whatever age, for that ISN? The set that makes cookies has made nearly all
 * of them.
 */
static __always_inline bool cookie_matches_isn(const struct nol_cookie *config,
					       const struct facts *facts, __u32 isn,
					       struct cookie_proof *out)
{
	const __u32 making = config->making;

	*out = (struct cookie_proof){};
	for (__u32 i = 0; i < NOL_COOKIE_SETS; i++) {
		const __u32 set = (making + i) & (NOL_COOKIE_SETS - 1);

		if (config->is_open[set] && cookie_matches_set(config, facts, isn, set, out))
			return true;
	}
	return false;
}

/* The ISN is before its own first byte. */
static __always_inline bool cookie_matches(const struct nol_cookie *config,
					   const struct facts *facts, struct cookie_proof *out)
{
	return cookie_matches_isn(config, facts, facts->seq - 1, out);
}

/*
 * A remote whose window is shut sends no data behind a final ACK that was lost: what comes next is Linux's window probe, or a keep-alive, which
 * has a number that was acknowledged already, the ISN.
 */
static __always_inline bool is_probe_of_cookie(const struct nol_cookie *config,
					       const struct facts *facts, struct cookie_proof *out)
{
	return nol_keeps_shut && facts->flags == TCP_FLAG_ACK &&
	       cookie_matches_isn(config, facts, facts->seq, out);
}

static __always_inline bool cookie_find(const struct nol_cookie *config, const struct facts *facts,
					struct cookie_proof *out, struct nol_terms *terms)
{
	if (cookie_matches(config, facts, out))
		return true;
	if (!is_probe_of_cookie(config, facts, out))
		return false;
	terms->options |= NOL_TERM_PROBE;
	return true;
}

/* And is it young enough? Counts those that are not. */
static __always_inline bool cookie_is_valid(const struct nol_cookie *config,
					    const struct facts *facts, struct cookie_proof *out,
					    struct nol_terms *terms)
{
	if (!cookie_find(config, facts, out, terms)) {
		count(cookie_forged);
		return false;
	}
	if (cookie_age(config, facts->ack - 1) > 1) {
		count(cookie_expired);
		return false;
	}
	return true;
}

static __always_inline void cookie_decode(const struct nol_cookie *config,
					  const struct facts *facts, __u32 code,
					  struct nol_terms *terms)
{
	__u32 wscale;

	if (config->has_ecn) {
		terms->options |= code & 1 ? NOL_TERM_ECN : 0;
		code >>= 1;
	}
	terms->options |= code & 1 ? NOL_TERM_SACK : 0;
	wscale = code >> 1 & NOL_COOKIE_NO_WSCALE;
	terms->mss =
		nol_mss_of((code >> NOL_COOKIE_CLASS_SHIFT) + cookie_first_class(facts->is_ipv4));
	if (wscale == NOL_COOKIE_NO_WSCALE)
		return;
	terms->options |= NOL_TERM_WSCALE;
	terms->wscale = wscale;
}

/*
 * What the two ends have agreed to; options: of the segment with the valid cookie. A remote that echoes no TSval has not
 * agreed to timestamps, whatever it offered. False: it echoes one that it cannot have from us. *terms has to be zero, but for
 * NOL_TERM_PROBE.
 */
static __always_inline bool cookie_read_terms(const struct nol_cookie *config,
					      const struct facts *facts,
					      const struct cookie_proof *proof,
					      const struct options *options, __u64 now_ns,
					      struct nol_terms *terms)
{
	__u32 sent_ms = options->tsecr - proof->ts_offset;
	__u32 age_ms = nol_clock_ms(now_ns) + COOKIE_EARLY_MS - sent_ms;

	cookie_decode(config, facts, proof->code, terms);
	terms->ts_offset = proof->ts_offset;
	if (!(options->has & NOL_OFFER_TIMESTAMPS) || !options->tsecr) {
		if (!config->is_wary || !terms->options)
			return true;
		count(cookie_forged);
		return false;
	}
	terms->options |= NOL_TERM_TIMESTAMPS;
	if (age_ms <= COOKIE_LIFE_MS + COOKIE_EARLY_MS)
		return true;
	count(cookie_forged);
	return false;
}

/* The flags of a segment that can end a handshake: ACK, perhaps FIN. */
static __always_inline bool may_complete(const struct facts *facts)
{
	return (facts->flags & (TCP_FLAG_ACK | TCP_FLAG_SYN | TCP_FLAG_RST)) == TCP_FLAG_ACK;
}

/* Of a stray: is it the end of a handshake that a cookie began? */
LOOKED_AT_ONCE bool cookie_accept(struct xdp_md *ctx, const struct facts *facts,
				  struct nol_terms *terms)
{
	const struct nol_cookie *config = find_cookie_config();
	struct options_walk walk = {};
	struct cookie_proof proof;

	if (!facts || !terms)
		return false;
	if (!config || !config->newest || !may_complete(facts) || !facts->key.remote_port)
		return false;
	if (!cookie_is_valid(config, facts, &proof, terms) || !options_read(ctx, facts, &walk) ||
	    walk.is_signed)
		return false;
	return cookie_read_terms(config, facts, &proof, &walk.found, clock_coarse_ns(), terms);
}

#endif
