/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the loader is to give up once it has started, and whom it is to be. */
#ifndef NOLISTEN_PRIVILEGE_OPTIONS_H
#define NOLISTEN_PRIVILEGE_OPTIONS_H

#include "option.h"

extern const struct option_word privilege_words[];

/* Into a struct run_as, and a struct confine_config. */
int privilege_options_take_user(struct option_parse *parse, const struct option_row *row,
				const char *arg);
int privilege_options_take(struct option_parse *parse, const struct option_row *row,
			   const char *arg);

#endif
