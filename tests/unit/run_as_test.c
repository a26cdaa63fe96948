/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a process that becomes somebody takes with it, and what files it finds meanwhile. Root only. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "run_as.h"

#define GROUP_OF_ROOT 4000017
#define STRANGER 4000000

static char folder[] = "/tmp/run_as_test.XXXXXX";
static char file[64]; /* for who has that group */

/* In the child: what was expected of line LINE did not come true. */
#define EXPECT(condition)                          \
	do {                                       \
		if (!(condition))                  \
			_exit(__LINE__ % 250 + 2); \
	} while (0)

/* In a process of its own, which has that group. */
static void expect_well(void (*what)(void))
{
	const gid_t groups[] = {GROUP_OF_ROOT, 0};
	const pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		EXPECT(!setgroups(2, groups));
		what();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("line %d (modulo 250) or signal %d", WEXITSTATUS(status) - 2,
			 WTERMSIG(status));
}

static int try_to_open(void)
{
	const int fd = open(file, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno : close(fd);
}

static void open_as_a_stranger(void)
{
	const struct run_as who = {.is_set = true, .uid = STRANGER, .gid = STRANGER};
	gid_t groups[3];

	EXPECT(try_to_open() == 0);
	run_as_files_begin(&who);
	EXPECT(try_to_open() == EACCES);
	EXPECT(getgroups(3, groups) == 0);
	run_as_files_end(&who);
	EXPECT(try_to_open() == 0);
	EXPECT(getgroups(3, groups) == 2 && groups[0] + groups[1] == GROUP_OF_ROOT);
}

static void files_of_our_groups_are_not_another_users(void **state)
{
	(void)state;
	expect_well(open_as_a_stranger);
}

static int signal_at_parents_death(void)
{
	int signal = 0;

	prctl(PR_GET_PDEATHSIG, &signal);
	return signal;
}

static void become_a_stranger_under_a_parent(void)
{
	const struct run_as who = {.is_set = true, .uid = STRANGER, .gid = STRANGER};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run_as_files_begin(&who);
	EXPECT(signal_at_parents_death() == SIGKILL);
	run_as_files_end(&who);
	EXPECT(signal_at_parents_death() == SIGKILL);
	EXPECT(!run_as_become(&who, false));
	EXPECT(geteuid() == STRANGER && signal_at_parents_death() == SIGKILL);
}

static void who_becomes_somebody_still_dies_with_its_parent(void **state)
{
	(void)state;
	expect_well(become_a_stranger_under_a_parent);
}

static int make_file(void **state)
{
	int fd;

	(void)state;
	if (!mkdtemp(folder) || chmod(folder, 0755))
		return -1;
	snprintf(file, sizeof(file), "%s/file", folder);
	fd = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0640);
	return fd < 0 || fchown(fd, 0, GROUP_OF_ROOT) || close(fd) ? -1 : 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(file) || rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_our_groups_are_not_another_users),
		cmocka_unit_test(who_becomes_somebody_still_dies_with_its_parent),
	};

	if (geteuid() != 0) {
		printf("1..1\nok 1 - run_as # SKIP needs root, to become somebody\n");
		return 0;
	}
	return cmocka_run_group_tests_name("run_as", tests, make_file, remove_file);
}
