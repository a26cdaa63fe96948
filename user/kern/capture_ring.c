/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ring of captured packets, which is there only while something is captured. */
#include <errno.h>
#include <stdlib.h>

#include "kern_private.h"

#define WAKE_SHARE 8 /* of the ring: nobody is woken for each packet of a flood */

struct capture_reader {
	struct ring_buffer *ring;

	/* During kern_capture_take() only. */
	kern_capture_fn fn;
	void *context;
	uint32_t left;
};

int capture_prepare(struct kern *kern)
{
	struct bpf_map *map = kern->skel->maps.nol_pcap;

	kern->skel->rodata->nol_captures = kern->options.captures;
	if (!kern->options.captures)
		return bpf_map__set_autocreate(map, false);
	kern->skel->rodata->nol_pcap_wake = kern->options.capture_size / WAKE_SHARE;
	return bpf_map__set_max_entries(map, kern->options.capture_size);
}

static int take_record(void *context, void *data, size_t size)
{
	struct capture_reader *reader = context;
	const struct nol_capture *capture = data;

	if (size >= sizeof(*capture) && capture->snap_len <= size - sizeof(*capture))
		reader->fn(reader->context, capture, (const uint8_t *)(capture + 1));
	/* A negative value ends the round after this record. */
	return --reader->left ? 0 : -ECANCELED;
}

int capture_open_ring(struct kern *kern)
{
	struct capture_reader *reader;

	if (!kern->options.captures)
		return 0;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	kern->captured = reader;
	reader->ring = ring_buffer__new(kern_capture_fd(kern), take_record, reader, NULL);
	return reader->ring ? 0 : -errno;
}

void capture_close_ring(struct kern *kern)
{
	if (kern->captured)
		ring_buffer__free(kern->captured->ring);
	free(kern->captured);
	kern->captured = NULL;
}

int kern_capture_fd(const struct kern *kern)
{
	return kern->options.captures ? bpf_map__fd(kern->skel->maps.nol_pcap) : -1;
}

int kern_capture_take(struct kern *kern, uint32_t max, kern_capture_fn fn, void *context)
{
	struct capture_reader *reader = kern->captured;
	int err;

	if (!reader || !max)
		return 0;
	reader->fn = fn;
	reader->context = context;
	reader->left = max;
	err = ring_buffer__consume(reader->ring);
	return err < 0 && err != -ECANCELED ? err : (int)(max - reader->left);
}
