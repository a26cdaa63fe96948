/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel's own listener would advertise here: read from its sysctls. */
#ifndef NOLISTEN_TCP_SETTINGS_H
#define NOLISTEN_TCP_SETTINGS_H

#include <stdint.h>

#include "engine.h"

/* Fills everything but key and max_flows; defaults of the kernel where a sysctl cannot be read. */
void tcp_settings_read(struct engine_config *config, uint32_t mtu);

/*
 * Method connect: its sockets send a SYN again at their own times, which depend on tcp_syn_linear_timeouts. TCP_SYNCNT
 * for five times; and the engine gives up when such a socket does.
 */
uint8_t tcp_settings_syn_retries(void);
void tcp_settings_adjust_to_connect(struct engine_config *config);

#endif
