/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An account as people or programs read it. */
#ifndef NOLISTEN_RESET_PRINT_H
#define NOLISTEN_RESET_PRINT_H

#include <stdio.h>

#include "reset_account.h"

/* number: from 1 on. */
void reset_print_text(FILE *out, const struct reset_account *account, uint32_t number);
/* One object a line. */
void reset_print_json(FILE *out, const struct reset_account *account, const char *ifname);

#endif
