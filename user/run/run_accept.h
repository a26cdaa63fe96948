/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Without parents: accept() and accept4(). Whoever waits in one is parked, and costs the supervisor nothing. A signal that it gets there we
 * have to notice ourselves: the kernel lets no signal interrupt a call that is being looked at, but a fatal one.
 */
#ifndef NOLISTEN_RUN_ACCEPT_H
#define NOLISTEN_RUN_ACCEPT_H

#include "calls.h"

/* How often parked calls have to be looked at while there are any. */
#define RUN_ACCEPT_TICK_MS 20

/* socket: NULL: it is none of ours. */
void run_accept_answer(struct calls *calls, struct run_socket *socket, const struct call *call);
/* The plane has connections: at most some, so that calls are answered in between. */
void run_accept_take(struct calls *calls, struct plane *plane);
/* End those that a signal interrupts, or whose time is over, or whose listener is gone. */
void run_accept_tick(struct calls *calls);
bool run_accept_is_needed(const struct calls *calls);
void run_accept_free(struct calls *calls);

#endif
