/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whether this host can run it, found out by trying: version numbers say little on kernels with backports
 * and hardening. What needs a device is tried on the loopback of a network namespace of its own.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cap-ng.h>

#include "kern.h"
#include "probe.h"

#define PROBE_TCX_EGRESS 47 /* BPF_TCX_EGRESS */
#define PROBE_LOOPBACK 1 /* its index in every network namespace */
/* One queue tells of all namespaces; waited for in vain only where it is missing. */
#define PROBE_DESTROY_TIMEOUT_MS 10000

static bool has_capability(unsigned int capability)
{
	return capng_get_caps_process() == 0 && capng_have_capability(CAPNG_EFFECTIVE, capability);
}

static bool has_cap_net_admin(void)
{
	return has_capability(CAP_NET_ADMIN);
}

static bool has_cap_net_raw(void)
{
	return has_capability(CAP_NET_RAW);
}

static bool has_btf(void)
{
	return !access("/sys/kernel/btf/vmlinux", R_OK);
}

static bool has_ring_buffer(void)
{
	return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) == 1;
}

static bool has_xdp(void)
{
	return libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, NULL) == 1;
}

static bool has_socket_lookup(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_skc_lookup_tcp, NULL) == 1 &&
	       libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_skc_lookup_tcp, NULL) == 1;
}

static bool has_frame_copy(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_load_bytes, NULL) == 1 &&
	       libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_loop, NULL) == 1;
}

static int load_empty(enum bpf_prog_type type)
{
	const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(type, NULL, "Dual BSD/GPL", program,
			     sizeof(program) / sizeof(program[0]), NULL);
}

/* Root of a user namespace has the capabilities there, and is refused nevertheless: this type asks for both. */
static bool has_cap_bpf(void)
{
	int fd = -EPERM;

	if (has_capability(CAP_SYS_ADMIN) ||
	    (has_capability(CAP_BPF) && has_capability(CAP_PERFMON)))
		fd = load_empty(BPF_PROG_TYPE_TRACEPOINT);
	if (fd >= 0)
		close(fd);
	return fd != -EPERM;
}

#define NO_NAMESPACE 2

/*
 * A child, because it leaves the network namespace; everything goes with it. Who has not the right to make one, as in a
 * sandbox, has to believe the kernel's list of its functions.
 */
static bool can_link(enum bpf_prog_type type, enum bpf_attach_type where, uint32_t flags,
		     const char *function)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	int status;
	pid_t child = fork();

	if (child < 0)
		return false;
	if (child == 0) {
		int program;

		if (unshare(CLONE_NEWNET))
			_exit(NO_NAMESPACE);
		program = load_empty(type);
		_exit(program < 0 || bpf_link_create(program, PROBE_LOOPBACK, where, &options) < 0);
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return false;
	if (WEXITSTATUS(status) == NO_NAMESPACE)
		return libbpf_find_vmlinux_btf_id(function, BPF_TRACE_FENTRY) > 0;
	return !WEXITSTATUS(status);
}

static bool has_xdp_link(void)
{
	return can_link(BPF_PROG_TYPE_XDP, BPF_XDP, XDP_FLAGS_SKB_MODE, "bpf_xdp_link_attach");
}

bool probe_has_tcx(void)
{
	return can_link(BPF_PROG_TYPE_SCHED_CLS, (enum bpf_attach_type)PROBE_TCX_EGRESS, 0,
			"tcx_link_attach");
}

static bool has_tcp_repair(void)
{
	int on = TCP_REPAIR_ON, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_present;

	if (fd < 0)
		return false;
	is_present = !setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on));
	close(fd);
	return is_present;
}

/* The group can be joined on kernels that never tell it anything: close a socket and listen. */
static bool hears_destroy(int diag)
{
	struct pollfd poll_diag = {.fd = diag, .events = POLLIN};
	struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	int group = SKNLGRP_INET_TCP_DESTROY, fd;

	/* Port 0 is the kernel's: an unbound socket would count as the sender, and hear nothing. */
	if (bind(diag, (struct sockaddr *)&any, sizeof(any)) ||
	    setsockopt(diag, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		return false;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	close(fd);
	return poll(&poll_diag, 1, PROBE_DESTROY_TIMEOUT_MS) == 1;
}

static bool has_inet_diag_destroy(void)
{
	int diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	bool is_present;

	if (diag < 0)
		return false;
	is_present = hears_destroy(diag);
	close(diag);
	return is_present;
}

static bool has_netfilter(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool has_bpffs(void)
{
	struct statfs fs;

	return !statfs("/sys/fs/bpf", &fs) && fs.f_type == BPF_FS_MAGIC;
}

const struct feature feature_table[] = {
	{"CAP_BPF and CAP_PERFMON", "loading any program (or CAP_SYS_ADMIN, or root)", true,
	 has_cap_bpf},
	{"CAP_NET_ADMIN", "attaching, SO_MARK, TCP_REPAIR", true, has_cap_net_admin, true},
	{"CAP_NET_RAW", "sending segments", true, has_cap_net_raw, true},
	{"kernel BTF", "loading any program (CO-RE)", true, has_btf},
	{"BPF ring buffer", "held packets on their way to user space", true, has_ring_buffer},
	{"XDP", "holding packets", true, has_xdp},
	{"bpf_skc_lookup_tcp", "leaving to kernel sockets what is theirs", true, has_socket_lookup},
	{"bpf_xdp_load_bytes, bpf_loop", "copying held packets (Linux 5.18)", true, has_frame_copy},
	{"XDP link", "detaching when the process dies, however it dies", true, has_xdp_link},
	{"TCX", "the same for the guard; without it clsact, which fails open", false,
	 probe_has_tcx},
	{"TCP_REPAIR", "handing connections to kernel sockets", true, has_tcp_repair, true},
	{"inet_diag destroy events", "learning that a connection was closed", true,
	 has_inet_diag_destroy, true},
	{"tracepoint inet_sock_set_state",
	 "hearing of closed connections cheaply; without it sock_diag", false, kern_tells_closed},
	{"bpffs on /sys/fs/bpf", "pinned maps for bpftool; without it by name or id", false,
	 has_bpffs},
	{"nfnetlink", "methods nfqueue and filter", false, has_netfilter, .is_for_netfilter = true},
	{},
};

const struct feature *feature_first_missing(bool without_bpf)
{
	for (const struct feature *feature = feature_table; feature->name; feature++) {
		if (without_bpf && !feature->is_for_all)
			continue;
		if (feature->is_required && !feature->is_present())
			return feature;
	}
	return NULL;
}
