/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Load, attach and read the trace programs. */
#include "trace.h"

#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "log.h"
#include "tracepoints.h"

#include "trace.skel.h"

#define NAMES_MAX 64 /* maps of one program */

struct trace {
	struct trace_bpf *skel;
	struct ring_buffer *ring;
	enum trace_xdp xdp;
	bool has_loader;
	trace_step_fn fn; /* during trace_consume() */
	void *context;
};

static int pass_step(void *context, void *data, size_t size)
{
	const struct trace *trace = context;

	if (size >= sizeof(struct nol_step))
		trace->fn(trace->context, data);
	return 0;
}

/* A descriptor of the program's map of that name, or -errno. */
static int find_own_map(int prog_fd, const char *name)
{
	__u32 ids[NAMES_MAX];
	struct bpf_prog_info program = {
		.map_ids = (uintptr_t)ids,
		.nr_map_ids = NAMES_MAX,
	};
	__u32 size = sizeof(program);

	if (bpf_obj_get_info_by_fd(prog_fd, &program, &size))
		return -errno;
	for (__u32 i = 0; i < program.nr_map_ids && i < NAMES_MAX; i++) {
		struct bpf_map_info map = {0};
		int fd = bpf_map_get_fd_by_id(ids[i]);

		size = sizeof(map);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &size) && !strcmp(map.name, name))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -ENOENT;
}

/* The loader's program goes on in a second one, which has the maps that the first does without. */
static int open_general(int prog_fd)
{
	const int map_fd = find_own_map(prog_fd, "nol_general");
	const __u32 first = 0;
	__u32 id;
	int err;

	if (map_fd < 0)
		return map_fd;
	err = bpf_map_lookup_elem(map_fd, &first, &id) ? -errno : 0;
	close(map_fd);
	return err ?: bpf_prog_get_fd_by_id(id);
}

/* The same of either program. */
static int find_map(int prog_fd, const char *name)
{
	int fd = find_own_map(prog_fd, name);
	int general_fd;

	if (fd != -ENOENT)
		return fd;
	general_fd = open_general(prog_fd);
	if (general_fd < 0)
		return -ENOENT;
	fd = find_own_map(general_fd, name);
	close(general_fd);
	return fd;
}

/* 0 if there is none. */
static uint32_t find_replay_tag(int prog_fd)
{
	struct nol_config config = {0};
	const __u32 zero = 0;
	int fd = find_map(prog_fd, "nol_config");

	if (fd < 0)
		return 0;
	if (bpf_map_lookup_elem(fd, &zero, &config))
		config.replay_tag = 0;
	close(fd);
	return config.replay_tag;
}

/* Which XDP program is there, and how near to the wire; *prog_fd is -1 if there is none. */
static void look_at_xdp(struct trace *trace, uint32_t ifindex, int *prog_fd)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	__u32 id;

	*prog_fd = -1;
	if (bpf_xdp_query((int)ifindex, 0, &query))
		return;
	id = query.skb_prog_id ? query.skb_prog_id : query.drv_prog_id;
	if (query.drv_prog_id || query.hw_prog_id)
		trace->xdp = TRACE_XDP_NATIVE;
	else if (query.skb_prog_id)
		trace->xdp = TRACE_XDP_GENERIC;
	if (id)
		*prog_fd = bpf_prog_get_fd_by_id(id);
}

/* Look at the flow table of a running loader, so that a step knows the flow's state at its instant. */
static int borrow_flows(struct trace *trace, uint32_t ifindex)
{
	int prog_fd, map_fd, err = 0;

	look_at_xdp(trace, ifindex, &prog_fd);
	if (prog_fd < 0)
		return 0;
	map_fd = find_map(prog_fd, "nol_flows");
	trace->skel->rodata->trace_replay_tag = find_replay_tag(prog_fd);
	close(prog_fd);
	if (map_fd < 0)
		return 0;
	err = bpf_map__reuse_fd(trace->skel->maps.nol_flows, map_fd);
	close(map_fd);
	trace->has_loader = !err;
	trace->skel->rodata->trace_has_flows = !err;
	return err;
}

