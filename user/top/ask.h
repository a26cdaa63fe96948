/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Asking a loader over its control socket, with or without waiting for it. */
#ifndef NOLISTEN_ASK_H
#define NOLISTEN_ASK_H

#include <stdbool.h>

#include "figures.h"

#define ASK_WHY_SIZE 96
#define ASK_IFNAMES_MAX 64
#define ASK_IFNAME_SIZE 32

/* A descriptor that is readable once the answer is there; -errno, with *why. is_named: by the user, who need not have found it. */
int ask_begin(const char *ifname, bool is_named, char why[ASK_WHY_SIZE]);
/* The answer, from that descriptor, which is closed. *out is replaced. 0 or -errno, with *why. */
int ask_take(int fd, struct reading *out, char why[ASK_WHY_SIZE]);
/* Both, with patience for some seconds. */
int ask_once(const char *ifname, bool is_named, struct reading *out, char why[ASK_WHY_SIZE]);

struct ask_names {
	char names[ASK_IFNAMES_MAX][ASK_IFNAME_SIZE];
	size_t count;
	const char *known;
};

/* The interfaces that have a loader of root or of the caller, in order; none if that cannot be told. known, or NULL: not asked again whose it is. */
void ask_list(struct ask_names *out, const char *known);

#endif
