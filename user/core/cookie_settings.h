/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The cookies as the options and the link want it: with the key file, and with what the engine would advertise. */
#ifndef NOLISTEN_COOKIE_SETTINGS_H
#define NOLISTEN_COOKIE_SETTINGS_H

#include "config.h"
#include "cookies.h"
#include "engine.h"
#include "link_watch.h"

/* Errors are logged. */
int cookie_settings_open(struct cookies **out, struct kern *kern, const struct config *config,
			 const struct link_info *link, const struct engine_config *engine);
/* The MTU changed. */
void cookie_settings_set_mtu(struct cookies *cookies, const struct engine_config *engine,
			     uint32_t mtu);

#endif
