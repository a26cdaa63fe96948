/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What becomes of us where the kernel has no netfilter: libnftables would end the process. */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_setup.h"

#include "nft.h"
#include "no_netfilter.h"
#include "queue_rules.h"

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