static int set_options(struct trace_bpf *skel, const struct trace_options *options)
{
	int err = tracepoints_netns(&skel->rodata->trace_netns_inum);

	skel->rodata->trace_ifindex = options->ifindex;
	skel->rodata->trace_port = options->port;
	skel->rodata->trace_has_remote = options->remote;
	if (options->remote)
		memcpy((void *)skel->rodata->trace_remote, options->remote->bytes, 16);
	return err;
}

static int prepare(struct trace *trace)
{
	trace->skel = trace_bpf__open();
	return trace->skel ? tracepoints_prepare(trace->skel->obj) : -errno;
}

static int load_object(struct trace *trace, const struct trace_options *options)
{
	int err = prepare(trace);

	if (!err)
		err = set_options(trace->skel, options);
	if (!err)
		err = borrow_flows(trace, options->ifindex);
	return err ?: trace_bpf__load(trace->skel);
}

static int load(struct trace *trace, const struct trace_options *options)
{
	struct load_failure failure;
	char why[LOAD_TEXT_SIZE];
	int err;

	load_log_begin(&failure);
	err = load_log_end(load_object(trace, options));
	if (err) {
		load_failure_format(&failure, why);
		log_error("cannot load the trace programs: %s", why);
		load_failure_log(&failure);
	} else {
		tracepoints_tell_missing(trace->skel->obj);
	}
	return err;
}

/* With everything that an option or a running loader adds to the programs. */
static int load_most(struct trace *trace)
{
	static const struct addr remote;
	const struct trace_options options = {.port = 1, .remote = &remote};
	int err = prepare(trace);

	if (!err)
		err = set_options(trace->skel, &options);
	if (err)
		return err;
	trace->skel->rodata->trace_has_flows = true;
	trace->skel->rodata->trace_replay_tag = 1;
	return trace_bpf__load(trace->skel);
}

int trace_probe(struct load_failure *failure)
{
	struct trace trace = {0};
	int err;

	load_log_begin(failure);
	err = load_log_end(load_most(&trace));
	trace_bpf__destroy(trace.skel);
	return err;
}

static int attach(struct trace *trace)
{
	int err = trace_bpf__attach(trace->skel);

	if (err) {
		log_error("cannot attach to the tracepoints: %s", strerror(-err));
		return err;
	}
	trace->ring =
		ring_buffer__new(bpf_map__fd(trace->skel->maps.nol_steps), pass_step, trace, NULL);
	if (!trace->ring) {
		err = -errno;
		log_error("cannot map the ring of steps: %s", strerror(-err));
	}
	return err;
}

int trace_open(struct trace **out, const struct trace_options *options)
{
	struct trace *trace = calloc(1, sizeof(*trace));
	int err;

	if (!trace)
		return -ENOMEM;
	err = load(trace, options);
	if (!err)
		err = attach(trace);
	if (err)
		trace_close(trace);
	else
		*out = trace;
	return err;
}

void trace_close(struct trace *trace)
{
	if (!trace)
		return;
	ring_buffer__free(trace->ring);
	trace_bpf__destroy(trace->skel);
	free(trace);
}

enum trace_xdp trace_xdp(const struct trace *trace)
{
	return trace->xdp;
}

bool trace_has_loader(const struct trace *trace)
{
	return trace->has_loader;
}

int trace_fd(const struct trace *trace)
{
	return ring_buffer__epoll_fd(trace->ring);
}

int trace_consume(struct trace *trace, trace_step_fn fn, void *context)
{
	trace->fn = fn;
	trace->context = context;
	return ring_buffer__consume(trace->ring);
}

void trace_counters_read(const struct trace *trace, struct nol_trace_counters *out)
{
	*out = trace->skel->bss->trace_counters;
}
