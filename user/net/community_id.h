/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The Community ID, version 1, of a TCP connection: the name by which Zeek, Suricata and others know it too
 * (github.com/corelight/community-id-spec).
 */
#ifndef NOLISTEN_COMMUNITY_ID_H
#define NOLISTEN_COMMUNITY_ID_H

#include <stdint.h>

#include "addr.h"

#define COMMUNITY_ID_LEN 30 /* "1:" and 20 bytes in base64 */

/* The same in both directions. seed: that of the others, mostly 0. Not terminated. */
void community_id(const struct tuple *tuple, uint16_t seed, char out[COMMUNITY_ID_LEN]);

#endif
