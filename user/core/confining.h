/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the loader's own process gives up once it is attached, before its workers begin. */
#ifndef NOLISTEN_CONFINING_H
#define NOLISTEN_CONFINING_H

struct core;

/* -errno, logged. */
int confining_enter(struct core *core);

#endif
