/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Egress: TCX, a link that dies with the process, where the kernel has it; else a filter on clsact, which
 * outlives a killed process, fails open meanwhile, and is replaced by the next start.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kern_private.h"
#include "log.h"

#define TC_TCX_EGRESS 47 /* BPF_TCX_EGRESS, which this libbpf has no name for */
#define TC_HANDLE 0x6e6f6c
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

static bool has_stale_filter(struct bpf_tc_hook *hook)
{
	LIBBPF_OPTS(bpf_tc_opts, query, .handle = TC_HANDLE, .priority = TC_PRIORITY);
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	char name[BPF_OBJ_NAME_LEN];
	int err = bpf_tc_query(hook, &query);

	libbpf_set_print(print);
	if (err)
		return false;
	program_name(query.prog_id, name);
	return !strcmp(name, "nol_tc_egress");
}

static void remove_clsact(struct kern *kern)
{
	struct bpf_tc_hook hook = hook_of(kern);

	if (!kern->has_made_clsact || !clsact_is_empty(kern->options.ifindex))
		return;
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	bpf_tc_hook_destroy(&hook);
	kern->has_made_clsact = false;
}

static int attach_clsact(struct kern *kern)
{
	struct bpf_tc_hook hook = hook_of(kern);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = TC_HANDLE, .priority = TC_PRIORITY,
		    .prog_fd = bpf_program__fd(kern->skel->progs.nol_tc_egress));
	int err = make_clsact(&hook, &kern->has_made_clsact);

	if (err)
		return err;
	if (has_stale_filter(&hook)) {
		log_debug("%s: replacing the filter of a process that was killed", kern->ifname);
		filter.flags = BPF_TC_F_REPLACE;
	}
	err = bpf_tc_attach(&hook, &filter);
	if (err)
		remove_clsact(kern);
	kern->is_on_clsact = !err;
	return err;
}

int tc_attach(struct kern *kern)
{
	int err = -EOPNOTSUPP;

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

static void detach_clsact(struct kern *kern)
{
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = TC_HANDLE, .priority = TC_PRIORITY);
	struct bpf_tc_hook hook = hook_of(kern);
	int err;

	if (!kern->is_on_clsact)
		return;
	err = bpf_tc_detach(&hook, &filter);
	if (err && err != -ENODEV)
		log_warning("%s: cannot detach from tc egress: %s", kern->ifname, strerror(-err));
	kern->is_on_clsact = false;
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

const char *kern_tc_mode_text(const struct kern *kern)
{
	return kern->is_on_clsact ? "clsact" : "tcx";
}
