/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which cookies have made a connection already: a duplicate of the segment that brought one, or of the data behind it, may come
 * when that connection is over, and must not begin it again. A place for each hash, the newest has it: enough for
 * the connections of minutes on most hosts, of seconds where there are tens of thousands a second.
 */
#ifndef NOLISTEN_BPF_USED_H
#define NOLISTEN_BPF_USED_H

#include "facts.h"
#include "ring.h"
#include "stats.h"

/* Both sequence numbers are the connection's own. Zero, which no place means, is none in practice. */
static __always_inline __u64 used_mark_of(__u32 seq, __u32 ack)
{
	return (__u64)seq << 32 | ack;
}

static __always_inline __u64 used_mark(const struct facts *facts)
{
	return used_mark_of(facts->seq, facts->ack);
}

/* Of what has been found to bring a cookie. */
static __always_inline __u64 used_mark_by(const struct facts *facts, const struct nol_terms *terms)
{
	const __u32 seq = terms->options & NOL_TERM_PROBE ? facts->seq + 1 : facts->seq;

	return used_mark_of(seq, facts->ack);
}

static __always_inline __u64 *used_place(const struct nol_flow_key *key)
{
	__u32 index = flow_hash(key) & (NOL_USED_PLACES - 1);

	return bpf_map_lookup_elem(&nol_used, &index);
}

static __always_inline bool is_used(const struct facts *facts, __u64 mark)
{
	const __u64 *place = used_place(&facts->key);

	return place && *(const volatile __u64 *)place == mark;
}

/* Counted if so. */
static __always_inline bool was_used(const struct facts *facts, __u64 mark)
{
	if (!is_used(facts, mark))
		return false;
	count(cookie_used);
	return true;
}

/*
 * Sockets that are being made, by the hash of their cookie: what belongs to one may come on another processor before it can be
 * found, as data does that is sent right behind the ACK. Microseconds as a rule, more if the processor has been taken away.
 */
#define MAKING_SPIN_NS 100000
#define MAKING_MAX_NS 10000000

struct nol_making nol_making[NOL_MAKING_PLACES];

static __always_inline volatile struct nol_making *making_place(const struct nol_flow_key *key)
{
	return &nol_making[flow_hash(key) & (NOL_MAKING_PLACES - 1)];
}

/* How long it has been, or anything above MAKING_MAX_NS: it is not being made. */
static __always_inline __u64 find_making(const struct facts *facts, __u64 now_ns)
{
	const volatile struct nol_making *making = making_place(&facts->key);
	__s64 since_ns = now_ns - making->since_ns;

	if (making->mark != used_mark(facts))
		return MAKING_MAX_NS + 1;
	return since_ns > 0 ? since_ns : 0;
}

/* false: another processor was first, and makes the socket. */
static __always_inline bool claim_cookie(const struct facts *facts, __u64 now_ns)
{
	volatile struct nol_making *making = making_place(&facts->key);
	const __u64 mark = used_mark(facts);
	__u64 *place = used_place(&facts->key);

	if (!place)
		return true;
	making->since_ns = now_ns;
	making->mark = mark;
	/* Whoever writes it first. */
	return __sync_lock_test_and_set(place, mark) != mark;
}

/* There is no socket: what was dropped on the way to one comes again. */
static __always_inline void give_cookie_back(const struct facts *facts)
{
	__u64 *place = used_place(&facts->key);

	if (place)
		*(volatile __u64 *)place = 0;
}

/* Once there is a socket. */
static __always_inline void use_cookie(const struct nol_flow_key *key, __u64 mark)
{
	__u64 *place = used_place(key);

	if (place && mark)
		*(volatile __u64 *)place = mark;
}

#endif
