/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two buffers: one is filled while the other is written. */
#include "capture_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 8
#define ETHERNET_LEN 14
#define ADDRESSES_LEN 12

/* In a buffer; the frame is behind it. */
struct entry {
	struct captured packet;
	size_t len; /* of both, aligned */
};

struct buffer {
	uint8_t *bytes;
	size_t len, count;
};

struct capture_queue {
	pthread_mutex_t lock;
	size_t size;
	struct buffer filled, written;
	struct entry **order; /* the reader's */
};

static size_t most_entries(const struct capture_queue *queue)
{
	return queue->size / sizeof(struct entry);
}

int capture_queue_new(struct capture_queue **out, size_t size)
{
	struct capture_queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return -ENOMEM;
	pthread_mutex_init(&queue->lock, NULL);
	queue->size = size;
	queue->filled.bytes = malloc(size);
	queue->written.bytes = malloc(size);
	queue->order = malloc(most_entries(queue) * sizeof(struct entry *));
	if (!queue->filled.bytes || !queue->written.bytes || !queue->order) {
		capture_queue_free(queue);
		return -ENOMEM;
	}
	*out = queue;
	return 0;
}

void capture_queue_free(struct capture_queue *queue)
{
	if (!queue)
		return;
	free(queue->filled.bytes);
	free(queue->written.bytes);
	free(queue->order);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

/* The link header that a frame of an Ethernet device has lost, or never had. */
static void write_link(uint8_t *out, const struct captured *packet)
{
	const bool is_v6 = packet->snap_len && packet->frame[0] >> 4 == 6;

	if (packet->addresses)
		memcpy(out, packet->addresses, ADDRESSES_LEN);
	else
		memset(out, 0, ADDRESSES_LEN);
	memcpy(out + ADDRESSES_LEN, is_v6 ? "\x86\xdd" : "\x08\x00", 2);
}

static void fill(struct entry *entry, const struct captured *packet, size_t link_len, size_t len)
{
	uint8_t *frame = (uint8_t *)(entry + 1);

	entry->packet = *packet;
	entry->len = len;
	entry->packet.frame = NULL;
	entry->packet.addresses = NULL;
	if (link_len)
		write_link(frame, packet);
	memcpy(frame + link_len, packet->frame, packet->snap_len);
	entry->packet.snap_len += (uint32_t)link_len;
	entry->packet.frame_len += (uint32_t)link_len;
}

bool capture_queue_add(struct capture_queue *queue, const struct captured *packet, bool *is_half)
{
	const size_t link_len = packet->is_l3 ? ETHERNET_LEN : 0;
	const size_t wanted = sizeof(struct entry) + link_len + packet->snap_len;
	const size_t len = (wanted + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	struct buffer *buffer = &queue->filled;
	bool has_room;

	pthread_mutex_lock(&queue->lock);
	has_room = len <= queue->size - buffer->len;
	*is_half = false;
	if (has_room) {
		fill((struct entry *)(buffer->bytes + buffer->len), packet, link_len, len);
		*is_half = buffer->len < queue->size / 2 && buffer->len + len >= queue->size / 2;
		buffer->len += len;
		buffer->count++;
	}
	pthread_mutex_unlock(&queue->lock);
	return has_room;
}

bool capture_queue_has_room(struct capture_queue *queue)
{
	bool has_room;

	pthread_mutex_lock(&queue->lock);
	has_room = queue->filled.len < queue->size / 2;
	pthread_mutex_unlock(&queue->lock);
	return has_room;
}

static int compare(const void *a, const void *b)
{
	const struct entry *const *first = a, *const *second = b;
	const uint64_t first_ns = (*first)->packet.taken_ns, second_ns = (*second)->packet.taken_ns;

	if (first_ns == second_ns)
		return *first < *second ? -1 : 1;
	return first_ns < second_ns ? -1 : 1;
}

/* The buffer that was filled until now; the other one is filled from here on. */
static struct buffer swap_buffers(struct capture_queue *queue)
{
	struct buffer full;

	pthread_mutex_lock(&queue->lock);
	full = queue->filled;
	queue->filled = (struct buffer){.bytes = queue->written.bytes};
	pthread_mutex_unlock(&queue->lock);
	queue->written = (struct buffer){.bytes = full.bytes};
	return full;
}

static void sort(struct capture_queue *queue, const struct buffer *full)
{
	size_t at = 0;

	for (size_t i = 0; i < full->count; i++) {
		struct entry *entry = (struct entry *)(full->bytes + at);

		entry->packet.frame = (const uint8_t *)(entry + 1);
		queue->order[i] = entry;
		at += entry->len;
	}
	qsort(queue->order, full->count, sizeof(queue->order[0]), compare);
}

/* False: those that came meanwhile have left no room. */
static bool put_back(struct capture_queue *queue, const struct entry *entry)
{
	struct buffer *buffer = &queue->filled;
	bool has_room;

	pthread_mutex_lock(&queue->lock);
	has_room = entry->len <= queue->size - buffer->len;
	if (has_room) {
		memcpy(buffer->bytes + buffer->len, entry, entry->len);
		buffer->len += entry->len;
		buffer->count++;
	}
	pthread_mutex_unlock(&queue->lock);
	return has_room;
}

void capture_queue_take(struct capture_queue *queue, uint64_t until_ns, capture_queue_fn fn,
			void *context)
{
	const struct buffer full = swap_buffers(queue);
	const bool is_crowded = full.len >= queue->size / 2;

	sort(queue, &full);
	for (size_t i = 0; i < full.count; i++) {
		const struct entry *entry = queue->order[i];
		const bool is_due = entry->packet.taken_ns <= until_ns || is_crowded;

		if (is_due || !put_back(queue, entry))
			fn(context, &entry->packet);
	}
}
