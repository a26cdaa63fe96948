/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The options that are lists of numbers up to 65535: ports, and what looks like them. */
#ifndef NOLISTEN_PORT_OPTIONS_H
#define NOLISTEN_PORT_OPTIONS_H

#include "option.h"

int port_options_take(struct option_parse *parse, const struct option_row *row, const char *arg);
int port_options_take_guard(struct option_parse *parse, const struct option_row *row,
			    const char *arg);
int port_options_take_vlans(struct option_parse *parse, const struct option_row *row,
			    const char *arg);

#endif
