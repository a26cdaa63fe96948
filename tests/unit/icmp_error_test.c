/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "icmp_error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_setup.h"

/* IP 10.0.0.9 > 10.0.0.2: ICMP host 10.0.0.1 unreachable, IP 10.0.0.2.80 > 10.0.0.1.50814: seq 0x01020304 */
static const uint8_t v4[56] = {0x45, 0, 0, 56, 0, 0, 0x40, 0, 64, 1, 0, 0, 10, 0, 0, 9, 10, 0, 0, 2,
			       /* ICMP */
			       3, 1, 0x59, 0xf4, 0, 0, 0, 0,
			       /* quoted */
			       0x45, 0, 0, 44, 0, 0, 0x40, 0, 63, 6, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1,
			       0, 80, 0xc6, 0x7e, 1, 2, 3, 4};

/* IP6 ... > ...: ICMP6, unreachable port, IP6 fd00::2.80 > fd00::1.50814: seq 0x01020304 */
static const uint8_t v6[56] = {1, 4, 0, 0, 0, 0, 0, 0,
			       /* quoted */
			       0x60, 0, 0, 0, 0, 24, 6, 63, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			       0, 0, 0, 2, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 80,
			       0xc6, 0x7e, 1, 2, 3, 4};

typedef bool (*parse_fn)(const uint8_t *packet, size_t len, struct icmp_error *out);

/* From a heap block of exactly that size, so that a read past the end is seen. */
static bool parse(parse_fn fn, const uint8_t *packet, size_t len, struct icmp_error *out)
{
	uint8_t *copy = malloc(len ? len : 1);
	bool is_good;

	assert_non_null(copy);
	memcpy(copy, packet, len);
	is_good = fn(copy, len, out);
	free(copy);
	return is_good;
}

static void assert_error(const struct icmp_error *error, const char *local, const char *remote)
{
	struct endpoint endpoint;

	assert_true(endpoint_parse(local, &endpoint));
	assert_true(addr_is_equal(&error->tuple.local.addr, &endpoint.addr));
	assert_int_equal(error->tuple.local.port, endpoint.port);
	assert_true(endpoint_parse(remote, &endpoint));
	assert_true(addr_is_equal(&error->tuple.remote.addr, &endpoint.addr));
	assert_int_equal(error->tuple.remote.port, endpoint.port);
	assert_int_equal(error->seq, 0x01020304);
}

static void reads_what_is_quoted(void **state)
{
	struct icmp_error error;

	(void)state;
	assert_true(parse(icmp_error_parse_v4, v4, sizeof(v4), &error));
	assert_error(&error, "10.0.0.2:80", "10.0.0.1:50814");
	assert_true(parse(icmp_error_parse_v6, v6, sizeof(v6), &error));
	assert_error(&error, "[fd00::2]:80", "[fd00::1]:50814");
}

static void takes_nothing_that_is_cut(void **state)
{
	struct icmp_error error;

	(void)state;
	for (size_t len = 0; len < sizeof(v4); len++)
		assert_false(parse(icmp_error_parse_v4, v4, len, &error));
	for (size_t len = 0; len < sizeof(v6); len++)
		assert_false(parse(icmp_error_parse_v6, v6, len, &error));
}

