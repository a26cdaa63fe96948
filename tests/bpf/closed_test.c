/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Real sockets on lo, flows with their addresses: the tracepoint closes what was handed off, and tells of it. */
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "fixture.h"

static int client, server;
static struct tuple tuple; /* of the server's end */
static struct nol_closed last;
static int closed_fd;

static void take_closed(void *context, const struct nol_closed *closed)
{
	(void)context;
	last = *closed;
}

static int count_closed(void)
{
	return kern_closed_take(kern, take_closed, NULL);
}

/* A connection to this local address of ours; both ends. */
static void connect_pair(const char *local)
{
	struct sockaddr_storage address;
	struct endpoint endpoint = {0};
	socklen_t len;
	int listener;

	assert_true(addr_parse(local, &endpoint.addr));
	len = endpoint_to_sockaddr(&endpoint, 0, &address);
	listener = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	client = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	assert_true(endpoint_from_sockaddr((struct sockaddr *)&address, &tuple.local));
	assert_int_equal(connect(client, (struct sockaddr *)&address, len), 0);
	server = accept4(listener, (struct sockaddr *)&address, &len, SOCK_CLOEXEC);
	assert_true(server >= 0);
	assert_true(endpoint_from_sockaddr((struct sockaddr *)&address, &tuple.remote));
	close(listener);
}

static void begin_unwatched(const char *local, enum nol_flow_state state)
{
	const struct nol_flow flow = {
		.state = state, .method = NOL_METHOD_XDP, .held = 3, .created_ns = 1234};

	connect_pair(local);
	assert_int_equal(kern_flow_add(kern, &tuple, &flow), 0);
}

static void begin(const char *local, enum nol_flow_state state)
{
	begin_unwatched(local, state);
	assert_int_equal(count_closed(), 0);
}

static void reset(int fd)
{
	const struct linger linger = {.l_onoff = 1};

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(fd);
}

static enum nol_flow_state state_now(void)
{
	struct nol_flow flow;

	assert_int_equal(kern_flow_get(kern, &tuple, &flow), 0);
	assert_int_equal(flow.held, 3);
	return flow.state;
}

static void assert_told(void)
{
	struct tuple told;

	assert_int_equal(count_closed(), 1);
	kern_flow_tuple(&last.key, &told);
	assert_true(tuple_is_equal(&told, &tuple));
	assert_int_equal(last.method, NOL_METHOD_XDP);
	assert_int_equal(last.created_ns, 1234);
	assert_int_equal(state_now(), NOL_FLOW_CLOSED);
}

static void closes_a_flow_whose_socket_was_reset(void **state)
{
	(void)state;
	begin("127.0.0.1", NOL_FLOW_HANDED_OFF);
	assert_int_equal(state_now(), NOL_FLOW_HANDED_OFF);
	reset(client);
	assert_told();
	close(server);
	assert_int_equal(count_closed(), 0);
}

/* As when the first one is interrupted. */
static void the_second_program_sees_what_the_first_one_has_not(void **state)
{
	struct bpf_link *link = bpf_program__attach(kern->skel->progs.nol_tp_missed);

	(void)state;
	assert_non_null(link);
	begin_unwatched("127.0.0.1", NOL_FLOW_HANDED_OFF);
	reset(client);
	assert_true(kern_closed_watch(kern) >= 0);
	assert_told();
	close(server);
	bpf_link__destroy(link);
}

static void closes_a_flow_of_ipv6(void **state)
{
	(void)state;
	begin("::1", NOL_FLOW_HANDED_OFF);
	reset(server);
	assert_told();
	close(client);
}

/* The kernel has the connection while there is something left to do for it. */
static void closes_a_flow_with_the_last_segment(void **state)
{
	(void)state;
	begin("127.0.0.1", NOL_FLOW_HANDED_OFF);
	close(server);
	assert_int_equal(count_closed(), 0);
	assert_int_equal(state_now(), NOL_FLOW_HANDED_OFF);
	close(client);
	assert_told();
}

static void a_socket_that_is_gone_before_the_hand_off_is_told_of_behind_it(void **state)
{
	(void)state;
	begin("127.0.0.1", NOL_FLOW_SYN_RECEIVED);
	reset(client);
	assert_int_equal(count_closed(), 0);
	assert_int_equal(state_now(), NOL_FLOW_GONE);
	assert_int_equal(kern_flow_change(kern, &tuple, NOL_FLOW_HANDED_OFF, 2), -EAGAIN);
	assert_int_equal(kern_flow_change(kern, &tuple, NOL_FLOW_HANDED_OFF, 3), 0);
	assert_told();
	close(server);
}

