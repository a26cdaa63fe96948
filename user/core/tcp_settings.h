/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How often what is sent again: as the kernel's own sockets do. What they advertise is in host_watch.h. */
#ifndef NOLISTEN_TCP_SETTINGS_H
#define NOLISTEN_TCP_SETTINGS_H

#include <stdint.h>

#include "engine.h"

/* Fills syn_retries and resets_per_s; defaults of the kernel where a sysctl cannot be read. */
void tcp_settings_read(struct engine_config *config);

/*
 * Method connect: its sockets send a SYN again at their own times, which depend on tcp_syn_linear_timeouts. TCP_SYNCNT
 * for five times; and the engine gives up when such a socket does. What such a socket offers it knows best by itself:
 * of the sysctls the engine may hear late.
 */
uint8_t tcp_settings_syn_retries(void);
void tcp_settings_adjust_to_connect(struct engine_settings *settings);

#endif
