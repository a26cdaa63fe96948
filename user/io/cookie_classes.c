/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Codes are accepted before they are sent, and are sent no more before they are not accepted. */
#include "cookie_classes.h"

#include <abi/mss.h>

/* One at least: the smallest, whatever the interface has. */
static uint8_t count_classes(uint16_t mss, uint16_t min, unsigned int first)
{
	return (uint8_t)(mss < min ? 1 : nol_mss_class(mss) - first + 1);
}

static uint16_t count_codes(const struct nol_cookie *cookie, uint8_t classes)
{
	return (uint16_t)(classes << NOL_COOKIE_CLASS_SHIFT << !!cookie->has_ecn);
}

static void raise_codes(__u16 codes[NOL_COOKIE_SLOTS], uint16_t count)
{
	for (unsigned int i = 0; i < NOL_COOKIE_SLOTS; i++)
		if (codes[i] < count)
			__atomic_store_n(&codes[i], count, __ATOMIC_RELEASE);
}

void cookie_classes_set(struct nol_cookie *cookie, uint16_t mss_v4, uint16_t mss_v6)
{
	const uint8_t v4 = count_classes(mss_v4, NOL_MSS_MIN_V4, NOL_MSS_CLASS_536);
	const uint8_t v6 = count_classes(mss_v6, NOL_MSS_MIN_V6, NOL_MSS_CLASS_1220);

	raise_codes(cookie->codes_v4, count_codes(cookie, v4));
	raise_codes(cookie->codes_v6, count_codes(cookie, v6));
	__atomic_store_n(&cookie->classes_v4, v4, __ATOMIC_RELEASE);
	__atomic_store_n(&cookie->classes_v6, v6, __ATOMIC_RELEASE);
}

void cookie_classes_begin(struct nol_cookie *cookie, uint32_t slot)
{
	cookie->codes_v4[slot % NOL_COOKIE_SLOTS] = count_codes(cookie, cookie->classes_v4);
	cookie->codes_v6[slot % NOL_COOKIE_SLOTS] = count_codes(cookie, cookie->classes_v6);
}
