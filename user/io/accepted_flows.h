/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What sources hold where the kernel makes the sockets by itself: connections from accept() on, whoever has them then, to the end
 * of their socket. Its service tells of that end; here it only makes room.
 */
#ifndef NOLISTEN_ACCEPTED_FLOWS_H
#define NOLISTEN_ACCEPTED_FLOWS_H

#include "flows.h"
#include "sources.h"

/*
 * open(): once accepted; 1: the end of another one of the same 4-tuple is yet to be heard of; -EDQUOT. close() makes room, and says
 * -ENOENT always: no grace is to begin, and nobody to be told. There are no others but get(), forget() and visit().
 */
int accepted_flows_new(struct flows **out, const struct sources_options *options);
void accepted_flows_free(struct flows *flows); /* NULL is legal */

#endif
