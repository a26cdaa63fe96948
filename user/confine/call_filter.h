/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which system calls a process may make from now on, for good, in all its threads and in what they become (seccomp(2)). The
 * lists are in calls.c, by name: libseccomp knows each architecture's numbers.
 */
#ifndef NOLISTEN_CALL_FILTER_H
#define NOLISTEN_CALL_FILTER_H

#include <stdint.h>

enum call_filter_refusal {
	CALL_FILTER_TELLS, /* EPERM, and SIGSYS has told call_filter_told_fd() */
	CALL_FILTER_KILLS, /* the process: who waits for it sees SIGSYS */
	CALL_FILTER_ALLOWS, /* but what is in the list gets EPERM */
};

/* A condition on one argument. */
struct call {
	const char *
		name; /* NULL: the end of the list. One that the architecture does not have is left out */
	enum call_condition {
		CALL_ANYHOW,
		CALL_IF_EQUAL, /* the lower 32 bits of the argument are value */
		CALL_UNLESS_EQUAL, /* they are not; in a list of what is allowed */
		CALL_IF_SET, /* it has all bits of value */
		CALL_IF_CLEAR, /* it has none of value */
	} condition;
	unsigned int argument;
	uint64_t value;
};

struct call_list {
	const struct call *const *parts; /* ended by NULL */
	enum call_filter_refusal refusal;
};

/* Sets no_new_privs first. 0, or -errno. */
int call_filter_enter(const struct call_list *list);

/*
 * Where CALL_FILTER_TELLS tells: an uint32_t, the call's number, for each; when nobody reads, what has no room is not told. -errno.
 * To be called before call_filter_enter(); once a process.
 */
int call_filter_open_told(void);
/* Its name for people; "call 999" if it has none. */
#define CALL_NAME_SIZE 40
void call_filter_name(uint32_t number, char text[CALL_NAME_SIZE]);

#endif
