/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The events as they are asked for, of this interface. */
#ifndef NOLISTEN_EVENT_SETTINGS_H
#define NOLISTEN_EVENT_SETTINGS_H

#include "config.h"
#include "events.h"
#include "link_watch.h"

/* Errors are logged. */
int event_settings_open(struct events **out, const struct config *config,
			const struct link_info *link);

#endif
