/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Load, attach and read the programs. */
#include "resets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "log.h"
#include "tracepoints.h"

#include "resets.skel.h"

struct resets {
	struct resets_bpf *skel;
	struct ring_buffer *ring;
	bool has_reasons;
	reset_fn fn; /* during resets_consume() */
	void *context;
};

static int pass_record(void *context, void *data, size_t size)
{
	const struct resets *resets = context;

	if (size >= sizeof(struct nol_reset))
		resets->fn(resets->context, data);
	return 0;
}

static bool knows_reasons(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	const bool knows =
		kernel && btf__find_by_name_kind(kernel, "sk_rst_reason", BTF_KIND_ENUM) >= 0;

	btf__free(kernel);
	return knows;
}

static int load_object(struct resets *resets, const struct trace_options *options)
{
	struct resets_bpf *skel = resets->skel = resets_bpf__open();
	int err;

	if (!skel)
		return -errno;
	err = tracepoints_prepare(skel->obj);
	if (!err)
		err = tracepoints_netns(&skel->rodata->trace_netns_inum);
	if (err)
		return err;
	skel->rodata->trace_ifindex = options->ifindex;
	skel->rodata->trace_port = options->port;
	skel->rodata->trace_has_remote = options->remote;
	if (options->remote)
		memcpy((void *)skel->rodata->trace_remote, options->remote->bytes, 16);
	return resets_bpf__load(skel);
}

int resets_probe(struct load_failure *failure)
{
	static const struct addr remote;
	const struct trace_options options = {.port = 1, .remote = &remote};
	struct resets resets = {0};
	int err;

	load_log_begin(failure);
	err = load_log_end(load_object(&resets, &options));
	resets_bpf__destroy(resets.skel);
	return err;
}

static int load(struct resets *resets, const struct trace_options *options)
{
	struct load_failure failure;
	char why[LOAD_TEXT_SIZE];
	int err;

	load_log_begin(&failure);
	err = load_log_end(load_object(resets, options));
	if (err) {
		load_failure_format(&failure, why);
		log_error("cannot load the trace programs: %s", why);
		load_failure_log(&failure);
	} else {
		tracepoints_tell_missing(resets->skel->obj);
	}
	return err;
}

static int attach(struct resets *resets)
{
	int err = resets_bpf__attach(resets->skel);

	if (err) {
		log_error("cannot attach to the tracepoints: %s", strerror(-err));
		return err;
	}
	resets->ring = ring_buffer__new(bpf_map__fd(resets->skel->maps.nol_resets), pass_record,
					resets, NULL);
	if (!resets->ring) {
		err = -errno;
		log_error("cannot map the ring of records: %s", strerror(-err));
	}
	return err;
}

int resets_open(struct resets **out, const struct trace_options *options)
{
	struct resets *resets = calloc(1, sizeof(*resets));
	int err;

	if (!resets)
		return -ENOMEM;
	err = load(resets, options);
	if (!err)
		err = attach(resets);
	resets->has_reasons = knows_reasons();
	if (err)
		resets_close(resets);
	else
		*out = resets;
	return err;
}

void resets_close(struct resets *resets)
{
	if (!resets)
		return;
	ring_buffer__free(resets->ring);
	resets_bpf__destroy(resets->skel);
	free(resets);
}

bool resets_has_reasons(const struct resets *resets)
{
	return resets->has_reasons;
}

int resets_fd(const struct resets *resets)
{
	return ring_buffer__epoll_fd(resets->ring);
}

int resets_consume(struct resets *resets, reset_fn fn, void *context)
{
	resets->fn = fn;
	resets->context = context;
	return ring_buffer__consume(resets->ring);
}

void resets_counters_read(const struct resets *resets, struct nol_trace_counters *out)
{
	*out = resets->skel->bss->trace_counters;
}
