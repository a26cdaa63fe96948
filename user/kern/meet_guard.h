/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guard of one 4-tuple on one interface, both directions: what it drops is in bpf/meet.bpf.c. It is gone with
 * meet_guard_free(), and when the process ends, however it ends (on clsact: fails open, and the next guard of the same
 * 4-tuple takes its place).
 */
#ifndef NOLISTEN_MEET_GUARD_H
#define NOLISTEN_MEET_GUARD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/meet.h>

#include "addr.h"
#include "load_failure.h"

#define MEET_GUARD_BEAT_MS 1000

struct meet_guard;

typedef void (*meet_frame_fn)(void *context, const struct nol_meet_frame *frame);

/* fn gets what is held. Errors are logged. */
int meet_guard_new(struct meet_guard **out, uint32_t ifindex, const struct tuple *tuple,
		   meet_frame_fn fn, void *context);
/* Would it load? Nothing is attached, nothing logged. */
int meet_guard_probe(struct load_failure *failure);
void meet_guard_free(struct meet_guard *guard); /* NULL is legal */

/* To be called every MEET_GUARD_BEAT_MS, or it drops nothing any more. */
void meet_guard_beat(struct meet_guard *guard);
void meet_guard_set_phase(struct meet_guard *guard, enum nol_meet_phase phase);
void meet_guard_read_seen(const struct meet_guard *guard, struct nol_meet_seen *out);

/* Held packets: the descriptor, and fn for each that is waiting. 0 or -errno. */
int meet_guard_fd(const struct meet_guard *guard);
int meet_guard_read(struct meet_guard *guard);

#endif
