/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Method accept: connections that the kernel makes come by a listener of ours, the parent. No port that is answered has a
 * listener: this one is bound to an address that no host has, where nobody can reach it.
 */
#ifndef NOLISTEN_WIRE_PARENT_H
#define NOLISTEN_WIRE_PARENT_H

#include <stdint.h>

#include "kern.h"
#include "sockopts.h"
#include "wire.h"

/*
 * Listens at that address, on a port of the kernel's choice, with these options, which its children inherit; and has kern
 * told. sockopts is borrowed until it is freed. Errors are logged.
 */
int wire_parent_new(struct wire **out, struct kern *kern, uint32_t worker, const struct addr *at,
		    const struct sockopts *sockopts);

#endif
