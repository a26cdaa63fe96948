/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flows whose kernel socket is gone stay for a while, so that late data meets the kernel and its RST gets out. First in,
 * first out; under pressure the oldest make room early.
 */
#ifndef NOLISTEN_GRACE_H
#define NOLISTEN_GRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

struct grace;

int grace_new(struct grace **out);
void grace_free(struct grace *grace);
/* -ENOMEM: the caller forgets the flow at once. */
int grace_add(struct grace *grace, const struct tuple *tuple, uint64_t until_ns);
/* The oldest, if its time is over at now_ns (UINT64_MAX: in any case). */
bool grace_take(struct grace *grace, uint64_t now_ns, struct tuple *out);

#endif
