/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names separated by commas, as options have them. */
#ifndef NOLISTEN_NAME_LIST_H
#define NOLISTEN_NAME_LIST_H

#include <stdbool.h>

bool name_list_has(const char *list, const char *name);

#endif
