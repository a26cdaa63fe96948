/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "checksum.h"

#include "cmocka_setup.h"

/* The example of RFC 1071, section 3. */
static const uint8_t rfc_1071[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

static void sums_the_example_of_rfc_1071(void **state)
{
	(void)state;
	assert_int_equal(checksum_fold(checksum_add(0, rfc_1071, sizeof(rfc_1071))), 0xddf2);
}

static void pads_an_odd_end_with_zero(void **state)
{
	static const uint8_t bytes[] = {0x12, 0x34, 0x56};

	(void)state;
	assert_int_equal(checksum_fold(checksum_add(0, bytes, 3)), 0x1234 + 0x5600);
	assert_int_equal(checksum_fold(checksum_add(0, bytes, 1)), 0x1200);
	assert_int_equal(checksum_fold(checksum_add(0, bytes, 0)), 0);
}

static void may_be_computed_in_parts(void **state)
{
	size_t at;

	(void)state;
	for (at = 0; at <= sizeof(rfc_1071); at += 2) {
		uint64_t sum = checksum_add(0, rfc_1071, at);

		sum = checksum_add(sum, rfc_1071 + at, sizeof(rfc_1071) - at);
		assert_int_equal(checksum_fold(sum), 0xddf2);
	}
}

static void carries_around_as_often_as_needed(void **state)
{
	static const uint8_t ones[65535] = {[0 ... 65534] = 0xff};

	(void)state;
	assert_int_equal(checksum_fold(checksum_add(0, ones, 65534)), 0xffff);
	assert_int_equal(checksum_fold(checksum_add(0, ones, 65535)), 0xff00);
	assert_int_equal(checksum_fold(0xffffffffffffffff), 0xffff);
	assert_int_equal(checksum_fold(0x1ffff), 1);
}

static void the_pseudo_header_has_both_addresses_protocol_and_length(void **state)
{
	static const uint8_t v4[] = {10, 0, 0, 1, 10, 0, 0, 2};
	static const uint8_t v6[] = {0xfd, [15] = 1, 0xfd, [31] = 2};
	struct addr source = addr_from_v4(v4), destination = addr_from_v4(v4 + 4);

	(void)state;
	assert_int_equal(checksum_fold(checksum_pseudo(&source, &destination, 20)), 0x141d);
	source = addr_from_v6(v6);
	destination = addr_from_v6(v6 + 16);
	assert_int_equal(checksum_fold(checksum_pseudo(&source, &destination, 20)), 0xfa1e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_the_example_of_rfc_1071),
		cmocka_unit_test(pads_an_odd_end_with_zero),
		cmocka_unit_test(may_be_computed_in_parts),
		cmocka_unit_test(carries_around_as_often_as_needed),
		cmocka_unit_test(the_pseudo_header_has_both_addresses_protocol_and_length),
	};

	return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
