/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The classes of MSS, and how many of them an interface has. */
#include <linux/types.h>
#include <stdbool.h>

#include "unit/cmocka_setup.h"

#include <abi/mss.h>

#include "cookie_classes.h"

static void no_mss_loses_more_than_a_twentieth(void **state)
{
	(void)state;
	for (uint32_t mss = NOL_MSS_MIN_V4; mss <= UINT16_MAX; mss++) {
		const uint32_t mss_class = nol_mss_class((uint16_t)mss);
		const uint16_t taken = nol_mss_of(mss_class);

		assert_in_range(mss_class, 0, NOL_MSS_CLASS_COUNT - 1);
		assert_in_range(taken, NOL_MSS_MIN_V4, mss);
		assert_true((mss - taken) * 20 <= mss);
	}
}

static void each_class_is_the_largest_that_is_not_above(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < NOL_MSS_CLASS_COUNT; i++) {
		const uint16_t mss = nol_mss_of(i);

		assert_int_equal(nol_mss_class(mss), i);
		if (i)
			assert_int_equal(nol_mss_class(mss - 1), i - 1);
	}
}

static void what_is_common_loses_nothing(void **state)
{
	static const uint16_t common[] = {536,	1220, 1360, 1380, 1400,	 1420, 1440,
					  1452, 1460, 8940, 8960, 65475, 65495};

	(void)state;
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		assert_int_equal(nol_mss_of(nol_mss_class(common[i])), common[i]);
}

static void a_class_that_is_none_has_no_mss(void **state)
{
	(void)state;
	assert_int_equal(nol_mss_of(NOL_MSS_CLASS_COUNT), 0);
}

static struct nol_cookie cookie_for(uint16_t mss_v4, uint16_t mss_v6, bool has_ecn)
{
	struct nol_cookie cookie = {.has_ecn = has_ecn};

	cookie_classes_set(&cookie, mss_v4, mss_v6);
	return cookie;
}

static void assert_codes(const struct nol_cookie *cookie, uint32_t slot, uint16_t v4, uint16_t v6)
{
	assert_int_equal(cookie->codes_v4[slot % NOL_COOKIE_SLOTS], v4);
	assert_int_equal(cookie->codes_v6[slot % NOL_COOKIE_SLOTS], v6);
}

/* Window scale and SACK make 32 codes of a class. The table in doc/ways.md is computed from these. */
static void ethernet_has_few_classes(void **state)
{
	const struct nol_cookie plain = cookie_for(1460, 1440, false);
	const struct nol_cookie ecn = cookie_for(1460, 1440, true);

	(void)state;
	assert_int_equal(plain.classes_v4, 26);
	assert_int_equal(plain.classes_v6, 8);
	assert_codes(&plain, 0, 26 * 32, 8 * 32);
	assert_codes(&ecn, 0, 26 * 64, 8 * 64);
}

static void loopback_has_them_all(void **state)
{
	const struct nol_cookie cookie = cookie_for(65495, 65475, false);

	(void)state;
	assert_int_equal(cookie.classes_v4, NOL_MSS_CLASS_COUNT);
	assert_int_equal(cookie.classes_v6, NOL_MSS_CLASS_COUNT - NOL_MSS_CLASS_1220 - 1);
}

static void an_interface_below_the_smallest_class_has_one(void **state)
{
	const struct nol_cookie cookie = cookie_for(48, 48, false);

	(void)state;
	assert_codes(&cookie, 0, 32, 32);
}

/* What was sent with the larger MTU stays valid until its slot is over. */
static void a_smaller_mtu_takes_codes_from_the_next_slot_only(void **state)
{
	struct nol_cookie cookie = cookie_for(1460, 1440, false);

	(void)state;
	cookie_classes_set(&cookie, 536, 1220);
	assert_int_equal(cookie.classes_v4, 1);
	assert_int_equal(cookie.classes_v6, 1);
	assert_codes(&cookie, 2, 26 * 32, 8 * 32);
	cookie_classes_begin(&cookie, 7);
	assert_codes(&cookie, 7, 32, 32);
	assert_codes(&cookie, 6, 26 * 32, 8 * 32);
}

static void a_larger_mtu_has_its_codes_at_once(void **state)
{
	struct nol_cookie cookie = cookie_for(536, 1220, false);

	(void)state;
	cookie_classes_set(&cookie, 1460, 1440);
	for (uint32_t slot = 0; slot < NOL_COOKIE_SLOTS; slot++)
		assert_codes(&cookie, slot, 26 * 32, 8 * 32);
}

/* Code a, as it is taken for after `later` more bytes of ours were acknowledged, is none of Ethernet's codes. */
static void what_acknowledges_more_is_no_other_cookie(void **state)
{
	const uint32_t mask = ~0u >> NOL_COOKIE_SLOT_BITS, codes = 26 * 64;

	(void)state;
	for (uint32_t later = 1 << NOL_COOKIE_SLOT_BITS; later < 65536; later += 4) {
		uint32_t moved = (later >> NOL_COOKIE_SLOT_BITS) * NOL_COOKIE_GATHER & mask;

		assert_in_range(moved, codes, mask - codes);
	}
	for (uint32_t code = 0; code < codes; code++)
		assert_int_equal(code * NOL_COOKIE_SPREAD * NOL_COOKIE_GATHER & mask, code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_mss_loses_more_than_a_twentieth),
		cmocka_unit_test(each_class_is_the_largest_that_is_not_above),
		cmocka_unit_test(what_is_common_loses_nothing),
		cmocka_unit_test(a_class_that_is_none_has_no_mss),
		cmocka_unit_test(ethernet_has_few_classes),
		cmocka_unit_test(loopback_has_them_all),
		cmocka_unit_test(an_interface_below_the_smallest_class_has_one),
		cmocka_unit_test(a_smaller_mtu_takes_codes_from_the_next_slot_only),
		cmocka_unit_test(a_larger_mtu_has_its_codes_at_once),
		cmocka_unit_test(what_acknowledges_more_is_no_other_cookie),
	};

	return cmocka_run_group_tests_name("cookie_classes", tests, NULL, NULL);
}
