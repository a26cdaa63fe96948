/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Is anybody there? By the listeners that are ours too, and by the connections that the kernel has. */
#ifndef NOLISTEN_LIFE_WATCH_H
#define NOLISTEN_LIFE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"
#include "run_sockets.h"

struct life_watch;

/* come: a connection waits; called again and again until it is taken, or life_watch_set() says otherwise. */
int life_watch_new(struct life_watch **out, struct run_sockets *sockets, struct loop *loop,
		   void (*come)(void *context), void *context);
void life_watch_free(struct life_watch *watch);

/* To be told of the first one that comes; else only life_watch_is_busy() says. */
void life_watch_set(struct life_watch *watch, bool is_told);
/* Has one come since the last call, or is one open? The first costs a wake-up a call, however many come. */
bool life_watch_is_busy(struct life_watch *watch);
/* Those that wait at listeners that nobody has get a RST. */
void life_watch_reset_waiting(struct life_watch *watch);

#endif
