/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NOLISTEN_SERVICE_OPTIONS_H
#define NOLISTEN_SERVICE_OPTIONS_H

#include "config.h"
#include "option.h"

/* What does not go together is refused, what was left out is filled in. */
int service_options_check(struct option_parse *parse, struct config *config);

#endif
