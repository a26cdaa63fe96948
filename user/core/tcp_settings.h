/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel's own listener would advertise here: read from its sysctls. */
#ifndef NOLISTEN_TCP_SETTINGS_H
#define NOLISTEN_TCP_SETTINGS_H

#include <stdint.h>

#include "engine.h"

/* Fills everything but key and max_flows; defaults of the kernel where a sysctl cannot be read. */
void tcp_settings_read(struct engine_config *config, uint32_t mtu);

/*
 * Method connect: its sockets send a SYN again at their own times, which depend on tcp_syn_linear_timeouts.
 * *syn_retries (TCP_SYNCNT) makes it five times; config->syn_ack_retries gives up when the socket does.
 */
void tcp_settings_read_connect(struct engine_config *config, uint8_t *syn_retries);

#endif
