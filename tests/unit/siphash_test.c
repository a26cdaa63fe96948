/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* SipHash-2-4 against its published test vectors: key 00..0f, message 00, 01, ... of each length. */
#include "siphash.h"

#include "cmocka_setup.h"

struct vector {
	size_t len;
	uint64_t hash;
};

static const struct vector vectors[] = {
	{0, 0x726fdb47dd0e0e31},  {1, 0x74f839c593dc67fd}, {2, 0x0d6c8009d9a94f5a},
	{7, 0xab0200f58b01d137},  {8, 0x93f5f5799a932462}, {15, 0xa129ca6149be45e5},
	{63, 0x958a324ceb064572},
};

static void fill_counting(uint8_t *bytes, size_t len)
{
	while (len--)
		bytes[len] = (uint8_t)len;
}

static void agrees_with_the_reference_vectors(void **state)
{
	uint8_t key[SIPHASH_KEY_SIZE], data[64];
	size_t i;

	(void)state;
	fill_counting(key, sizeof(key));
	fill_counting(data, sizeof(data));
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_int_equal(siphash_24(key, data, vectors[i].len), vectors[i].hash);
}

static void takes_unaligned_data(void **state)
{
	uint8_t key[SIPHASH_KEY_SIZE], data[65];

	(void)state;
	fill_counting(key, sizeof(key));
	fill_counting(data + 1, 64);
	assert_int_equal(siphash_24(key, data + 1, 63), 0x958a324ceb064572);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_reference_vectors),
		cmocka_unit_test(takes_unaligned_data),
	};

	return cmocka_run_group_tests_name("siphash", tests, NULL, NULL);
}
