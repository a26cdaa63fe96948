/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* explain --rst: whose RSTs leave an interface. */
#ifndef NOLISTEN_RESET_WATCH_H
#define NOLISTEN_RESET_WATCH_H

#include <stdbool.h>

#include "trace.h"

/* Until Ctrl-C. 0 or -errno, logged. */
int reset_watch_run(const char *ifname, const struct trace_options *options, bool is_json);

#endif
