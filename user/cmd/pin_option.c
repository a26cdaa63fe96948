/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "pin_option.h"

#include "events.h"
#include "methods.h"

#define DEFAULT_S 120 /* as long as a cookie lives at most */

int pin_option_take(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	if (arg)
		return option_take_number(parse, row, arg);
	*(uint32_t *)option_field(parse, row) = DEFAULT_S;
	return 0;
}

int pin_option_check(struct option_parse *parse, const struct config *config)
{
	if (!config->pin_s || method_needs_bpf(config->method))
		return 0;
	return option_fail(parse, "--pin: method %s has no programs: use auto or engine",
			   method_text(config->method));
}
