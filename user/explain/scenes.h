/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The scenes of the demonstration, in their order. */
#ifndef NOLISTEN_SCENES_H
#define NOLISTEN_SCENES_H

#include <stdint.h>

#include "lab.h"

struct scene {
	const char *name, *intro;
	const char *ifname; /* where it is watched, in the server's namespace */
	const char *method; /* the loader runs with it; NULL: no loader */
	uint16_t port; /* the client's, no other scene's: none meets what another has left behind */
	/* 0, or -errno if it could not be played; *result: what came of it, an errno. */
	int (*play)(const struct lab *lab, uint16_t port, int *result);
	const char *who; /* whose result it is */
};

extern const struct scene scene_table[]; /* ended by a NULL name */

#endif
