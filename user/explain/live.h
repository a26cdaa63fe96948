/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The live story of an interface. */
#ifndef NOLISTEN_LIVE_H
#define NOLISTEN_LIVE_H

#include "watch.h"

/* Tells on standard output until SIGINT or SIGTERM. 0 or -errno, logged. */
int live_run(const char *ifname, const struct trace_options *options, enum watch_look look);

#endif
