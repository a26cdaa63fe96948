/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* bpf_link_create() for TCX, libbpf's bpf_tc_* for clsact. */
#include "meet_attach.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kern_private.h"
#include "log.h"
#include "siphash.h"

/* BPF_TCX_INGRESS and BPF_TCX_EGRESS, which this libbpf has no name for. */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS ((enum bpf_attach_type)47)
#define FILTER_PRIORITY 2

static void close_links(struct meet_attachment *attachment)
{
	if (attachment->in_link_fd >= 0)
		close(attachment->in_link_fd);
	if (attachment->out_link_fd >= 0)
		close(attachment->out_link_fd);
	attachment->in_link_fd = attachment->out_link_fd = -1;
}

static int attach_tcx(struct meet_attachment *out, const struct meet_programs *programs)
{
	int err = 0;

	out->out_link_fd = bpf_link_create(programs->out_fd, out->ifindex, TCX_EGRESS, NULL);
	if (out->out_link_fd < 0)
		return out->out_link_fd;
	out->in_link_fd = bpf_link_create(programs->in_fd, out->ifindex, TCX_INGRESS, NULL);
	if (out->in_link_fd < 0) {
		err = out->in_link_fd;
		close_links(out);
	}
	return err;
}

static struct bpf_tc_hook hook_at(uint32_t ifindex, enum bpf_tc_attach_point point)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook), .ifindex = ifindex, .attach_point = point};
}

static int make_clsact(struct meet_attachment *attachment)
{
	struct bpf_tc_hook hook = hook_at(attachment->ifindex, BPF_TC_EGRESS);
	int err = bpf_tc_hook_create(&hook);

	attachment->has_made_clsact = !err;
	return err == -EEXIST ? 0 : err;
}

static int attach_filter(uint32_t ifindex, enum bpf_tc_attach_point point, uint32_t handle, int fd)
{
	struct bpf_tc_hook hook = hook_at(ifindex, point);
	/* What has this handle is what a killed process with the same 4-tuple left behind. */
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = handle, .priority = FILTER_PRIORITY,
		    .prog_fd = fd, .flags = BPF_TC_F_REPLACE);

	return bpf_tc_attach(&hook, &filter);
}

/* Left behind by a killed process: then the qdisc is ours to remove as well. */
static bool has_stale_filter(uint32_t ifindex, uint32_t handle)
{
	struct bpf_tc_hook hook = hook_at(ifindex, BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = handle, .priority = FILTER_PRIORITY);

	return !bpf_tc_query(&hook, &filter);
}

static void detach_filter(uint32_t ifindex, enum bpf_tc_attach_point point, uint32_t handle)
{
	struct bpf_tc_hook hook = hook_at(ifindex, point);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = handle, .priority = FILTER_PRIORITY);

	bpf_tc_detach(&hook, &filter);
}

static void detach_clsact(struct meet_attachment *attachment)
{
	const uint32_t ifindex = attachment->ifindex;
	struct bpf_tc_hook both = hook_at(ifindex, BPF_TC_INGRESS | BPF_TC_EGRESS);

	if (attachment->handle) {
		detach_filter(ifindex, BPF_TC_EGRESS, attachment->handle);
		detach_filter(ifindex, BPF_TC_INGRESS, attachment->handle);
	}
	attachment->handle = 0;
	if (attachment->has_made_clsact && clsact_is_empty(ifindex))
		bpf_tc_hook_destroy(&both);
	attachment->has_made_clsact = false;
}

static int attach_clsact(struct meet_attachment *out, const struct meet_programs *programs,
			 const struct tuple *tuple)
{
	static const uint8_t key[SIPHASH_KEY_SIZE];
	int err = make_clsact(out);

	if (err)
		return err;
	out->handle = (uint32_t)siphash_24(key, tuple, sizeof(*tuple)) | 1;
	if (has_stale_filter(out->ifindex, out->handle))
		out->has_made_clsact = true;
	err = attach_filter(out->ifindex, BPF_TC_EGRESS, out->handle, programs->out_fd);
	if (!err)
		err = attach_filter(out->ifindex, BPF_TC_INGRESS, out->handle, programs->in_fd);
	if (err)
		detach_clsact(out);
	return err;
}

int meet_attach(struct meet_attachment *out, uint32_t ifindex, const struct meet_programs *programs,
		const struct tuple *tuple)
{
	int err;

	out->ifindex = ifindex;
	err = attach_tcx(out, programs);
	if (!err || err == -EPERM || err == -ENODEV)
		return err;
	log_debug("no TCX (%s), trying clsact", strerror(-err));
	return attach_clsact(out, programs, tuple);
}

void meet_detach(struct meet_attachment *attachment)
{
	close_links(attachment);
	detach_clsact(attachment);
}