static void a_flow_without_a_socket_is_held_all_the_same(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_GONE);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_FLOW);
}

static void leaves_other_sockets_alone(void **state)
{
	(void)state;
	connect_pair("127.0.0.1");
	reset(client);
	close(server);
	assert_int_equal(count_closed(), 0);
}

/* A connect() that finds no place for its socket says nothing about the flow that is there. */
static void a_connect_that_fails_ends_no_flow(void **state)
{
	struct sockaddr_storage local, remote;
	socklen_t len;
	const int on = 1;
	int again = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	begin("127.0.0.1", NOL_FLOW_SYN_RECEIVED);
	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(again, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	len = endpoint_to_sockaddr(&tuple.local, 0, &local);
	endpoint_to_sockaddr(&tuple.remote, 0, &remote);
	assert_int_equal(bind(again, (struct sockaddr *)&local, len), 0);
	assert_int_equal(connect(again, (struct sockaddr *)&remote, len), -1);
	assert_int_equal(errno, EADDRNOTAVAIL);
	assert_int_equal(state_now(), NOL_FLOW_SYN_RECEIVED);
	close(again);
	reset(client);
	close(server);
}

/* Until the ring is half full. */
static void wakes_nobody_who_reads_at_ticks(void **state)
{
	struct pollfd poll_fd = {.fd = closed_fd, .events = POLLIN};
	const struct nol_flow flow = {.state = NOL_FLOW_HANDED_OFF, .method = NOL_METHOD_XDP};
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC), ended = 0;
	struct epoll_event event = {.events = EPOLLIN};

	(void)state;
	assert_int_equal(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, closed_fd, &event), 0);
	kern_config(kern)->reads_ends = 1;
	while (epoll_wait(epoll_fd, &event, 1, 0) == 0 && ended < 16384) {
		connect_pair("127.0.0.1");
		assert_int_equal(kern_flow_add(kern, &tuple, &flow), 0);
		reset(client);
		close(server);
		assert_int_equal(kern_flow_remove(kern, &tuple, NULL), 0);
		ended++;
	}
	assert_in_range(ended, 2000, 16383);
	assert_int_equal(poll(&poll_fd, 1, 0), 1);
	assert_int_equal(count_closed(), ended);
	close(epoll_fd);
}

static void wakes_who_sleeps_and_nobody_who_polls(void **state)
{
	struct pollfd poll_fd = {.fd = closed_fd, .events = POLLIN};
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN};

	(void)state;
	assert_int_equal(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, closed_fd, &event), 0);
	begin("127.0.0.1", NOL_FLOW_HANDED_OFF);
	kern_config(kern)->spinning[0] = 1;
	reset(client);
	assert_int_equal(epoll_wait(epoll_fd, &event, 1, 0), 0); /* not woken */
	assert_int_equal(poll(&poll_fd, 1, 0), 1); /* but it is there */
	assert_told();
	close(server);
	kern_config(kern)->spinning[0] = 0;
	begin("127.0.0.1", NOL_FLOW_HANDED_OFF);
	reset(client);
	assert_int_equal(epoll_wait(epoll_fd, &event, 1, 10000), 1);
	assert_told();
	close(server);
	close(epoll_fd);
}

static int set_up(void **state)
{
	fixture_setup(state);
	closed_fd = kern_closed_watch(kern);
	return closed_fd >= 0 ? 0 : -1;
}

#define closed_test(f) cmocka_unit_test_setup_teardown(f, set_up, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		closed_test(closes_a_flow_whose_socket_was_reset),
		fixture_test(the_second_program_sees_what_the_first_one_has_not),
		closed_test(closes_a_flow_of_ipv6),
		closed_test(closes_a_flow_with_the_last_segment),
		closed_test(a_socket_that_is_gone_before_the_hand_off_is_told_of_behind_it),
		closed_test(a_flow_without_a_socket_is_held_all_the_same),
		closed_test(leaves_other_sockets_alone),
		closed_test(a_connect_that_fails_ends_no_flow),
		closed_test(wakes_nobody_who_reads_at_ticks),
		closed_test(wakes_who_sleeps_and_nobody_who_polls),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("closed", tests, NULL, NULL);
}
