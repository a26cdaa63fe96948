/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Kernel sockets that listen on answered ports: ingress leaves these ports to them, and people should know. */
#ifndef NOLISTEN_LISTENERS_H
#define NOLISTEN_LISTENERS_H

#include "ports.h"

/* One warning a port. */
void listeners_warn(const struct port_set *answered);

#endif
