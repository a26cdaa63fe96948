/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Loads meet.bpf.c for one 4-tuple. */
#include "meet_guard.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include <meet.skel.h>

#include "bpf_print.h"
#include "clock.h"
#include "log.h"
#include "meet_attach.h"

struct meet_guard {
	struct meet_bpf *skel;
	struct ring_buffer *ring;
	struct meet_attachment attachment;
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

static int load(struct meet_guard *guard, const struct tuple *tuple)
{
	struct meet_bpf *skel = guard->skel = meet_bpf__open();
	int err;

	if (!skel)
		return -errno;
	set_key(&skel->rodata->nol_meet_key, tuple);
	err = meet_bpf__load(skel);
	if (err)
		return err;
	guard->ring =
		ring_buffer__new(bpf_map__fd(skel->maps.nol_meet_frames), take_frame, guard, NULL);
	return guard->ring ? 0 : -errno;
}

static int attach(struct meet_guard *guard, uint32_t ifindex, const struct tuple *tuple)
{
	const struct meet_programs programs = {
		.in_fd = bpf_program__fd(guard->skel->progs.nol_meet_in),
		.out_fd = bpf_program__fd(guard->skel->progs.nol_meet_out),
	};

	meet_guard_beat(guard);
	return meet_attach(&guard->attachment, ifindex, &programs, tuple);
}

int meet_guard_new(struct meet_guard **out, uint32_t ifindex, const struct tuple *tuple,
		   meet_frame_fn fn, void *context)
{
	struct meet_guard *guard = calloc(1, sizeof(*guard));
	char ifname[IF_NAMESIZE] = "?";
	int err;

	if (!guard)
		return -ENOMEM;
	guard->attachment = MEET_NOT_ATTACHED;
	guard->fn = fn;
	guard->context = context;
	bpf_print_as_debug();
	err = load(guard, tuple);
	if (!err)
		err = attach(guard, ifindex, tuple);
	if (err) {
		if_indextoname(ifindex, ifname);
		log_error("%s: cannot set up the guard: %s", ifname, bpf_error_text(err));
		meet_guard_free(guard);
		return err;
	}
	*out = guard;
	return 0;
}

void meet_guard_free(struct meet_guard *guard)
{
	if (!guard)
		return;
	meet_detach(&guard->attachment);
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
