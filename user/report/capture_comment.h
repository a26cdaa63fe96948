/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a captured packet's comment says: "verdict=answered reason=cookie_sent method=xdp community_id=1:LQU9qZlK+B5F3KDmev6m5PMibrg=". */
#ifndef NOLISTEN_CAPTURE_COMMENT_H
#define NOLISTEN_CAPTURE_COMMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "capture.h"

#define CAPTURE_COMMENT_SIZE 160

/* is_ethernet: what the frame begins with. The ID, by that seed, is left out if it is not TCP. */
void capture_comment_build(const struct captured *packet, bool is_ethernet, uint16_t seed,
			   char out[CAPTURE_COMMENT_SIZE]);

#endif
