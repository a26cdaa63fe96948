/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which worker a flow belongs to, its ring, and whether it wants to be woken. */
#ifndef NOLISTEN_BPF_RING_H
#define NOLISTEN_BPF_RING_H

#include "maps.h"
#include "verifier.h"

struct ring {
	__u32 worker;
	void *map;
};

static __always_inline __u32 last_word(const __u8 addr[16])
{
	__u32 word;

	__builtin_memcpy(&word, addr + 12, sizeof(word));
	return word;
}

static __always_inline __u32 mix(__u32 hash, __u32 word)
{
	hash = (hash ^ word) * 0x9e3779b1u;
	return hash ^ hash >> 15;
}

/* Every bit of it depends on all others: neighbouring ports are no neighbours here. The constants are MurmurHash3's. */
static __always_inline __u32 finish(__u32 hash)
{
	hash = (hash ^ hash >> 16) * 0x85ebca6bu;
	hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
	return hash ^ hash >> 16;
}

/*
 * The same for every packet of a flow, and all that user space needs: its order is kept within a ring only. The last
 * words of the addresses and the ports are what differs between flows.
 */
static __always_inline __u32 flow_hash(const struct nol_flow_key *key)
{
	__u32 hash = mix(nol_worker_seed, last_word(key->remote_addr));

	hash = mix(hash, last_word(key->local_addr));
	hash = mix(hash, (__u32)key->remote_port << 16 | key->local_port);
	return finish(hash);
}

static __always_inline __u32 worker_of(const struct nol_flow_key *key)
{
	/* Without a division. */
	return ((flow_hash(key) >> 16) * nol_workers >> 16) & (NOL_WORKERS_MAX - 1);
}

/* map is NULL if there is no ring, which does not happen. */
static __always_inline struct ring ring_of(const struct nol_flow_key *key)
{
	struct ring ring = {};

	if (nol_workers == 1) {
		ring.map = &nol_events;
		return ring;
	}
	ring.worker = worker_of(key);
	ring.map = bpf_map_lookup_elem(&nol_rings, &ring.worker);
	return ring;
}

#define RECORD_FRAME_MIN 40 /* the headers of IP and TCP have been seen */

/* Of a class of sizes; *frame_len is in its bounds for the verifier from there on. */
#define RESERVE(ring, frame_len, class)                                                   \
	({                                                                                \
		*(frame_len) = bounded(*(frame_len), RECORD_FRAME_MIN, class);            \
		bpf_ringbuf_reserve((ring)->map, sizeof(struct nol_record) + (class), 0); \
	})

/* The ring gives constant sizes only, so a frame goes into the smallest class that takes it. */
static __always_inline struct nol_record *reserve_record(const struct ring *ring, __u64 *frame_len)
{
	if (!ring->map)
		return NULL;
	if (*frame_len <= 128)
		return RESERVE(ring, frame_len, 128);
	if (*frame_len <= 512)
		return RESERVE(ring, frame_len, 512);
	if (*frame_len <= 2048)
		return RESERVE(ring, frame_len, 2048);
	if (*frame_len <= 16384)
		return RESERVE(ring, frame_len, 16384);
	return RESERVE(ring, frame_len, NOL_RECORD_SNAP_MAX);
}

/*
 * Nobody needs waking while user space polls. It may stop polling between our look at `spinning` and the
 * commit of the record; it then looks at the ring once more before it sleeps, as we look at `spinning` once
 * more after the commit: one of the two sees the other. An empty record is how to wake without one.
 */
static __always_inline __u64 wakeup_flags(const struct ring *ring, const struct nol_config *config)
{
	/* Masked here as well, for the verifier: ring->worker has been in memory. */
	const __u32 worker = ring->worker & (NOL_WORKERS_MAX - 1);

	return *(volatile const __u8 *)&config->spinning[worker] ? BPF_RB_NO_WAKEUP : 0;
}

static __always_inline void wake(void *map)
{
	void *empty = bpf_ringbuf_reserve(map, 8, 0);

	if (empty)
		bpf_ringbuf_discard(empty, BPF_RB_FORCE_WAKEUP);
}

static __always_inline void wake_if_missed(const struct ring *ring, const struct nol_config *config,
					   __u64 flags)
{
	if (flags && !wakeup_flags(ring, config) && ring->map)
		wake(ring->map);
}

#endif