/* The checksum is of what is there: it is made right again. */
static bool takes_v4_with(size_t at, uint8_t value)
{
	uint8_t packet[sizeof(v4)];
	struct icmp_error error;
	uint32_t sum = 0;

	memcpy(packet, v4, sizeof(v4));
	packet[at] = value;
	packet[22] = packet[23] = 0;
	for (size_t i = 20; i < sizeof(packet); i += 2)
		sum += (uint32_t)packet[i] << 8 | packet[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	packet[22] = (uint8_t)(sum >> 8);
	packet[23] = (uint8_t)sum;
	return parse(icmp_error_parse_v4, packet, sizeof(packet), &error) &&
	       icmp_error_ends_half_open(&error);
}

static bool takes_v6_with(size_t at, uint8_t value)
{
	uint8_t packet[sizeof(v6)];
	struct icmp_error error;

	memcpy(packet, v6, sizeof(v6));
	packet[at] = value;
	return parse(icmp_error_parse_v6, packet, sizeof(packet), &error) &&
	       icmp_error_ends_half_open(&error);
}

static void takes_nothing_that_quotes_something_else(void **state)
{
	(void)state;
	assert_true(takes_v4_with(36, 63));
	assert_false(takes_v4_with(37, 17)); /* UDP */
	assert_false(takes_v4_with(28, 0x44)); /* an IHL of 4 */
	assert_false(takes_v4_with(28, 0x46)); /* options, and no room for TCP */
	assert_false(takes_v4_with(28, 0x65));
	assert_false(takes_v4_with(35, 1)); /* a later fragment */
	assert_true(takes_v6_with(15, 63));
	assert_false(takes_v6_with(14, 17));
	assert_false(takes_v6_with(8, 0x40));
}

static void takes_the_codes_that_linux_takes(void **state)
{
	(void)state;
	for (unsigned int code = 0; code < 256; code++) {
		assert_int_equal(takes_v4_with(21, (uint8_t)code), code == 0 || code == 1);
		assert_int_equal(takes_v6_with(1, (uint8_t)code),
				 code != 0 && code != 2 && code != 3);
	}
	assert_true(takes_v4_with(20, 12));
	assert_false(takes_v4_with(20, 11)); /* reassembly */
	assert_false(takes_v4_with(20, 4));
	assert_false(takes_v4_with(20, 5));
	assert_true(takes_v6_with(0, 4));
	assert_false(takes_v6_with(0, 2));
	assert_false(takes_v6_with(0, 3));
}

static void expect_meaning(struct icmp_error error, uint8_t type, uint8_t code, int err,
			   const char *name)
{
	error.type = type;
	error.code = code;
	assert_int_equal(icmp_error_errno(&error), err);
	assert_string_equal(icmp_error_name(&error), name);
}

static void means_what_linux_means(void **state)
{
	struct icmp_error error;

	(void)state;
	assert_true(parse(icmp_error_parse_v4, v4, sizeof(v4), &error));
	assert_memory_equal(error.from.bytes + 12, v4 + 12, 4);
	expect_meaning(error, error.type, error.code, -EHOSTUNREACH, "host unreachable");
	expect_meaning(error, 3, 0, -ENETUNREACH, "network unreachable");
	expect_meaning(error, 3, 3, -ECONNREFUSED, "port unreachable");
	expect_meaning(error, 3, 13, -EHOSTUNREACH, "administratively prohibited");
	expect_meaning(error, 3, 200, -EHOSTUNREACH, "unreachable");
	expect_meaning(error, 11, 0, -EHOSTUNREACH, "time to live exceeded");
	expect_meaning(error, 12, 0, -EPROTO, "parameter problem");
	assert_true(parse(icmp_error_parse_v6, v6, sizeof(v6), &error));
	expect_meaning(error, error.type, error.code, -ECONNREFUSED, "port unreachable");
	expect_meaning(error, 1, 0, -ENETUNREACH, "no route");
	expect_meaning(error, 1, 1, -EACCES, "administratively prohibited");
	expect_meaning(error, 1, 3, -EHOSTUNREACH, "address unreachable");
	expect_meaning(error, 1, 99, -EHOSTUNREACH, "unreachable");
	expect_meaning(error, 3, 0, -EHOSTUNREACH, "time to live exceeded");
	expect_meaning(error, 4, 0, -EPROTO, "parameter problem");
}

static void a_wrong_checksum_is_none_of_ours(void **state)
{
	uint8_t packet[sizeof(v4)];
	struct icmp_error error;

	(void)state;
	memcpy(packet, v4, sizeof(v4));
	packet[22] ^= 1;
	assert_false(parse(icmp_error_parse_v4, packet, sizeof(packet), &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_is_quoted),
		cmocka_unit_test(takes_nothing_that_is_cut),
		cmocka_unit_test(takes_the_codes_that_linux_takes),
		cmocka_unit_test(takes_nothing_that_quotes_something_else),
		cmocka_unit_test(means_what_linux_means),
		cmocka_unit_test(a_wrong_checksum_is_none_of_ours),
	};

	return cmocka_run_group_tests_name("icmp error", tests, NULL, NULL);
}
