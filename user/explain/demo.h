/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten explain --demo: the classic cases, played in namespaces of its own and told. */
#ifndef NOLISTEN_DEMO_H
#define NOLISTEN_DEMO_H

#include "watch.h"

bool demo_has(const char *scene);
const char *demo_scene(size_t index); /* their names, in their order; NULL behind the last */

/*
 * scene: play only that one; NULL: all. 0 or -errno, logged. Nothing is left behind: the namespaces have no names
 * and end with the process.
 */
int demo_play(enum watch_look look, const char *scene);

#endif
