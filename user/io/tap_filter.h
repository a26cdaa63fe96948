/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The classic BPF program of a tap. Seen by tap.c only. */
#ifndef NOLISTEN_TAP_FILTER_H
#define NOLISTEN_TAP_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "ports.h"

#define TAP_FILTER_MAX 160

/*
 * TCP of both IP versions, for this host, without a VLAN, not replayed by us, to one of the ports where that can be
 * told in a few steps. sees_outgoing: outgoing packets too, and then of all ports. The number of instructions.
 */
size_t tap_filter_build(const struct port_set *ports, bool sees_outgoing,
			struct sock_filter out[TAP_FILTER_MAX]);

#endif
