/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --pcap and what goes with it. */
#ifndef NOLISTEN_CAPTURE_OPTIONS_H
#define NOLISTEN_CAPTURE_OPTIONS_H

#include "config.h"
#include "option.h"

/* An option_take_fn: the words of struct capture_config's what. */
int capture_options_take_what(struct option_parse *parse, const struct option_row *row,
			      const char *arg);
/* What only goes together, and the filter, which has to be one. */
int capture_options_check(struct option_parse *parse, const struct config *config, bool has_vlans);

#endif
