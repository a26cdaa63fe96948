/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a captured packet's comment says: "verdict=answered reason=cookie_sent method=xdp flow=1805461". */
#ifndef NOLISTEN_CAPTURE_COMMENT_H
#define NOLISTEN_CAPTURE_COMMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "capture.h"

#define CAPTURE_COMMENT_SIZE 160

/* is_ethernet: what the frame begins with. Flow: the same number for both directions; left out if it is not TCP. */
void capture_comment_build(const struct captured *packet, bool is_ethernet,
			   char out[CAPTURE_COMMENT_SIZE]);

#endif
