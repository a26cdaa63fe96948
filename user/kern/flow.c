/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The flow table from user space. States change through nol_flow_set only, see struct nol_flow. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kern_private.h"

#define FLOW_BATCH 256
#define FLOW_SET_ATTEMPTS 1000

static int flows_fd(const struct kern *kern)
{
	return bpf_map__fd(kern->skel->maps.nol_flows);
}

void kern_flow_key(const struct tuple *tuple, struct nol_flow_key *out)
{
	memcpy(out->local_addr, tuple->local.addr.bytes, sizeof(out->local_addr));
	memcpy(out->remote_addr, tuple->remote.addr.bytes, sizeof(out->remote_addr));
	out->local_port = tuple->local.port;
	out->remote_port = tuple->remote.port;
}

void kern_flow_tuple(const struct nol_flow_key *key, struct tuple *out)
{
	memcpy(out->local.addr.bytes, key->local_addr, sizeof(key->local_addr));
	memcpy(out->remote.addr.bytes, key->remote_addr, sizeof(key->remote_addr));
	out->local.port = key->local_port;
	out->remote.port = key->remote_port;
}

/* Of the flows that share its slot, see nol_flow_slot(). */
static void count_flow(struct kern *kern, const struct nol_flow_key *key, int by)
{
	__atomic_fetch_add(&kern->skel->bss->nol_flow_counts[nol_flow_slot(key)], by,
			   __ATOMIC_SEQ_CST);
}

int kern_flow_add(struct kern *kern, const struct tuple *tuple, const struct nol_flow *flow)
{
	struct nol_flow_key key;
	int err;

	kern_flow_key(tuple, &key);
	count_flow(kern, &key, 1);
	err = bpf_map_update_elem(flows_fd(kern), &key, flow, BPF_NOEXIST);
	if (err)
		count_flow(kern, &key, -1);
	return err;
}

static int run_change(struct kern *kern, const struct tuple *tuple, struct nol_flow_change *change)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = change, .ctx_size_in = sizeof(*change));
	int err;

	kern_flow_key(tuple, &change->key);
	err = bpf_prog_test_run_opts(bpf_program__fd(kern->skel->progs.nol_flow_set), &run);
	return err ? err : change->result;
}

/* *held: as in struct nol_flow_change. */
static int change_state(struct kern *kern, const struct tuple *tuple, enum nol_flow_state to,
			uint32_t *held)
{
	struct nol_flow_change change = {.to = to, .held = *held};
	const int err = run_change(kern, tuple, &change);

	*held = change.held;
	return err;
}

int kern_flow_change(struct kern *kern, const struct tuple *tuple, enum nol_flow_state to,
		     uint32_t held)
{
	return change_state(kern, tuple, to, &held);
}

int kern_flow_set(struct kern *kern, const struct tuple *tuple, enum nol_flow_state to)
{
	uint32_t held = 0;
	int err = -EAGAIN;

	for (int i = 0; i < FLOW_SET_ATTEMPTS && err == -EAGAIN; i++)
		err = change_state(kern, tuple, to, &held);
	return err;
}

int kern_flow_shut(struct kern *kern, const struct tuple *tuple, const struct nol_flow *flow)
{
	struct nol_flow_change change = {
		.to = flow->state,
		.held = flow->held,
		.shut = flow->shut,
	};

	return run_change(kern, tuple, &change);
}

int kern_flow_get(struct kern *kern, const struct tuple *tuple, struct nol_flow *out)
{
	struct nol_flow_key key;

	kern_flow_key(tuple, &key);
	return bpf_map_lookup_elem(flows_fd(kern), &key, out);
}

int kern_flow_remove(struct kern *kern, const struct tuple *tuple, struct nol_flow *out)
{
	struct nol_flow_key key;
	struct nol_flow last;
	int err;

	kern_flow_key(tuple, &key);
	err = bpf_map_lookup_and_delete_elem(flows_fd(kern), &key, &last);
	if (err)
		return err;
	count_flow(kern, &key, -1);
	if (out)
		*out = last;
	return 0;
}

static int forget_some(struct kern *kern, const struct tuple *tuples, uint32_t count)
{
	struct nol_flow_forget forget = {.count = count};
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = &forget, .ctx_size_in = sizeof(forget));

	for (uint32_t i = 0; i < count; i++)
		kern_flow_key(&tuples[i], &forget.keys[i]);
	return bpf_prog_test_run_opts(bpf_program__fd(kern->skel->progs.nol_flow_forget), &run);
}

int kern_flow_forget(struct kern *kern, const struct tuple *tuples, uint32_t count)
{
	uint32_t next = 0, some;
	int err = 0;

	for (; next < count && !err; next += some) {
		some = count - next < NOL_FORGET_MAX ? count - next : NOL_FORGET_MAX;
		err = forget_some(kern, tuples + next, some);
	}
	return err;
}

void kern_flow_lock(struct kern *kern)
{
	pthread_mutex_lock(&kern->flow_lock);
}

void kern_flow_unlock(struct kern *kern)
{
	pthread_mutex_unlock(&kern->flow_lock);
}

/* A buffer for one batch of the table; a hash bucket has to fit into it. */
struct batch {
	struct nol_flow_key *keys;
	struct nol_flow *flows;
	__u32 size; /* entries */
	__u32 count; /* of them filled */
	__u32 position; /* the kernel's, opaque */
	bool is_started;
};

static int batch_grow(struct batch *batch)
{
	__u32 size = batch->size ? batch->size * 2 : FLOW_BATCH;
	void *keys = reallocarray(batch->keys, size, sizeof(*batch->keys));
	void *flows;

	if (!keys)
		return -ENOMEM;
	batch->keys = keys;
	flows = reallocarray(batch->flows, size, sizeof(*batch->flows));
	if (!flows)
		return -ENOMEM;
	batch->flows = flows;
	batch->size = size;
	return 0;
}

/* -ENOENT: these were the last. */
static int batch_read(struct batch *batch, int fd)
{
	int err;

	do {
		batch->count = batch->size;
		err = bpf_map_lookup_batch(fd, batch->is_started ? &batch->position : NULL,
					   &batch->position, batch->keys, batch->flows,
					   &batch->count, NULL);
		if (err == -ENOSPC)
			err = batch_grow(batch) ?: -ENOSPC;
	} while (err == -ENOSPC);
	batch->is_started = true;
	return err;
}

int kern_flow_visit(struct kern *kern, kern_flow_fn fn, void *context)
{
	struct batch batch = {};
	bool is_wanted = true;
	int seen = 0, err;

	err = batch_grow(&batch);
	while (!err && is_wanted) {
		err = batch_read(&batch, flows_fd(kern));
		if (err && err != -ENOENT)
			break;
		for (__u32 i = 0; i < batch.count && is_wanted; i++, seen++)
			is_wanted = fn(context, &batch.keys[i], &batch.flows[i]);
	}
	free(batch.keys);
	free(batch.flows);
	return err && err != -ENOENT ? err : seen;
}
