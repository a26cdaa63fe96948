/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connections that the kernel has made by itself, to the service. */
#ifndef NOLISTEN_ACCEPTING_H
#define NOLISTEN_ACCEPTING_H

struct session;

/* Up to max of them; their number. */
int accepting_take(struct session *session, int max);

/* Once, at the start: the descriptors that are no connection's, whatever happens. */
void accepting_reserve(struct session *session);

#endif
