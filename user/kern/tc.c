/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Egress: TCX, a link that dies with the process, where the kernel has it; else a filter on clsact, which
 * outlives a killed process, fails open meanwhile, and is removed by the next start.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kern_private.h"
#include "log.h"
#include "plan.h"
#include "probe.h"

#define TC_TCX_EGRESS 47 /* BPF_TCX_EGRESS, which this libbpf has no name for */
/* The filter remembers whose qdisc it is on: it goes with the qdisc, and outlives a process that was killed. */
#define TC_HANDLE_GUEST 0x6e6f6c /* the qdisc was there before */
#define TC_HANDLE_OWN 0x6e6f6d /* we have made it, and remove it once nothing else is on it */
#define TC_PRIORITY 1

static int attach_tcx(struct kern *kern)
{
	int fd = bpf_link_create(bpf_program__fd(kern->skel->progs.nol_tc_egress),
				 kern->options.ifindex, (enum bpf_attach_type)TC_TCX_EGRESS, NULL);

	if (fd < 0)
		return fd;
	kern->tcx_link_fd = fd;
	return 0;
}

static struct bpf_tc_hook hook_of(const struct kern *kern)
{
	return (struct bpf_tc_hook){
		.sz = sizeof(struct bpf_tc_hook),
		.ifindex = kern->options.ifindex,
		.attach_point = BPF_TC_EGRESS,
	};
}

/* libbpf reports "already there" and "not there" as errors of the kernel. */
static int make_clsact(struct bpf_tc_hook *hook, bool *is_new)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	int err = bpf_tc_hook_create(hook);

	libbpf_set_print(print);
	*is_new = !err;
	return err == -EEXIST ? 0 : err;
}

static bool has_our_filter(const struct kern *kern, uint32_t handle)
{
	LIBBPF_OPTS(bpf_tc_opts, query, .handle = handle, .priority = TC_PRIORITY);
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	struct bpf_tc_hook hook = hook_of(kern);
	char name[BPF_OBJ_NAME_LEN];
	int err = bpf_tc_query(&hook, &query);

	libbpf_set_print(print);
	if (err)
		return false;
	/* To know its name takes CAP_SYS_ADMIN. */
	if (kern->kept && kern->kept->egress_id == query.prog_id)
		return true;
	program_name(query.prog_id, name);
	return !strcmp(name, "nol_tc_egress");
}

/* The last loader's, which goes on until ours is there. 0: none. */
static uint32_t kept_filter(const struct kern *kern)
{
	if (!kern->kept || kern->options.tc_mode == KERN_TC_TCX)
		return 0;
	if (has_our_filter(kern, TC_HANDLE_OWN))
		return TC_HANDLE_OWN;
	return has_our_filter(kern, TC_HANDLE_GUEST) ? TC_HANDLE_GUEST : 0;
}

static int remove_filter(const struct kern *kern, uint32_t handle)
{
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = handle, .priority = TC_PRIORITY);
	struct bpf_tc_hook hook = hook_of(kern);
	int err = bpf_tc_detach(&hook, &filter);

	if (err && err != -ENODEV)
		log_warning("%s: cannot detach from tc egress: %s", kern->ifname, strerror(-err));
	return err;
}

static void remove_clsact(const struct kern *kern)
{
	struct bpf_tc_hook hook = hook_of(kern);

	if (!clsact_is_empty(kern->options.ifindex))
		return;
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	bpf_tc_hook_destroy(&hook);
}

/* What a killed process has left behind. It guards nothing any more: its heartbeat has stopped. */
bool tc_sweep(const struct kern *kern)
{
	static const uint32_t handles[] = {TC_HANDLE_OWN, TC_HANDLE_GUEST};
	bool has_found = false;

	for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++) {
		if (!has_our_filter(kern, handles[i]))
			continue;
		log_debug("%s: removing the filter of a process that was killed", kern->ifname);
		if (!remove_filter(kern, handles[i]) && handles[i] == TC_HANDLE_OWN)
			remove_clsact(kern);
		has_found = true;
	}
	return has_found;
}

