/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whose a segment is, asked of the kernel of a namespace of our own, and what is remembered of its answer. */
#include "bpfless.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "cmocka_setup.h"
#include "own_netns.h"

static const struct bpfless_ops ops = {.method = NOL_METHOD_FILTER};
static struct port_set ports;
static struct bpfless bpfless;
static uint64_t now_ns;
static int client, server;
static struct tuple tuple; /* as the server has it */

static void connect_both(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	tuple.local.addr = tuple.remote.addr = addr_from_v4(&address.sin_addr.s_addr);
	tuple.local.port = ntohs(address.sin_port);
	client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(client, (struct sockaddr *)&address, &len), 0);
	tuple.remote.port = ntohs(address.sin_port);
	server = accept(listener, NULL, NULL);
	assert_true(server >= 0);
	close(listener);
}

/* Both sockets are gone at once. */
static void reset_both(void)
{
	const struct linger hard = {.l_onoff = 1};

	setsockopt(client, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(client);
	close(server);
	client = server = -1;
}

static bool takes(uint8_t flags)
{
	const struct segment segment = {.tuple = tuple, .flags = flags, .window = 1000};

	return bpfless_takes(&bpfless, &segment, now_ns);
}

static bool takes_data(uint8_t flags)
{
	const struct segment segment = {
		.tuple = tuple, .flags = flags, .window = 1000, .payload_len = 5};

	return bpfless_takes(&bpfless, &segment, now_ns);
}

static void what_a_socket_owns_is_left_to_it(void **state)
{
	(void)state;
	assert_false(takes(TCP_ACK));
	assert_int_equal(bpfless.stats.ingress_owned, 1);
}

static void the_last_acknowledgement_is_no_stray(void **state)
{
	(void)state;
	assert_false(takes(TCP_ACK));
	reset_both();
	assert_false(takes(TCP_ACK));
	now_ns += CLOCK_NS_PER_S + 1;
	assert_true(takes(TCP_ACK));
}

static void a_syn_is_asked_for_anew(void **state)
{
	(void)state;
	assert_false(takes(TCP_ACK));
	reset_both();
	assert_true(takes(TCP_SYN));
}

/* The kernel may have the RST still to come when it is asked, or may have been asked before. */
static void nothing_is_remembered_behind_a_reset(void **state)
{
	(void)state;
	for (int asked_before = 0; asked_before < 2; asked_before++) {
		assert_true(!asked_before || !takes(TCP_ACK));
		assert_false(takes(TCP_RST));
		reset_both();
		assert_true(takes(TCP_ACK));
		connect_both();
		port_set_add(&ports, tuple.local.port);
	}
	assert_int_equal(bpfless.stats.held_stray, 2);
}

/* The word that a socket is gone comes late. */
static void hand_off(void)
{
	struct nol_flow old;

	assert_int_equal(bpfless_open_flow(&bpfless.table, &tuple, now_ns, &old), 0);
	assert_int_equal(bpfless_hand_off_flow(&bpfless.table, &tuple, 0), 0);
}

static void what_comes_behind_a_reset_is_no_longer_of_the_flow(void **state)
{
	(void)state;
	hand_off();
	assert_false(takes(TCP_ACK));
	assert_false(takes(TCP_RST));
	assert_false(takes(TCP_ACK));
	reset_both();
	/* It was there a moment ago. */
	assert_false(takes(TCP_ACK));
	assert_false(takes(TCP_RST));
	assert_true(takes(TCP_ACK));
}

/* The acknowledgement of our FIN may be what the socket went with. */
static void what_comes_behind_a_fin_is_no_longer_of_the_flow(void **state)
{
	(void)state;
	for (int was_handed_off = 0; was_handed_off < 2; was_handed_off++) {
		if (was_handed_off)
			hand_off();
		assert_false(takes(TCP_FIN | TCP_ACK));
		assert_false(takes_data(TCP_ACK));
		reset_both();
		now_ns += CLOCK_NS_PER_S / 20;
		assert_false(takes(TCP_ACK));
		assert_true(takes_data(TCP_ACK));
		assert_true(takes(TCP_FIN | TCP_ACK));
		connect_both();
		port_set_add(&ports, tuple.local.port);
	}
}

static int set_up(void **state)
{
	const struct bpfless_options options = {
		.ifname = "lo", .ifindex = 1, .mtu = 1500, .max_flows = 16, .ports = &ports};
	struct prefix loopback;

	(void)state;
	connect_both();
	ports = (struct port_set){0};
	port_set_add(&ports, tuple.local.port);
	bpfless = (struct bpfless){0};
	now_ns = clock_monotonic_ns();
	assert_true(prefix_parse("127.0.0.0/8", &loopback));
	return bpfless_init(&bpfless, &ops, &options) ||
	       bpfless_add_prefix(&bpfless.gate, &loopback);
}

static int tear_down(void **state)
{
	(void)state;
	reset_both();
	bpfless_release(&bpfless);
	return 0;
}

#define bpfless_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		bpfless_test(what_a_socket_owns_is_left_to_it),
		bpfless_test(the_last_acknowledgement_is_no_stray),
		bpfless_test(a_syn_is_asked_for_anew),
		bpfless_test(nothing_is_remembered_behind_a_reset),
		bpfless_test(what_comes_behind_a_reset_is_no_longer_of_the_flow),
		bpfless_test(what_comes_behind_a_fin_is_no_longer_of_the_flow),
	};

	if (!own_netns_enter())
		return own_netns_skip("bpfless");
	return cmocka_run_group_tests_name("bpfless", tests, NULL, NULL);
}
