/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is answered to COMMAND's system calls. What is said of a socket is found by what its descriptor is, never by what memory says once it has been
 * read: whoever changes that in between has changed what he asks for, and the kernel's own answer is given for whatever is not ours.
 */
#ifndef NOLISTEN_CALLS_H
#define NOLISTEN_CALLS_H

#include "notify.h"
#include "ports.h"
#include "run_sockets.h"

struct parked;

struct calls {
	struct notify *notify;
	struct run_sockets *sockets;
	const struct port_set *ports; /* NULL: all */
	const char *interfaces; /* of the plane; NULL: all */
	bool has_reserved; /* there may be a socket that is bound and does not listen */
	struct parked *parked; /* accept() that waits: see run_accept.h */
};

/* caller_write_result() for whoever waits; -ENOENT: nobody does any more. */
int calls_write_result(const struct calls *calls, const struct call *call, unsigned int argument,
		       const void *from, size_t len);
/* Answers it, or parks it. */
void calls_answer(struct calls *calls, const struct call *call);

#endif
