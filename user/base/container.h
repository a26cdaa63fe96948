/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From an interface to what implements it. */
#ifndef NOLISTEN_CONTAINER_H
#define NOLISTEN_CONTAINER_H

#include <stddef.h>

/* The struct of that type whose member this points to. */
#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
