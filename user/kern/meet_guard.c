/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Loads meet.bpf.c for one 4-tuple. */
#include "meet_guard.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include <meet.skel.h>

#include "clock.h"
#include "load_failure.h"
#include "log.h"
#include "pair_attach.h"
#include "siphash.h"

struct meet_guard {
	struct meet_bpf *skel;
	struct ring_buffer *ring;
	struct pair_attachment attachment;
	meet_frame_fn fn;
	void *context;
};

static int take_frame(void *context, void *data, size_t size)
{
	const struct meet_guard *guard = context;
	const struct nol_meet_frame *frame = data;

	if (size >= sizeof(*frame) && frame->len <= NOL_MEET_FRAME_MAX)
		guard->fn(guard->context, frame);
	return 0;
}

static void set_key(struct nol_flow_key *key, const struct tuple *tuple)
{
	memcpy(key->local_addr, tuple->local.addr.bytes, sizeof(key->local_addr));
	memcpy(key->remote_addr, tuple->remote.addr.bytes, sizeof(key->remote_addr));
	key->local_port = tuple->local.port;
	key->remote_port = tuple->remote.port;
}

static int load_object(struct meet_guard *guard, const struct tuple *tuple)
{
	struct meet_bpf *skel = guard->skel = meet_bpf__open();

	if (!skel)
		return -errno;
	set_key(&skel->rodata->nol_meet_key, tuple);
	return meet_bpf__load(skel);
}

static int load(struct meet_guard *guard, const struct tuple *tuple, struct load_failure *failure)
{
	int err;

	load_log_begin(failure);
	err = load_log_end(load_object(guard, tuple));
	if (err)
		return err;
	guard->ring = ring_buffer__new(bpf_map__fd(guard->skel->maps.nol_meet_frames), take_frame,
				       guard, NULL);
	return guard->ring ? 0 : load_failure_set(failure, -errno, "map the ring buffer");
}

static int attach(struct meet_guard *guard, uint32_t ifindex, const struct tuple *tuple)
{
	static const uint8_t key[SIPHASH_KEY_SIZE];
	const uint32_t handle = (uint32_t)siphash_24(key, tuple, sizeof(*tuple)) | 1;
	const struct pair_programs programs = {
		.in_fd = bpf_program__fd(guard->skel->progs.nol_meet_in),
		.out_fd = bpf_program__fd(guard->skel->progs.nol_meet_out),
	};

	meet_guard_beat(guard);
	return pair_attach(&guard->attachment, ifindex, &programs, handle & ~PAIR_OWN, false,
			   PAIR_AUTO);
}

static void log_failure(uint32_t ifindex, const char *why)
{
	char ifname[IF_NAMESIZE] = "?";

	if_indextoname(ifindex, ifname);
	log_error("%s: cannot set up the guard: %s", ifname, why);
}

int meet_guard_new(struct meet_guard **out, uint32_t ifindex, const struct tuple *tuple,
		   meet_frame_fn fn, void *context)
{
	struct meet_guard *guard = calloc(1, sizeof(*guard));
	struct load_failure failure;
	char why[LOAD_TEXT_SIZE];
	int err;

	if (!guard)
		return -ENOMEM;
	guard->attachment = PAIR_NOT_ATTACHED;
	guard->fn = fn;
	guard->context = context;
	err = load(guard, tuple, &failure);
	if (err) {
		load_failure_format(&failure, why);
		log_failure(ifindex, why);
		load_failure_log(&failure);
	} else {
		err = attach(guard, ifindex, tuple);
		if (err)
			log_failure(ifindex, load_error_text(err));
	}
	if (err)
		meet_guard_free(guard);
	else
		*out = guard;
	return err;
}

int meet_guard_probe(struct load_failure *failure)
{
	struct meet_guard guard = {.attachment = PAIR_NOT_ATTACHED};
	const struct tuple any = {0};
	int err = load(&guard, &any, failure);

	ring_buffer__free(guard.ring);
	meet_bpf__destroy(guard.skel);
	return err;
}

void meet_guard_free(struct meet_guard *guard)
{
	if (!guard)
		return;
	pair_detach(&guard->attachment);
	ring_buffer__free(guard->ring);
	meet_bpf__destroy(guard->skel);
	free(guard);
}

void meet_guard_beat(struct meet_guard *guard)
{
	guard->skel->bss->nol_meet_control.heartbeat_ns = clock_monotonic_ns();
}

void meet_guard_set_phase(struct meet_guard *guard, enum nol_meet_phase phase)
{
	guard->skel->bss->nol_meet_control.phase = phase;
}

void meet_guard_read_seen(const struct meet_guard *guard, struct nol_meet_seen *out)
{
	*out = guard->skel->bss->nol_meet_seen;
}

int meet_guard_fd(const struct meet_guard *guard)
{
	return ring_buffer__epoll_fd(guard->ring);
}

int meet_guard_read(struct meet_guard *guard)
{
	int count = ring_buffer__consume(guard->ring);

	return count < 0 ? count : 0;
}
