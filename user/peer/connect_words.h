/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How a connection came to be, or why not, in nc's words. */
#ifndef NOLISTEN_CONNECT_WORDS_H
#define NOLISTEN_CONNECT_WORDS_H

#include "connect.h"
#include "opener.h"

/* One line each, on standard error. remote: the address of the host that was tried. */
void connect_tell_success(const struct connect_options *options,
			  const struct opening_result *result);
void connect_tell_failure(const struct connect_options *options, const struct endpoint *remote,
			  const struct opening_result *result);
/* The opening could not begin. */
void connect_tell_refusal(const struct connect_options *options, const struct tuple *tuple,
			  int err);

#endif
