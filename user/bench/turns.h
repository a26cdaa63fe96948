/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two things that are timed in turns, in another order each time: a drift of the machine, and what one leaves behind
 * in caches, favours neither. Pure.
 */
#ifndef NOLISTEN_TURNS_H
#define NOLISTEN_TURNS_H

#include <stdint.h>

/* Puts 0 to count - 1 into a random order. *seed: not 0; moves on. */
void turns_shuffle(unsigned int *order, unsigned int count, uint64_t *seed);

/* One turn: how long this and the other one took. */
struct turn {
	double this_ns, other_ns;
};

/*
 * How much longer this takes: the median of the differences in the fastest quarter of the turns, by the sum of both,
 * since neighbours of the CPU only ever add. Of two that are the same it is as often above 0 as below. count > 0; the
 * turns are sorted.
 */
double turns_difference(struct turn *turns, unsigned int count);

#endif
