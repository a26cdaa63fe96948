/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* By hand: libseccomp knows of no descriptors to put in, which the supervisor needs anyway, and the filter is this short. */
#include "filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "which architecture has seccomp to expect?"
#endif

/* From Linux 5.19: once a call is being looked at, only a fatal signal interrupts it. Go signals itself all the time. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* The lower half, which is where an int is. */
#define LOAD_ARGUMENT(i) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (i))
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define SKIP_UNLESS(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count)
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
#define ASK RETURN(SECCOMP_RET_USER_NOTIF)
#define PASS RETURN(SECCOMP_RET_ALLOW)
#define FAIL(error) RETURN(SECCOMP_RET_ERRNO | (error))
#define ASK_ABOUT(call) SKIP_UNLESS(__NR_##call, 1), ASK

/* Most unix sockets are excluded by the length of their address. */
#define CONNECT                                         \
	SKIP_UNLESS(__NR_connect, 4), LOAD_ARGUMENT(2), \
		SKIP_UNLESS(sizeof(struct sockaddr_un), 1), PASS, ASK

#define SOCKET                                                                                    \
	SKIP_UNLESS(__NR_socket, 8), LOAD_ARGUMENT(2),                                            \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_MPTCP, 1, 0), PASS, LOAD_ARGUMENT(0), \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0), SKIP_UNLESS(AF_INET6, 1),     \
		FAIL(EPROTONOSUPPORT), PASS

/* IPV6_V6ONLY is what hiding a socket changes. */
#define GETSOCKOPT                                                                       \
	SKIP_UNLESS(__NR_getsockopt, 6), LOAD_ARGUMENT(1), SKIP_UNLESS(IPPROTO_IPV6, 3), \
		LOAD_ARGUMENT(2), SKIP_UNLESS(IPV6_V6ONLY, 1), ASK, PASS

#define ALWAYS                                                                                   \
	LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCHITECTURE, 1, 0), PASS, LOAD(nr), \
		ASK_ABOUT(bind), ASK_ABOUT(listen), ASK_ABOUT(getsockname), CONNECT, GETSOCKOPT, \
		SOCKET, SKIP_UNLESS(__NR_io_uring_setup, 1), FAIL(ENOSYS)

static const struct sock_filter with_accept[] = {
	ALWAYS,
	ASK_ABOUT(accept4),
	ASK_ABOUT(accept),
	PASS,
};

static const struct sock_filter without_accept[] = {ALWAYS, PASS};

static int install(const struct sock_fprog *program, unsigned long flags)
{
	const long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);

	return fd < 0 ? -errno : (int)fd;
}

int filter_install(bool asks_accept)
{
	const unsigned long flags =
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	const struct sock_fprog program = {
		asks_accept ? sizeof(with_accept) / sizeof(with_accept[0])
			    : sizeof(without_accept) / sizeof(without_accept[0]),
		(struct sock_filter *)(asks_accept ? with_accept : without_accept),
	};
	int fd;

	fd = install(&program, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	if (fd == -EINVAL)
		fd = install(&program, flags);
	if (fd != -EACCES)
		return fd;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return filter_install(asks_accept);
}
