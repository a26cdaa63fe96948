/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SYN cookies, see struct nol_cookie. The hash is over 4-tuple and the remote's ISN, keyed by slot and MSS class, so that a
 * cookie is worth something to nobody else, for no other connection, and for two minutes at most.
 */
#ifndef NOLISTEN_BPF_COOKIE_H
#define NOLISTEN_BPF_COOKIE_H

#include "options.h"
#include "siphash.h"
#include "stats.h"

#define COOKIE_END_V6 0xee /* SipHash's own other end, that of its 128-bit form */
#define COOKIE_DEFAULT_MSS_V4 536
#define COOKIE_DEFAULT_MSS_V6 1220

/*
 * An MSS is rounded down to one of these: the defaults of RFC 9293 (3.7.1), the common link sizes less tunnels,
 * Ethernet, jumbo frames, loopback.
 */
const __u16 nol_mss_v4[NOL_COOKIE_CLASSES] = {536, 1220, 1360, 1400, 1440, 1460, 8960, 65495};
const __u16 nol_mss_v6[NOL_COOKIE_CLASSES] = {1220, 1280, 1360, 1380, 1420, 1440, 8940, 65476};

static __always_inline const struct nol_cookie *find_cookie_config(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&nol_cookie, &zero);
}

static __always_inline __u16 cookie_class_mss(__u32 class, bool is_ipv4)
{
	class &= NOL_COOKIE_CLASSES - 1;
	return is_ipv4 ? nol_mss_v4[class] : nol_mss_v6[class];
}

/* The MSS that a SYN means (RFC 9293, 3.7.1). */
static __always_inline __u16 effective_mss(const struct options *options, bool is_ipv4)
{
	if (options->mss)
		return options->mss;
	return is_ipv4 ? COOKIE_DEFAULT_MSS_V4 : COOKIE_DEFAULT_MSS_V6;
}

/* False: the MSS is smaller than any class. */
static __always_inline bool cookie_find_class(__u16 mss, bool is_ipv4, __u32 *class)
{
	for (__u32 i = NOL_COOKIE_CLASSES; i-- > 0;) {
		if (mss < cookie_class_mss(i, is_ipv4))
			continue;
		*class = i;
		return true;
	}
	return false;
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

/*
 * Remote and local address, remote and local port, ISN: whole words, and always as many of them in a family. So the
 * last word of SipHash, which tells messages of different lengths apart, is left out, which is two rounds less; the
 * families end differently instead.
 */
static __always_inline __u32 cookie_hash(const struct nol_cookie *config, const struct facts *facts,
					 __u32 isn, __u32 slot, __u32 class)
{
	const struct nol_flow_key *key = &facts->key;
	struct siphash s;

	siphash_start(
		&s, config->keys[slot & (NOL_COOKIE_SLOTS - 1)][class & (NOL_COOKIE_CLASSES - 1)]);
	hash_addresses(&s, facts);
	siphash_add(&s, key->remote_port | (__u64)key->local_port << 16 | (__u64)isn << 32);
	return (__u32)siphash_end(&s, facts->is_ipv4 ? SIPHASH_END : COOKIE_END_V6)
	       << NOL_COOKIE_HASH_SHIFT;
}

static __always_inline __u32 cookie_make(const struct nol_cookie *config, const struct facts *facts,
					 __u32 class)
{
	__u32 slot = config->slot;

	return cookie_hash(config, facts, facts->seq, slot, class) | class << NOL_COOKIE_SLOT_BITS |
	       (slot & (NOL_COOKIE_SLOTS - 1));
}

/* Our TSval: never later than our clock, so that the hand-off can go on from the clock. */
static __always_inline __u32 cookie_tsval(const struct nol_cookie *config, __u64 now_ns,
					  const struct options *options)
{
	__u32 clock = (__u32)(now_ns >> NOL_COOKIE_TS_SHIFT) + config->ts_offset;
	__u32 bits = options->has & NOL_OFFER_WSCALE ? options->wscale : NOL_COOKIE_TS_WSCALE;
	__u32 tsval;

	if (options->has & NOL_OFFER_SACK)
		bits |= NOL_COOKIE_TS_SACK;
	tsval = (clock & ~NOL_COOKIE_TS_BITS) | bits;
	return tsval > clock ? tsval - (NOL_COOKIE_TS_BITS + 1) : tsval;
}

/* A remote that echoes no TSval of ours has agreed to the MSS alone. */
static __always_inline void read_terms(const struct options *options, struct nol_terms *terms)
{
	__u32 tsecr = options->tsecr;

	if (!(options->has & NOL_OFFER_TIMESTAMPS) || !tsecr)
		return;
	terms->options = NOL_TERM_TIMESTAMPS;
	if (tsecr & NOL_COOKIE_TS_SACK)
		terms->options |= NOL_TERM_SACK;
	if ((tsecr & NOL_COOKIE_TS_WSCALE) == NOL_COOKIE_TS_WSCALE)
		return;
	terms->options |= NOL_TERM_WSCALE;
	terms->wscale = tsecr & NOL_COOKIE_TS_WSCALE;
}

/* Does this segment acknowledge a cookie of ours, for the ISN before its own first byte? */
static __always_inline bool cookie_is_valid(const struct nol_cookie *config,
					    const struct facts *facts)
{
	__u32 iss = facts->ack - 1, newest = config->newest;
	__u32 age = (newest - iss) & (NOL_COOKIE_SLOTS - 1);
	__u32 class = iss >> NOL_COOKIE_SLOT_BITS & (NOL_COOKIE_CLASSES - 1);
	__u32 hash = cookie_hash(config, facts, facts->seq - 1, newest - age, class);

	if (iss >> NOL_COOKIE_HASH_SHIFT != hash >> NOL_COOKIE_HASH_SHIFT) {
		count(cookie_forged);
		return false;
	}
	if (age > 1) {
		count(cookie_expired);
		return false;
	}
	return true;
}

/* The flags of a segment that can end a handshake: ACK, perhaps FIN. */
static __always_inline bool may_complete(const struct facts *facts)
{
	return (facts->flags & (TCP_FLAG_ACK | TCP_FLAG_SYN | TCP_FLAG_RST)) == TCP_FLAG_ACK;
}

/* Of a stray: is it the end of a handshake that a cookie began? */
static __always_inline bool cookie_accept(struct xdp_md *ctx, const struct facts *facts,
					  struct nol_terms *terms)
{
	const struct nol_cookie *config = find_cookie_config();
	struct options_walk walk = {};

	if (!config || !config->newest || !may_complete(facts) || !facts->key.remote_port)
		return false;
	if (!cookie_is_valid(config, facts) || !options_read(ctx, facts, &walk))
		return false;
	terms->mss = cookie_class_mss((facts->ack - 1) >> NOL_COOKIE_SLOT_BITS, facts->is_ipv4);
	terms->ts_offset = config->ts_offset;
	read_terms(&walk.found, terms);
	return true;
}

#endif
