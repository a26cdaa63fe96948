/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "name_list.h"

#include <string.h>

bool name_list_has(const char *list, const char *name)
{
	const size_t len = strlen(name);

	while (*list) {
		const size_t word_len = strcspn(list, ",");

		if (word_len == len && !strncmp(list, name, len))
			return true;
		list += word_len;
		list += *list == ',';
	}
	return false;
}
