/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Hears of every socket that gets connected to itself, as it happens. */
#ifndef NOLISTEN_SELF_WATCH_H
#define NOLISTEN_SELF_WATCH_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/self.h>

#include "load_failure.h"

struct self_watch;

typedef void (*self_watch_fn)(void *context, const struct nol_self_event *event);

/* In this network namespace, or in every one. Errors are logged. Ends with the process at the latest. */
int self_watch_new(struct self_watch **out, bool is_everywhere, self_watch_fn fn, void *context);
/* Would it load? Nothing is attached, nothing logged. */
int self_watch_probe(struct load_failure *failure);
void self_watch_free(struct self_watch *watch); /* NULL is legal */
int self_watch_fd(const struct self_watch *watch);
/* fn for each that is waiting. 0 or -errno; *lost: how many there was no room for since the start. */
int self_watch_read(struct self_watch *watch, uint64_t *lost);

#endif
