/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an application asks for: as bytes, as text, and beside others. */
#include <errno.h>
#include <string.h>

#include "cmocka_setup.h"

#include "app_protocol.h"
#include "claim.h"
#include "socket_spec.h"
#include "syn_print.h"

static struct port_set all;
static const char *why;

static void open_claim(struct claim *claim, const char *ports, const char *addresses)
{
	assert_int_equal(claim_parse(claim, ports, addresses, &all, &why), 0);
}

static int take_all_ports(void **state)
{
	(void)state;
	return port_set_parse("all", &all, &why) ? 0 : -1;
}

static void reads_a_request_as_it_was_written(void **state)
{
	char message[APP_REQUEST_SIZE];
	const char *ports, *addresses;
	enum app_kind kind;
	size_t len = app_request_build(message, sizeof(message), "80,443", NULL);

	(void)state;
	assert_int_equal(len, 16 + 7 + 1);
	assert_true(app_request_parse(message, len, &kind, &ports, &addresses));
	assert_int_equal(kind, APP_OPEN);
	assert_string_equal(ports, "80,443");
	assert_null(addresses);
}

static void refuses_a_request_that_is_cut_or_too_long(void **state)
{
	char message[APP_REQUEST_SIZE], text[APP_TEXT_SIZE + 1];
	const char *ports, *addresses;
	enum app_kind kind;
	size_t len = app_request_build(message, sizeof(message), "80", "10.0.0.2");

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		assert_false(app_request_parse(message, cut, &kind, &ports, &addresses));
	assert_false(app_request_parse(message, len + 1, &kind, &ports, &addresses));
	memset(text, '8', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(app_request_build(message, sizeof(message), text, NULL), 0);
}

static void refuses_a_text_within_a_text(void **state)
{
	char message[APP_REQUEST_SIZE];
	const char *ports, *addresses;
	enum app_kind kind;
	size_t len = app_request_build(message, sizeof(message), "80", "");

	(void)state;
	message[16] = '\0';
	assert_false(app_request_parse(message, len, &kind, &ports, &addresses));
}

static void takes_all_ports_and_any_address_if_nothing_is_said(void **state)
{
	struct claim claim;

	(void)state;
	open_claim(&claim, NULL, NULL);
	assert_int_equal(port_set_count(&claim.ports), 65535);
	assert_int_equal(claim.prefix_count, 0);
	claim_free(&claim);
}

static void says_what_is_malformed(void **state)
{
	struct claim claim;

	(void)state;
	assert_int_equal(claim_parse(&claim, "80x", NULL, &all, &why), -EINVAL);
	claim_free(&claim);
	assert_int_equal(claim_parse(&claim, "80", "10.0.0.2,host", &all, &why), -EINVAL);
	assert_string_equal(why, "an address, or a prefix without host bits, is needed");
	claim_free(&claim);
}

static void finds_the_first_port_that_is_not_among_those_allowed(void **state)
{
	struct port_set allowed;
	struct claim claim;
	uint16_t port;

	(void)state;
	assert_true(port_set_parse("8000-8009", &allowed, &why));
	open_claim(&claim, "8000,8009", NULL);
	assert_true(claim_is_within(&claim, &allowed, &port));
	claim_free(&claim);
	open_claim(&claim, "8001,8010-8020", NULL);
	assert_false(claim_is_within(&claim, &allowed, &port));
	assert_int_equal(port, 8010);
	claim_free(&claim);
}

static void finds_a_prefix_that_is_not_within_those_allowed(void **state)
{
	struct prefix allowed[2];
	struct claim claim;

	(void)state;
	assert_true(prefix_parse("10.0.0.0/24", &allowed[0]));
	assert_true(prefix_parse("fd00::/64", &allowed[1]));
	open_claim(&claim, NULL, "10.0.0.2,fd00::/80,10.0.0.0/8");
	assert_ptr_equal(claim_find_outside(&claim, allowed, 2), &claim.prefixes[2]);
	assert_null(claim_find_outside(&claim, NULL, 0));
	claim_free(&claim);
}

static bool meet(const char *ports_a, const char *addresses_a, const char *ports_b,
		 const char *addresses_b, uint16_t *port)
{
	struct claim a, b;
	bool result;

	open_claim(&a, ports_a, addresses_a);
	open_claim(&b, ports_b, addresses_b);
	result = claim_meets(&a, &b, port) && claim_meets(&b, &a, port);
	claim_free(&a);
	claim_free(&b);
	return result;
}

static void two_meet_at_a_port_and_an_address(void **state)
{
	uint16_t port;

	(void)state;
	assert_true(meet("80-90", NULL, "85,443", "10.0.0.2", &port));
	assert_int_equal(port, 85);
	assert_true(meet("80", "10.0.0.0/24", "80", "10.0.0.2,fd00::1", &port));
	assert_false(meet("80", "10.0.0.2", "80", "10.0.0.3", &port));
	assert_false(meet("80", NULL, "81", NULL, &port));
}

static void reads_whose_a_socket_is(void **state)
{
	struct socket_spec spec;

	(void)state;
	assert_true(socket_spec_of_service("socket:/run/x", &spec));
	assert_string_equal(spec.path, "/run/x");
	assert_int_equal(spec.mode, 0600);
	assert_true(socket_spec_of_service("socket:/run/x,user=7,group=9", &spec));
	assert_int_equal(spec.user, 7);
	assert_int_equal(spec.group, 9);
	assert_int_equal(spec.mode, 0660);
	assert_true(socket_spec_of_service("socket:/run/x,mode=666,group=root", &spec));
	assert_int_equal(spec.mode, 0666);
	assert_false(spec.may_connect);
	assert_true(socket_spec_of_service("socket:/run/x,connect=yes,mode=600", &spec));
	assert_true(spec.may_connect);
	assert_true(socket_spec_of_service("socket:/run/x,connect=no", &spec));
	assert_false(spec.may_connect);
	assert_false(socket_spec_of_service("socket:/run/x,connect", &spec));
	assert_false(socket_spec_of_service("socket:/run/x,connect=y", &spec));
	assert_false(socket_spec_of_service("socket:/run/x,", &spec));
	assert_false(socket_spec_of_service("echo", &spec));
}

static void tells_the_order_of_a_syns_options(void **state)
{
	static const uint8_t options[] = {2, 4, 5, 180, 1, 3, 3, 7, 4, 2, 0, 0};
	static const uint8_t kinds[] = {2, 1, 3, 4, 0};
	const struct segment segment = {
		.window = 64240,
		.ttl = 64,
		.options = {.has_mss = true, .mss = 1460},
		.option_bytes = options,
		.option_len = sizeof(options),
	};
	struct syn_print print;

	(void)state;
	syn_print_take(&print, &segment);
	assert_int_equal(print.window, 64240);
	assert_int_equal(print.ttl, 64);
	assert_int_equal(print.mss, 1460);
	assert_int_equal(print.wscale, 255);
	assert_int_equal(print.option_count, sizeof(kinds));
	assert_memory_equal(print.options, kinds, sizeof(kinds));
}

static void keeps_the_first_of_many_options_and_counts_all(void **state)
{
	uint8_t options[40];
	const struct segment segment = {.option_bytes = options, .option_len = sizeof(options)};
	struct syn_print print;

	(void)state;
	memset(options, 1, sizeof(options));
	syn_print_take(&print, &segment);
	assert_int_equal(print.option_count, 40);
	assert_int_equal(print.options[SYN_PRINT_OPTIONS - 1], 1);
	/* A length past the end is the end. */
	options[0] = 2;
	options[1] = 41;
	syn_print_take(&print, &segment);
	assert_int_equal(print.option_count, 1);
}

static void asks_for_nothing_by_name(void **state)
{
	struct claim claim;

	(void)state;
	open_claim(&claim, "none", NULL);
	assert_true(claim_is_empty(&claim));
	claim_free(&claim);
	open_claim(&claim, "80", NULL);
	assert_false(claim_is_empty(&claim));
	claim_free(&claim);
}

static void reads_an_endpoint_as_it_was_written(void **state)
{
	struct app_endpoint endpoint = {.magic = APP_MAGIC, .kind = APP_OFFER, .port = 80}, out;

	(void)state;
	assert_true(app_endpoint_parse(&endpoint, sizeof(endpoint), &out));
	assert_memory_equal(&out, &endpoint, sizeof(out));
	assert_false(app_endpoint_parse(&endpoint, sizeof(endpoint) - 1, &out));
	endpoint.is_v6only = 2;
	assert_false(app_endpoint_parse(&endpoint, sizeof(endpoint), &out));
	endpoint.is_v6only = 1;
	endpoint.padding[1] = 1;
	assert_false(app_endpoint_parse(&endpoint, sizeof(endpoint), &out));
	endpoint.padding[1] = 0;
	endpoint.kind = APP_DONE;
	assert_false(app_endpoint_parse(&endpoint, sizeof(endpoint), &out));
	endpoint.kind = APP_WITHDRAW;
	assert_true(app_endpoint_parse(&endpoint, sizeof(endpoint), &out));
	endpoint.port = 0;
	assert_false(app_endpoint_parse(&endpoint, sizeof(endpoint), &out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_for_nothing_by_name),
		cmocka_unit_test(reads_an_endpoint_as_it_was_written),
		cmocka_unit_test(reads_a_request_as_it_was_written),
		cmocka_unit_test(refuses_a_request_that_is_cut_or_too_long),
		cmocka_unit_test(refuses_a_text_within_a_text),
		cmocka_unit_test(takes_all_ports_and_any_address_if_nothing_is_said),
		cmocka_unit_test(says_what_is_malformed),
		cmocka_unit_test(finds_the_first_port_that_is_not_among_those_allowed),
		cmocka_unit_test(finds_a_prefix_that_is_not_within_those_allowed),
		cmocka_unit_test(two_meet_at_a_port_and_an_address),
		cmocka_unit_test(reads_whose_a_socket_is),
		cmocka_unit_test(tells_the_order_of_a_syns_options),
		cmocka_unit_test(keeps_the_first_of_many_options_and_counts_all),
	};

	return cmocka_run_group_tests_name("claim", tests, take_all_ports, NULL);
}
