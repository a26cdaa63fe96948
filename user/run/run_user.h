/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whom COMMAND runs as: a user and its groups, and no capabilities. */
#ifndef NOLISTEN_RUN_USER_H
#define NOLISTEN_RUN_USER_H

#include <stdbool.h>
#include <sys/types.h>

#define RUN_USER_GROUPS 1024

struct run_user {
	uid_t user;
	gid_t group;
	gid_t groups[RUN_USER_GROUPS];
	int group_count;
};

/* A name or a number that the system knows. False: why. */
bool run_user_find(const char *name, struct run_user *out, const char **why);
/* This process is his from now on. NULL: it stays what it is. -errno, logged. */
int run_user_become(const struct run_user *user);

#endif
