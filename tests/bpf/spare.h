/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The programs of one test serve the next: the verifier takes a tenth of a second to look at them, a second under
 * emulation. What a test has left in their maps is cleared; programs that a test has attached or pinned are not kept.
 */
#ifndef NOLISTEN_TESTS_SPARE_H
#define NOLISTEN_TESTS_SPARE_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kern.h"
#include "kern_private.h"

static struct kern *spare;

static inline void spare_close(void)
{
	kern_close(spare);
	spare = NULL;
}

static inline bool spare_has(const struct kern_options *options)
{
	struct kern_options wanted = *options;

	if (!spare || strcmp(spare->ifname, options->ifname))
		return false;
	wanted.ifname = spare->options.ifname;
	wanted.workers = options->workers ?: 1;
	return !memcmp(&wanted, &spare->options, sizeof(wanted));
}

/* As kern_open(). */
static inline int spare_open(struct kern **out, const struct kern_options *options,
			     struct load_failure *failure)
{
	if (!spare_has(options))
		return kern_open(out, options, failure);
	*out = spare;
	spare = NULL;
	return 0;
}

static inline void spare_delete_entries(const struct bpf_map *map)
{
	uint8_t key[64];

	while (!bpf_map_get_next_key(bpf_map__fd(map), NULL, key))
		if (bpf_map_delete_elem(bpf_map__fd(map), key))
			break;
}

static inline void spare_ignore(void *context, const struct nol_record *record,
				const uint8_t *bytes)
{
	(void)context;
	(void)record;
	(void)bytes;
}

static inline void spare_ignore_copy(void *context, const struct nol_capture *capture,
				     const uint8_t *frame)
{
	(void)context;
	(void)capture;
	(void)frame;
}

static inline void spare_clear_stats(struct kern *kern)
{
	void *zeros = calloc(libbpf_num_possible_cpus(), sizeof(struct nol_stats));
	const __u32 first = 0;

	if (zeros)
		bpf_map_update_elem(bpf_map__fd(kern->skel->maps.nol_stats), &first, zeros,
				    BPF_ANY);
	free(zeros);
}

/* Some tests cut it off. */
static inline void spare_link_general(struct kern *kern)
{
	const int fd = bpf_program__fd(kern->skel->progs.nol_xdp_general);
	const __u32 first = 0;

	bpf_map_update_elem(bpf_map__fd(kern->skel->maps.nol_general), &first, &fd, BPF_ANY);
}

/* No cookie has been used. */
static inline void spare_forget_cookies(struct kern *kern)
{
	const size_t size = NOL_USED_PLACES * sizeof(__u64);
	void *places = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_map__fd(kern->skel->maps.nol_used), 0);

	if (places == MAP_FAILED)
		return;
	memset(places, 0, size);
	munmap(places, size);
}

/* As right after kern_open(). */
static inline void spare_clear(struct kern *kern)
{
	for (uint32_t i = 0; i < kern->options.workers; i++)
		while (kern_ring_consume(kern_ring(kern, i), 100, spare_ignore, NULL) > 0)
			;
	while (kern_capture_take(kern, 100, spare_ignore_copy, NULL) > 0)
		;
	spare_delete_entries(kern->skel->maps.nol_flows);
	spare_delete_entries(kern->skel->maps.nol_backs);
	spare_forget_cookies(kern);
	spare_delete_entries(kern->skel->maps.nol_answered);
	spare_delete_entries(kern->skel->maps.nol_routes);
	spare_delete_entries(kern->skel->maps.nol_endpoints);
	spare_clear_stats(kern);
	spare_link_general(kern);
	memset(kern->skel->bss, 0, sizeof(*kern->skel->bss));
	memset(kern->cookie, 0, sizeof(*kern->cookie));
	memset(kern->config, 0, sizeof(*kern->config));
	kern->config->ifindex = kern->options.ifindex;
}

static inline bool spare_was_attached(const struct kern *kern)
{
	return kern->xdp_link_fd >= 0 || kern->tcx_link_fd >= 0 || kern->clsact_handle ||
	       kern->is_pinned || kern->closed;
}

/* As kern_close(). */
static inline void spare_keep(struct kern *kern)
{
	static bool is_registered;

	if (!kern || spare_was_attached(kern)) {
		kern_close(kern);
		return;
	}
	if (!is_registered)
		is_registered = !atexit(spare_close);
	spare_close();
	spare_clear(kern);
	spare = kern;
}

#endif
