/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* bpf_link_create() for TCX, libbpf's bpf_tc_* for clsact. */
#include "pair_attach.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "clock.h"
#include "kern_private.h"
#include "log.h"

/* BPF_TCX_INGRESS and BPF_TCX_EGRESS, which this libbpf has no name for. */
#define TCX_INGRESS ((enum bpf_attach_type)46)
#define TCX_EGRESS ((enum bpf_attach_type)47)
#define FILTER_PRIORITY 2

/* Anybody may lock a namespace, so nobody waits for ever. */
#define LOCK_NS (5 * CLOCK_NS_PER_S)
#define LOCK_PAUSE_NS (CLOCK_NS_PER_S / 200)

int pair_lock(void)
{
	const uint64_t end_ns = clock_monotonic_ns() + LOCK_NS;
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
		const uint64_t now_ns = clock_monotonic_ns();

		if (errno != EWOULDBLOCK || now_ns > end_ns) {
			close(fd);
			return -1;
		}
		clock_sleep_until(now_ns + LOCK_PAUSE_NS);
	}
	return fd;
}

static void close_links(struct pair_attachment *attachment)
{
	if (attachment->in_link_fd >= 0)
		close(attachment->in_link_fd);
	if (attachment->out_link_fd >= 0)
		close(attachment->out_link_fd);
	attachment->in_link_fd = attachment->out_link_fd = -1;
}

static int attach_tcx(struct pair_attachment *out, const struct pair_programs *programs)
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

static int make_clsact(struct pair_attachment *attachment)
{
	struct bpf_tc_hook hook = hook_at(attachment->ifindex, BPF_TC_EGRESS);
	int err = bpf_tc_hook_create(&hook);

	if (!err)
		attachment->owns_clsact = true;
	return err == -EEXIST ? 0 : err;
}

static int attach_filter(uint32_t ifindex, enum bpf_tc_attach_point point, uint32_t handle, int fd)
{
	struct bpf_tc_hook hook = hook_at(ifindex, point);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = handle, .priority = FILTER_PRIORITY,
		    .prog_fd = fd);

	return bpf_tc_attach(&hook, &filter);
}

static uint32_t query_filter(uint32_t ifindex, uint32_t handle)
{
	struct bpf_tc_hook hook = hook_at(ifindex, BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = handle, .priority = FILTER_PRIORITY);
	libbpf_print_fn_t print = libbpf_set_print(NULL); /* that there is none is no failure */
	int err = bpf_tc_query(&hook, &filter);

	libbpf_set_print(print);
	return err ? 0 : filter.prog_id;
}

static void detach_filter(uint32_t ifindex, enum bpf_tc_attach_point point, uint32_t handle)
{
	struct bpf_tc_hook hook = hook_at(ifindex, point);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = handle, .priority = FILTER_PRIORITY);

	bpf_tc_detach(&hook, &filter);
}

static void detach_filters(uint32_t ifindex, uint32_t handle)
{
	detach_filter(ifindex, BPF_TC_EGRESS, handle);
	detach_filter(ifindex, BPF_TC_INGRESS, handle);
}

uint32_t pair_find(uint32_t ifindex, uint32_t handle, bool *is_own)
{
	uint32_t id = query_filter(ifindex, handle | PAIR_OWN);

	*is_own = id;
	return id ? id : query_filter(ifindex, handle & ~PAIR_OWN);
}

bool pair_remove(uint32_t ifindex, uint32_t handle)
{
	bool is_own;

	if (!pair_find(ifindex, handle, &is_own))
		return false;
	detach_filters(ifindex, is_own ? handle | PAIR_OWN : handle & ~PAIR_OWN);
	return is_own;
}

static void detach_clsact(struct pair_attachment *attachment)
{
	const uint32_t ifindex = attachment->ifindex;
	struct bpf_tc_hook both = hook_at(ifindex, BPF_TC_INGRESS | BPF_TC_EGRESS);

	if (attachment->handle)
		detach_filters(ifindex, attachment->handle);
	attachment->handle = 0;
	if (attachment->owns_clsact && clsact_is_empty(ifindex))
		bpf_tc_hook_destroy(&both);
	attachment->owns_clsact = false;
}

static int attach_clsact(struct pair_attachment *out, const struct pair_programs *programs,
			 uint32_t handle, bool owns_clsact)
{
	int err;

	out->owns_clsact = pair_remove(out->ifindex, handle) || owns_clsact;
	err = make_clsact(out);
	if (err)
		return err;
	out->handle = out->owns_clsact ? handle | PAIR_OWN : handle & ~PAIR_OWN;
	err = attach_filter(out->ifindex, BPF_TC_EGRESS, out->handle, programs->out_fd);
	if (err == -EEXIST)
		out->handle = 0; /* another's */
	if (!err)
		err = attach_filter(out->ifindex, BPF_TC_INGRESS, out->handle, programs->in_fd);
	if (err)
		detach_clsact(out);
	return err;
}

int pair_attach(struct pair_attachment *out, uint32_t ifindex, const struct pair_programs *programs,
		uint32_t handle, bool owns_clsact, enum pair_mode mode)
{
	int err = -EOPNOTSUPP;

	out->ifindex = ifindex;
	out->owns_clsact = owns_clsact;
	if (mode == PAIR_AUTO)
		err = attach_tcx(out, programs);
	if (!err)
		return 0;
	if (err == -EPERM || err == -ENODEV) {
		out->owns_clsact = false;
		return err;
	}
	log_debug("no TCX (%s), trying clsact", strerror(-err));
	return attach_clsact(out, programs, handle, owns_clsact);
}

void pair_detach(struct pair_attachment *attachment)
{
	close_links(attachment);
	detach_clsact(attachment);
}
