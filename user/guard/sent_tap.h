/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Copies of the headers of TCP segments that leave an interface, whoever sends them: by a packet socket with a classic BPF filter,
 * which needs no bpf(). SYN and data, not RST and FIN: what only ends a connection opens none.
 */
#ifndef NOLISTEN_SENT_TAP_H
#define NOLISTEN_SENT_TAP_H

#include <stdint.h>

#include "addr.h"

/* A descriptor, readable when there are some; or -errno. */
int sent_tap_open(uint32_t ifindex);

/* Up to max of them, without waiting; their number or -errno. local: the source. */
int sent_tap_read(int fd, struct tuple *out, int max);

#endif
