/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "apart_protocol.h"

#include <stdbool.h>
#include <string.h>

static const char *const reasons[] = {
	[APART_NO_REASON] = "", [APART_FULL] = "full",	 [APART_TIME] = "time",
	[APART_END] = "end",	[APART_RESET] = "reset",
};

const char *apart_reason_text(unsigned int reason)
{
	return reason < sizeof(reasons) / sizeof(reasons[0]) ? reasons[reason] : NULL;
}

enum apart_reason apart_reason_of(const char *text)
{
	for (unsigned int i = 0; text && i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (!strcmp(reasons[i], text))
			return (enum apart_reason)i;
	return APART_NO_REASON;
}

_Bool apart_word_check(const struct apart_word *word, size_t len)
{
	if (len < APART_WORD_HEAD)
		return false;
	switch (word->kind) {
	case APART_READY:
		return len == APART_WORD_HEAD && !word->count;
	case APART_DIED:
	case APART_ENDED:
	case APART_REFUSED:
		return word->count && word->count <= APART_ENDED_MAX &&
		       len == APART_WORD_HEAD + word->count * sizeof(word->numbers[0]);
	case APART_PAYLOAD:
		return word->count <= APART_PAYLOAD_MAX &&
		       len == APART_PAYLOAD_HEAD + word->count && apart_reason_text(word->reason);
	}
	return false;
}
