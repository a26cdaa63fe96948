/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NOLISTEN_INTERFACES_H
#define NOLISTEN_INTERFACES_H

#include <stdbool.h>

#include "addr.h"

/* May connections to this address come in at one of these, "lo,eth0"? Not if it is another interface's. names: NULL: all. */
bool interfaces_have(const char *names, const struct addr *addr);

#endif
