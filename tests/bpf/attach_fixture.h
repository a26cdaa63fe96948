/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tests that attach the programs for real have in common. */
#ifndef NOLISTEN_TESTS_ATTACH_FIXTURE_H
#define NOLISTEN_TESTS_ATTACH_FIXTURE_H

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "fixture.h"

static inline void run(const char *command)
{
	assert_int_equal(system(command), 0);
}

static inline bool succeeds(const char *command)
{
	return system(command) == 0;
}

static inline struct kern_options options_of(const char *ifname)
{
	struct kern_options options = fixture_options();

	options.ifname = ifname;
	options.ifindex = if_nametoindex(ifname);
	options.is_loopback = !strcmp(ifname, "lo");
	assert_int_not_equal(options.ifindex, 0);
	return options;
}

static inline void open_on(struct kern_options options)
{
	struct prefix prefix;

	fixture_open(&options);
	assert_true(prefix_parse("127.0.0.1", &prefix));
	assert_int_equal(kern_add_prefix(kern, &prefix), 0);
}

static inline int make_veth(void **state)
{
	(void)state;
	run("ip link add nolv0 type veth peer name nolv1");
	return 0;
}

static inline int remove_veth(void **state)
{
	fixture_teardown(state);
	run("ip link del nolv0");
	return 0;
}

/* Attach in a child and kill it. */
static inline void attach_and_die(const struct kern_options *options)
{
	int ready[2];
	pid_t child;
	char byte;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		fixture_open(options);
		if (!kern_attach(kern) && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

#define attach_test(f) cmocka_unit_test_teardown(f, fixture_teardown)
#define veth_test(f) cmocka_unit_test_setup_teardown(f, make_veth, remove_veth)

#endif
