/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What somebody would try who has got into a process of ours. Each gives 0, or the errno with which it failed. */
#ifndef NOLISTEN_TRESPASS_H
#define NOLISTEN_TRESPASS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static inline int trespass_result(long result)
{
	return result < 0 ? errno : 0;
}

static inline int trespass_bpf(int command, union bpf_attr *attr)
{
	return trespass_result(syscall(SYS_bpf, command, attr, sizeof(*attr)));
}

/* A socket filter, which is what users without any privilege may load where the host lets them. */
static inline int trespass_load_program(void)
{
	const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (uintptr_t)program,
		.insn_cnt = 2,
		.license = (uintptr_t) "GPL",
	};

	return trespass_bpf(BPF_PROG_LOAD, &attr);
}

static inline int trespass_make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 1,
	};

	return trespass_bpf(BPF_MAP_CREATE, &attr);
}

static inline int trespass_open_pin(const char *path)
{
	union bpf_attr attr = {.pathname = (uintptr_t)path};

	return trespass_bpf(BPF_OBJ_GET, &attr);
}

static inline int trespass_open(const char *path)
{
	return trespass_result(open(path, O_RDONLY | O_CLOEXEC));
}

static inline int trespass_read_memory(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	return trespass_open(path);
}

static inline int trespass_trace(pid_t pid)
{
	return trespass_result(ptrace(PTRACE_SEIZE, pid, NULL, NULL));
}

static inline int trespass_raw_socket(void)
{
	return trespass_result(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP));
}

static inline int trespass_packet_socket(void)
{
	return trespass_result(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

/* Bits that a filter sees and the kernel does not. */
#define TRESPASS_HIGH (1ull << 32)

static inline int trespass_crypto_socket(uint64_t high)
{
	return trespass_result(
		syscall(SYS_socket, AF_ALG | high, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

/* Of no terminal: what the filter lets gives ENOTTY. */
static inline int trespass_type(int fd, uint64_t high)
{
	return trespass_result(syscall(SYS_ioctl, fd, TIOCSTI | high, "x"));
}

/* In it one would have every capability. */
static inline int trespass_user_namespace(void)
{
	return trespass_result(unshare(CLONE_NEWUSER));
}

static inline int trespass_become_root(void)
{
	return trespass_result(setresuid(0, 0, 0));
}

#endif
