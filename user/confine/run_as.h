/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whom a process becomes: a user, a group, and the other groups of that user. */
#ifndef NOLISTEN_RUN_AS_H
#define NOLISTEN_RUN_AS_H

#include <stdbool.h>
#include <sys/types.h>

#define RUN_AS_NAME_SIZE 33

struct run_as {
	bool is_set; /* false: nobody else */
	uid_t uid;
	gid_t gid;
	char name
		[RUN_AS_NAME_SIZE]; /* as the user database has it; "": it does not know the number */
};

/* "NAME[:GROUP]", names or numbers. False: *why, a constant text, says how it is wrong. */
bool run_as_parse(const char *text, struct run_as *out, const char **why);
/* The user that owns nothing. */
struct run_as run_as_nobody(void);

/*
 * For all threads, and for good; who dies with its parent (PR_SET_PDEATHSIG) still does. The caller's thread keeps what it is permitted (capabilities(7)), with keeps_permitted, and
 * nothing of it in effect. 0, also if it is that user already; or -errno.
 */
int run_as_become(const struct run_as *who, bool keeps_permitted);

/*
 * In between, in this thread, files are made, opened and found as that user would: what works so works later too. Not set:
 * nothing changes.
 */
void run_as_files_begin(const struct run_as *who);
void run_as_files_end(const struct run_as *who);

#endif
