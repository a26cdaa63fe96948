/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How many classes of MSS the cookies tell apart on this interface, and so how many codes are valid: see struct nol_cookie. */
#ifndef NOLISTEN_COOKIE_CLASSES_H
#define NOLISTEN_COOKIE_CLASSES_H

#include <linux/types.h>
#include <stdint.h>

#include <abi/abi.h>

/*
 * What the interface itself could send. Cookies that are on their way stay valid: in the slots that are accepted now the
 * codes only become more.
 */
void cookie_classes_set(struct nol_cookie *cookie, uint16_t mss_v4, uint16_t mss_v6);
/* With the key of a slot that nobody reads yet: the codes of the present classes. */
void cookie_classes_begin(struct nol_cookie *cookie, uint32_t slot);

#endif
