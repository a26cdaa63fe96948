/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The cookies as the options and the link want it: with the key file, and with what the engine would advertise. */
#ifndef NOLISTEN_COOKIE_SETTINGS_H
#define NOLISTEN_COOKIE_SETTINGS_H

#include <stdbool.h>

#include "config.h"
#include "cookies.h"
#include "engine.h"
#include "link_watch.h"
#include "routes.h"

/* Errors are logged. */
int cookie_settings_open(struct cookies **out, struct kern *kern, const struct config *config,
			 const struct link_info *link);
/* The key file again, or the keys stay as they are, and an error is logged. False: there is none. */
bool cookie_settings_reload(struct cookies *cookies, const struct config *config);
/* From now on. old: the routes until now. Without cookies (NULL) there is nothing to tell. */
void cookie_settings_advertise(struct cookies *cookies, struct kern *kern,
			       const struct engine_settings *settings, const struct routes *old);

#endif
