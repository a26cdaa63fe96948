/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NOLISTEN_VERSION_H
#define NOLISTEN_VERSION_H

#define NOLISTEN_VERSION "0.1.0"

#endif