static int attach_clsact(struct kern *kern)
{
	struct bpf_tc_hook hook = hook_of(kern);
	LIBBPF_OPTS(bpf_tc_opts, filter, .priority = TC_PRIORITY,
		    .prog_fd = bpf_program__fd(kern->skel->progs.nol_tc_egress));
	bool is_new;
	int err = make_clsact(&hook, &is_new);

	if (err)
		return err;
	filter.handle = is_new ? TC_HANDLE_OWN : TC_HANDLE_GUEST;
	err = bpf_tc_attach(&hook, &filter);
	if (!err)
		kern->clsact_handle = filter.handle;
	else if (is_new)
		remove_clsact(kern);
	return err;
}

static int replace_filter(struct kern *kern, uint32_t handle)
{
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = handle, .priority = TC_PRIORITY,
		    .prog_fd = bpf_program__fd(kern->skel->progs.nol_tc_egress),
		    .flags = BPF_TC_F_REPLACE);
	struct bpf_tc_hook hook = hook_of(kern);
	int err = bpf_tc_attach(&hook, &filter);

	if (!err)
		kern->clsact_handle = handle;
	return err;
}

/* What the last loader has left; -ENOENT: nothing that is as it was asked for. */
static int take_over(struct kern *kern)
{
	const uint32_t handle = kept_filter(kern);
	int fd = -ENOENT;

	if (kern->options.tc_mode != KERN_TC_CLSACT)
		fd = keep_adopt(kern, KEPT_EGRESS, kern->skel->progs.nol_tc_egress);
	if (fd < 0) {
		keep_drop(kern, KEPT_EGRESS);
		return handle ? replace_filter(kern, handle) : -ENOENT;
	}
	kern->tcx_link_fd = fd;
	return 0;
}

int tc_attach(struct kern *kern)
{
	int err = -EOPNOTSUPP;

	if (!take_over(kern))
		return 0;
	tc_sweep(kern);
	if (kern->options.tc_mode != KERN_TC_CLSACT)
		err = attach_tcx(kern);
	if (err && kern->options.tc_mode == KERN_TC_AUTO)
		log_debug("%s: no TCX (%s), trying clsact", kern->ifname, strerror(-err));
	if (err && kern->options.tc_mode != KERN_TC_TCX)
		err = attach_clsact(kern);
	if (err)
		log_error("%s: cannot attach to tc egress: %s", kern->ifname, strerror(-err));
	return err;
}

int tc_plan(const struct kern *kern, struct kern_plan *out)
{
	const bool has_tcx = kern->options.tc_mode != KERN_TC_CLSACT && probe_has_tcx();

	out->has_leftover =
		has_our_filter(kern, TC_HANDLE_OWN) || has_our_filter(kern, TC_HANDLE_GUEST);
	out->tc = has_tcx ? "tcx" : "clsact";
	if (has_tcx || kern->options.tc_mode != KERN_TC_TCX)
		return 0;
	log_error("%s: cannot attach to tc egress: %s", kern->ifname, strerror(EINVAL));
	return -EINVAL;
}

static void detach_clsact(struct kern *kern)
{
	const uint32_t handle = kern->clsact_handle;

	if (!handle)
		return;
	kern->clsact_handle = 0;
	if (!remove_filter(kern, handle) && handle == TC_HANDLE_OWN)
		remove_clsact(kern);
}

void tc_detach(struct kern *kern)
{
	detach_clsact(kern);
	if (kern->tcx_link_fd < 0)
		return;
	bpf_link_detach(kern->tcx_link_fd);
	close(kern->tcx_link_fd);
	kern->tcx_link_fd = -1;
}

bool tc_is_replaced(const struct kern *kern)
{
	LIBBPF_OPTS(bpf_tc_opts, query, .handle = kern->clsact_handle, .priority = TC_PRIORITY);
	const int fd = bpf_program__fd(kern->skel->progs.nol_tc_egress);
	libbpf_print_fn_t print;
	struct bpf_tc_hook hook = hook_of(kern);
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);
	int err;

	if (!kern->clsact_handle || bpf_obj_get_info_by_fd(fd, &info, &len))
		return false;
	print = libbpf_set_print(NULL); /* that there is none is no failure of libbpf's */
	err = bpf_tc_query(&hook, &query);
	libbpf_set_print(print);
	return err == -ENOENT || err == -EINVAL || (!err && query.prog_id != info.id);
}

const char *kern_tc_mode_text(const struct kern *kern)
{
	return kern->clsact_handle ? "clsact" : "tcx";
}
