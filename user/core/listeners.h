/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Kernel sockets that listen on answered ports: ingress leaves these ports to them, and people should know. */
#ifndef NOLISTEN_LISTENERS_H
#define NOLISTEN_LISTENERS_H

#include <stdbool.h>
#include <stdint.h>

#include "ports.h"

/* One warning a port. */
void listeners_warn(const struct port_set *answered);
/* Is there one on any of these? *port: on which. */
bool listeners_find(const struct port_set *ports, uint16_t *port);

#endif
