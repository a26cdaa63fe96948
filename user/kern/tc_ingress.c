/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Method accept: a program at TC ingress, by TCX alone, since a kernel that has the function that it needs (6.9) has that as
 * well; and where the listeners are that it gives connections to.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kern_private.h"
#include "log.h"

#define TC_TCX_INGRESS 46 /* BPF_TCX_INGRESS, which this libbpf has no name for */

bool kern_can_accept(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	const bool can =
		btf && btf__find_by_name_kind(btf, "bpf_sk_assign_tcp_reqsk", BTF_KIND_FUNC) > 0;

	btf__free(btf);
	return can;
}

int tc_ingress_attach(struct kern *kern)
{
	int fd;

	if (!kern->options.accepts) {
		keep_drop(kern, KEPT_INGRESS);
		return 0;
	}
	fd = keep_adopt(kern, KEPT_INGRESS, kern->skel->progs.nol_tc_ingress);
	if (fd < 0)
		fd = bpf_link_create(bpf_program__fd(kern->skel->progs.nol_tc_ingress),
				     kern->options.ifindex, (enum bpf_attach_type)TC_TCX_INGRESS,
				     NULL);
	if (fd < 0) {
		log_error("%s: cannot attach to tc ingress: %s", kern->ifname, strerror(-fd));
		return fd;
	}
	kern->tc_ingress_fd = fd;
	return 0;
}

void tc_ingress_detach(struct kern *kern)
{
	if (kern->tc_ingress_fd < 0)
		return;
	bpf_link_detach(kern->tc_ingress_fd);
	close(kern->tc_ingress_fd);
	kern->tc_ingress_fd = -1;
}

void kern_set_parent(struct kern *kern, uint32_t worker, const struct endpoint *at)
{
	struct nol_parent *parent = &kern->skel->bss->nol_parents[worker];

	/* Another at the same address takes the place of the last one in one step. */
	if (at && parent->port && parent->is_ipv4 == addr_is_v4(&at->addr) &&
	    !memcmp(parent->addr, at->addr.bytes, sizeof(parent->addr))) {
		__atomic_store_n(&parent->port, at->port, __ATOMIC_RELEASE);
		return;
	}
	__atomic_store_n(&parent->port, 0, __ATOMIC_RELEASE);
	if (!at)
		return;
	memcpy(parent->addr, at->addr.bytes, sizeof(parent->addr));
	parent->is_ipv4 = addr_is_v4(&at->addr);
	__atomic_store_n(&parent->port, at->port, __ATOMIC_RELEASE);
}

bool kern_get_parent(const struct kern *kern, uint32_t worker, struct endpoint *out)
{
	const struct nol_parent *parent = &kern->skel->bss->nol_parents[worker];

	memcpy(out->addr.bytes, parent->addr, sizeof(parent->addr));
	out->port = parent->port;
	return parent->port;
}
