/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is different about a flow whose handshake ingress kept in a cookie. */
#ifndef NOLISTEN_ADOPTED_H
#define NOLISTEN_ADOPTED_H

#include "engine.h"
#include "flows.h"

/* Who answered the SYN. */
enum nol_method adopted_method(const struct engine_flow *flow, const struct flows *flows);
/* -1: nobody knows when the SYN-ACK of a cookie was sent. */
int64_t adopted_rtt_us(const struct engine_flow *flow);

#endif
