/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The system calls in use, by what they are for. Of the loader: after its start. */
#ifndef NOLISTEN_CALLS_H
#define NOLISTEN_CALLS_H

#include "call_filter.h"

/* Every process of ours: memory, time, locks, messages for people, its end. */
extern const struct call calls_common[];
/* Connected sockets, and what waits for them. */
extern const struct call calls_connections[];
/* The loader's: sockets of all kinds that it makes, files, threads; of bpf(2) what needs a descriptor of a map or a program. */
extern const struct call calls_loader[];
/* And with --vlan: word to processes of ours. */
extern const struct call calls_vlans[];
/* What a program that somebody else has written never needs here: refused, all else is allowed. */
extern const struct call calls_refused[];
/* And what the loader needs itself: a service, and what it runs, does not. */
extern const struct call calls_refused_to_services[];

#endif
