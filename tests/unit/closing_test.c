/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The end of connections as this kernel tells of it; every order of words is in session_closing_test. */
#include "closing.h"

#include <poll.h>
#include <time.h>

#include "service_fixture.h"
#include "sock_diag.h"

static struct closing *closing;
static struct events *events;
static struct port_set ports;
static int server, heard;
static enum nol_flow_state flow_state; /* of tuple */
static unsigned int closed;

/* Only what the kernel has no socket of any more. */
static int close_flow(struct flows *unused, const struct tuple *of)
{
	uint8_t state;

	(void)unused;
	if (!tuple_is_equal(of, &tuple) || flow_state != NOL_FLOW_HANDED_OFF)
		return -ENOENT;
	assert_int_equal(sock_diag_find(of, 0, &state), -ENOENT);
	flow_state = NOL_FLOW_CLOSED;
	closed++;
	return 0;
}

static int get_flow(struct flows *unused, const struct tuple *of, struct nol_flow *out)
{
	(void)unused;
	(void)of;
	*out = (struct nol_flow){.state = flow_state};
	return 0;
}

static int visit_flow(struct flows *unused, flow_fn fn, void *context)
{
	const struct nol_flow flow = {.state = flow_state};

	(void)unused;
	fn(context, &tuple, &flow);
	return 1;
}

static const struct flows_ops flows_ops = {
	.close = close_flow, .get = get_flow, .visit = visit_flow};
static struct flows flows = {.ops = &flows_ops};

/* Both sockets go at once, with no TIME-WAIT. */
static void reset_connection(void)
{
	reset_client();
	close(server);
	server = -1;
}

static int bind_as(const struct endpoint *endpoint)
{
	struct sockaddr_storage address;
	socklen_t len = endpoint_to_sockaddr(endpoint, 0, &address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	return fd;
}

/* The same ports again. */
static void connect_again(void)
{
	struct sockaddr_storage address;
	socklen_t len = endpoint_to_sockaddr(&tuple.local, 0, &address);
	int listener = bind_as(&tuple.local);

	assert_int_equal(listen(listener, 1), 0);
	client = bind_as(&tuple.remote);
	assert_int_equal(connect(client, (struct sockaddr *)&address, len), 0);
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(server >= 0);
	close(listener);
}

static void hear(void *context, const struct tuple *of, uint8_t tcp_state)
{
	bool *is_heard = context;

	(void)tcp_state;
	*is_heard = *is_heard || tuple_is_equal(of, &tuple);
}

/* Until the word of our end is there. `heard` has it last, so that closing has it too. */
static void wait_for_word(void)
{
	struct pollfd poller = {.fd = heard, .events = POLLIN};
	bool is_heard = false;

	while (!is_heard) {
		assert_int_equal(poll(&poller, 1, DEADLINE_S * 1000), 1);
		assert_true(sock_diag_read(heard, hear, &is_heard) > 0);
	}
}

static void a_destroyed_socket_ends_its_flow(void **state)
{
	(void)state;
	reset_connection();
	RUN_UNTIL(closed);
	assert_int_equal(flow_state, NOL_FLOW_CLOSED);
	assert_int_equal(closing_count(closing), 1);
}

static void a_late_word_spares_the_next_connection_of_the_same_ports(void **state)
{
	const struct nol_flow old = {.method = NOL_METHOD_ENGINE};

	(void)state;
	reset_connection();
	wait_for_word();
	closing_replaced(closing, &tuple, &old, events);
	connect_again();
	assert_true(loop_wait(loop, 10000) > 0);
	assert_int_equal(flow_state, NOL_FLOW_HANDED_OFF);
	reset_connection();
	RUN_UNTIL(closed);
	assert_int_equal(closing_count(closing), 2);
}

/* More than there is room for; it is the same for both. */
static void lose_words(void)
{
	struct pollfd poller = {.fd = heard};
	time_t deadline = time(NULL) + DEADLINE_S;

	while (!(poller.revents & POLLERR)) {
		for (int i = 0; i < 100; i++)
			close(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
		assert_true(poll(&poller, 1, 0) >= 0 && time(NULL) < deadline);
	}
}

static void what_ends_behind_lost_words_is_heard(void **state)
{
	(void)state;
	lose_words();
	assert_true(loop_wait(loop, 10000) > 0);
	assert_int_equal(flow_state, NOL_FLOW_HANDED_OFF);
	reset_connection();
	RUN_UNTIL(closed);
}

static int set_up(void **state)
{
	const struct events_options events_options = {.is_quiet = true};
	struct closing_options options = {.flows = &flows, .ports = &ports};

	(void)state;
	closed = 0;
	flow_state = NOL_FLOW_HANDED_OFF;
	client = connect_pair(&server);
	port_set_add(&ports, tuple.local.port);
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(events_new(&events, &events_options), 0);
	heard = sock_diag_watch();
	assert_true(heard >= 0);
	options.loop = loop;
	options.events = events;
	assert_int_equal(closing_new(&closing, &options), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	closing_free(closing);
	events_free(events);
	loop_free(loop);
	close(heard);
	return 0;
}

#define closing_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		closing_test(a_destroyed_socket_ends_its_flow),
		closing_test(a_late_word_spares_the_next_connection_of_the_same_ports),
		closing_test(what_ends_behind_lost_words_is_heard),
	};

	if (!own_netns_enter())
		return own_netns_skip("closing");
	return cmocka_run_group_tests_name("closing", tests, NULL, NULL);
}
