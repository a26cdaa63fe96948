/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How two ends met, or why they did not, in words. */
#ifndef NOLISTEN_MEET_REASON_H
#define NOLISTEN_MEET_REASON_H

#include <stdbool.h>

#include "meet_open.h"

bool meet_has_crossed(const struct meet_result *result);
void meet_tell_success(const struct meet_options *options, const struct meet_result *result);
void meet_tell_failure(const struct meet_options *options, const struct meet_result *result,
		       int err);

#endif
