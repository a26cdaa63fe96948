/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What becomes of us where the kernel has no netfilter: libnftables would end the process. */
#include <errno.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "cmocka_setup.h"

#include "nft.h"
#include "queue_rules.h"

#define LOW_HALF(argument) offsetof(struct seccomp_data, args[argument])

/* From now on this process has a kernel without netfilter's netlink. */
static int lose_netfilter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW_HALF(0)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW_HALF(2)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NETLINK_NETFILTER, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPROTONOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		       ?: prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* The exit status of fn in a child without netfilter. */
static int run_without_netfilter(int (*fn)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		_exit(lose_netfilter() ? 99 : fn());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int open_nft(void)
{
	struct nft *nft = NULL;

	return -nft_new(&nft);
}

static void says_that_there_is_no_netfilter(void **state)
{
	(void)state;
	assert_int_equal(run_without_netfilter(open_nft), EPROTONOSUPPORT);
}

static int sweep(void)
{
	queue_rules_sweep("lo");
	return 0;
}

/* Every method sweeps, those with BPF as well. */
static void sweeps_nothing_without_netfilter(void **state)
{
	(void)state;
	assert_int_equal(run_without_netfilter(sweep), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_that_there_is_no_netfilter),
		cmocka_unit_test(sweeps_nothing_without_netfilter),
	};

	return cmocka_run_group_tests_name("nft", tests, NULL, NULL);
}
