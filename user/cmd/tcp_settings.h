/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel's own listener would advertise here: read from its sysctls. */
#ifndef NOLISTEN_TCP_SETTINGS_H
#define NOLISTEN_TCP_SETTINGS_H

#include <stdint.h>

#include "engine.h"

/* Fills everything but key and max_flows; defaults of the kernel where a sysctl cannot be read. */
void tcp_settings_read(struct engine_config *config, uint32_t mtu);

/*
 * Method connect: its sockets send a SYN again as tcp_syn_linear_timeouts has it (every second, then as usual), and
 * that counts on top of *syn_retries (TCP_SYNCNT). Five times in all; config->syn_ack_retries gives up with the socket.
 */
void tcp_settings_read_connect(struct engine_config *config, uint8_t *syn_retries);

#endif
