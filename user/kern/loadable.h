/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What of ours does this kernel take? Features say little: a verifier may know every helper and reject the programs
 * nevertheless. So each object is loaded, in every variant that options or devices can ask for, by the code of the
 * command that loads it; nothing is attached.
 */
#ifndef NOLISTEN_LOADABLE_H
#define NOLISTEN_LOADABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "kern.h"
#include "load_failure.h"

/* Which variant of the main object: what constants and map sizes make of it. */
enum loadable_kind {
	LOADABLE_PLAIN,
	LOADABLE_CONNECT, /* kern_options.connects_back */
	LOADABLE_ACCEPT, /* kern_options.accepts */
	LOADABLE_WORKERS, /* more than one */
	LOADABLE_LOOPBACK,
	LOADABLE_NO_LINK_HEADER,
	LOADABLE_TARPIT, /* kern_options.keeps_shut */
	LOADABLE_CAPTURE, /* kern_options.captures, with each of these methods */
	LOADABLE_CAPTURE_CONNECT,
	LOADABLE_CAPTURE_ACCEPT,
	LOADABLE_OTHER, /* another command's object */
};

struct loadable {
	const char *object; /* as in bpf/ */
	const char *variant; /* "": there is one only */
	const char *needed_for;
	const char *instead; /* what does without it; NULL: nothing */
	enum loadable_kind kind;
	int (*probe)(struct load_failure *failure); /* of LOADABLE_OTHER */
};

/* Ended by a NULL object; the plain variant comes first. */
extern const struct loadable loadable_table[];

/* Load it, once. sizes: ring_size and max_flows count. 0, or -errno and *failure. */
int loadable_try(const struct loadable *loadable, const struct kern_options *sizes,
		 struct load_failure *failure);

#endif
