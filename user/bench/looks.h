/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * When the rounds so far are looked at, and how sure each look has to be. Who looks after each round, and stops when he likes what
 * he sees, finds by chance what is not there far more often than once in twenty times. So it is looked at after 6, 12, 24, ... rounds
 * alone, and once more when the time is up, and all looks together miss the true value once in twenty times at most: the
 * first one by 1 in 32, which six values have at best, each further one by half of what is left (alpha spending;
 * Bonferroni's inequality, so it holds whatever the looks have in common). Pure.
 */
#ifndef NOLISTEN_LOOKS_H
#define NOLISTEN_LOOKS_H

#include "samples.h"

/* The last one that was planned, of so many rounds; count 0: there was none. */
struct samples_part looks_planned(unsigned int count);
/* The one at the end of so many rounds, in place of the next that was planned. */
struct samples_part looks_final(unsigned int count);

#endif
