/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --pin[=S] of the loader. */
#ifndef NOLISTEN_PIN_OPTION_H
#define NOLISTEN_PIN_OPTION_H

#include "config.h"
#include "option.h"

int pin_option_take(struct option_parse *parse, const struct option_row *row, const char *arg);
/* What only goes together. */
int pin_option_check(struct option_parse *parse, const struct config *config);

#endif
