/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --sockopt, as far as the handshake depends on it. */
#ifndef NOLISTEN_SOCKOPT_SETTINGS_H
#define NOLISTEN_SOCKOPT_SETTINGS_H

#include <stdint.h>

#include "advertise.h"
#include "sockopts.h"

struct sockopt_settings {
	struct advertise_limits limits;
	uint8_t defer_timeouts; /* see struct engine_config */
};

/* Tries the options on a socket, and reads what the kernel has made of them. -errno, logged. */
int sockopt_settings_read(struct sockopt_settings *out, const struct sockopts *sockopts);

#endif
