/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From the options to a service, and to the process that has it if it talks to strangers. */
#ifndef NOLISTEN_SERVICE_SETTINGS_H
#define NOLISTEN_SERVICE_SETTINGS_H

#include "config.h"
#include "service.h"
#include "service_process.h"

/* But for what is each worker's own. */
struct service_options service_settings(const struct config *config);
/* *out is NULL if the service needs none. To be called first of all. -errno, logged. */
int service_settings_start(struct service_process **out, const struct config *config);

#endif
