/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <linux/types.h>
#include <string.h>

#include <abi/abi.h>

#include "counters.h"

static const struct counter {
	const char *name, *meaning;
} counter_table[] = {
#define COUNTER(name, text) {#name, text},
#define REASON(member, text, meaning) {"segment_" text, meaning},
	NOL_STATS(COUNTER) SESSION_STATS(COUNTER) PASSING_STATS(COUNTER) SERVICE_STATS(COUNTER)
		ENGINE_REASONS(REASON)
#undef COUNTER
#undef REASON
};

const char *counter_meaning(const char *name)
{
	for (size_t i = 0; i < sizeof(counter_table) / sizeof(counter_table[0]); i++)
		if (strcmp(counter_table[i].name, name) == 0)
			return counter_table[i].meaning;
	return "";
}
