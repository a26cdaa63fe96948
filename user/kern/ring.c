/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A ring for each worker. libbpf's ring_buffer is one thread's, so each has its own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kern_private.h"

struct kern_ring {
	int map_fd; /* ours, but for that of nol_events */
	struct ring_buffer *buffer;

	/* During kern_ring_consume() only. */
	kern_record_fn fn;
	void *context;
	uint32_t left;
} __attribute__((aligned(64))); /* no cache line of another thread */

static int take_record(void *context, void *data, size_t size)
{
	const struct nol_record *record = data;
	struct kern_ring *ring = context;

	if (size >= sizeof(*record) && record->snap_len <= size - sizeof(*record))
		ring->fn(ring->context, record, (const uint8_t *)(record + 1));
	/* A negative value ends the round after this record. */
	return --ring->left ? 0 : -ECANCELED;
}

static int make_ring(const struct kern *kern, uint32_t worker)
{
	char name[BPF_OBJ_NAME_LEN];

	if (!worker)
		return bpf_map__fd(kern->skel->maps.nol_events);
	snprintf(name, sizeof(name), "nol_events_%u", (uint8_t)worker);
	return bpf_map_create(BPF_MAP_TYPE_RINGBUF, name, 0, 0, kern->options.ring_size, NULL);
}

static int open_ring(struct kern *kern, uint32_t worker)
{
	struct kern_ring *ring = &kern->rings[worker];
	int err;

	ring->map_fd = make_ring(kern, worker);
	if (ring->map_fd < 0)
		return ring->map_fd;
	err = bpf_map_update_elem(bpf_map__fd(kern->skel->maps.nol_rings), &worker, &ring->map_fd,
				  BPF_ANY);
	if (err)
		return err;
	ring->buffer = ring_buffer__new(ring->map_fd, take_record, ring, NULL);
	return ring->buffer ? 0 : -errno;
}

int rings_open(struct kern *kern)
{
	const uint32_t count = kern->options.workers;
	int err = 0;

	kern->rings = aligned_alloc(64, count * sizeof(*kern->rings));
	if (!kern->rings)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		kern->rings[i] = (struct kern_ring){.map_fd = -1};
	for (uint32_t i = 0; i < count && !err; i++)
		err = open_ring(kern, i);
	return err;
}

void rings_close(struct kern *kern)
{
	for (uint32_t i = 0; kern->rings && i < kern->options.workers; i++) {
		ring_buffer__free(kern->rings[i].buffer);
		if (i && kern->rings[i].map_fd >= 0)
			close(kern->rings[i].map_fd);
	}
	free(kern->rings);
	kern->rings = NULL;
}

struct kern_ring *kern_ring(struct kern *kern, uint32_t worker)
{
	return &kern->rings[worker];
}

int kern_ring_fd(const struct kern_ring *ring)
{
	return ring->map_fd;
}

int kern_ring_consume(struct kern_ring *ring, uint32_t max, kern_record_fn fn, void *context)
{
	int err;

	if (max == 0)
		return 0;
	ring->fn = fn;
	ring->context = context;
	ring->left = max;
	err = ring_buffer__consume(ring->buffer);
	return err < 0 && err != -ECANCELED ? err : (int)(max - ring->left);
}
