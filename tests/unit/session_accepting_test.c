/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A session whose wire accepts: the kernel's connections, in a queue of this host, to the service. */
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include "session_fixture.h"

#include "accepted_flows.h"
#include "accepting.h"
#include "own_netns.h"

#define CLIENTS_MAX 8

static struct fake_worker *const worker = &workers[0];
static int listener, clients[CLIENTS_MAX];
static unsigned int client_count, accepted_count, accept_calls;
static struct endpoint local; /* where the clients connect to */
static int accept_err; /* of the next call, once */
static struct rlimit limit;

/* The remotes are named in the order in which they come. */
static int accept_queued(struct wire *wire, struct accepted *out)
{
	const int err = accept_err;
	int fd;

	(void)wire;
	accept_calls++;
	accept_err = 0;
	if (err)
		return err;
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return -errno;
	*out = (struct accepted){.fd = fd};
	out->tuple.remote = tuple_of((uint16_t)(FIRST_PORT + accepted_count++)).remote;
	return 0;
}

/* A round ends with its turn of the loop: no packet is ever asked for. */
static void end_round(void *context, uint32_t events)
{
	(void)context, (void)events;
	session_stop(worker->session);
}

static int fd_of_listener(const struct wire *wire)
{
	(void)wire;
	return listener;
}

static const struct wire_ops accepting_ops = {
	.receive = receive_fake,
	.send = send_fake,
	.flush = flush_fake,
	.replay = replay_fake,
	.accept = accept_queued,
	.fd = fd_of_listener,
};

static void hear_of_end(void *context, const struct tuple *tuple, uint64_t flow_ns)
{
	(void)context;
	session_closed(worker->session, tuple, flow_ns);
}

static void listen_somewhere(void)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(name);

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&name, len), 0);
	assert_int_equal(listen(listener, CLIENTS_MAX), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &len), 0);
	assert_true(endpoint_from_sockaddr((struct sockaddr *)&name, &local));
}

/* The session of the fixture once more, as method accept has it. */
static void open_again(void)
{
	const struct service_options service = {.max_children = 1, .closed = hear_of_end};
	struct session_options options = worker->session->options;
	const char *error;

	session_free(worker->session);
	service_free(worker->service);
	worker->wire.wire.ops = &accepting_ops;
	assert_int_equal(service_new(&worker->service, "hold", &service, worker->loop, &error), 0);
	options.service = worker->service;
	options.maker = NULL;
	options.closing = NULL;
	assert_int_equal(session_new(&worker->session, &options), 0);
	assert_int_equal(eventfd_write(worker->wire.fd, 1), 0);
	assert_int_equal(loop_add(worker->loop, worker->wire.fd, EPOLLIN, end_round, NULL, NULL),
			 0);
}

static int set_up_accepting(void **state)
{
	set_up(state);
	client_count = accepted_count = accept_calls = 0;
	accept_err = 0;
	getrlimit(RLIMIT_NOFILE, &limit);
	listen_somewhere();
	open_again();
	return 0;
}

static int tear_down_accepting(void **state)
{
	setrlimit(RLIMIT_NOFILE, &limit);
	for (unsigned int i = 0; i < client_count; i++)
		close(clients[i]);
	close(listener);
	return tear_down(state);
}

/* A client whose connection is in the queue. */
static void connect_client(void)
{
	struct sockaddr_storage name;
	const socklen_t len = endpoint_to_sockaddr(&local, 0, &name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && client_count < CLIENTS_MAX);
	assert_int_equal(connect(fd, (struct sockaddr *)&name, len), 0);
	clients[client_count++] = fd;
}

static void connect_clients(unsigned int count)
{
	while (count--)
		connect_client();
}

static void take_clients(void)
{
	while (accepted_count < client_count)
		run_round(0);
}

/* As many as there are now, and none more. */
static void use_up_descriptors(void)
{
	struct rlimit used = limit;
	int next = dup(listener);

	assert_true(next >= 0);
	close(next);
	used.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &used), 0);
}

static bool is_reset(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET;
}

static bool is_open(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void connections_are_taken_in_their_order(void **state)
{
	(void)state;
	connect_clients(3);
	take_clients();
	assert_int_equal(note_count, 6);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(notes[2 * i].port, FIRST_PORT + i);
	EXPECT_NOTES(2000, "<established>, <handed_off>");
	EXPECT_NOTES(2001, "<established>, <handed_off>");
	EXPECT_NOTES(2002, "<established>, <handed_off>");
	assert_int_equal(stats_of(0)->established, 3);
	assert_int_equal(stats_of(0)->handed_off, 3);
	assert_int_equal(service_active(worker->service), 3);
	assert_int_equal(worker->events.unflushed, 0);
}

static void no_more_are_taken_than_are_asked_for(void **state)
{
	(void)state;
	connect_clients(3);
	assert_int_equal(accepting_take(worker->session, 2), 2);
	assert_int_equal(service_active(worker->service), 2);
	assert_int_equal(accepting_take(worker->session, 2), 1);
	assert_int_equal(accepting_take(worker->session, 2), 0);
	assert_int_equal(service_active(worker->service), 3);
}

static void as_many_are_asked_for_as_there_were_the_last_time(void **state)
{
	(void)state;
	connect_client();
	take_clients();
	assert_int_equal(accept_calls, 1);
	/* 1, 2, and the last one when 4 were asked for. */
	connect_clients(4);
	take_clients();
	run_round(0);
	assert_int_equal(accept_calls, 1 + 1 + 2 + 2);
	accept_calls = 0;
	connect_clients(3);
	take_clients();
	assert_int_equal(accept_calls, 4);
	assert_int_equal(service_active(worker->service), 8);
}

/* Of the only connection that the service has. */
static bool keep_tuple(void *context, const struct tuple *tuple, uint64_t created_ns)
{
	(void)created_ns;
	*(struct tuple *)context = *tuple;
	return true;
}

static struct tuple tuple_of_service(void)
{
	struct tuple tuple;

	assert_int_equal(service_visit(worker->service, keep_tuple, &tuple), 1);
	return tuple;
}

static void the_service_gets_both_ends(void **state)
{
	struct tuple expected = {.local = local, .remote = tuple_of(2000).remote}, tuple;

	(void)state;
	connect_client();
	take_clients();
	tuple = tuple_of_service();
	assert_true(tuple_is_equal(&tuple, &expected));
}

/* The local end, which takes a system call, is asked for when somebody wants it. */
static void without_readers_nobody_is_told(void **state)
{
	struct tuple expected = {.local = local, .remote = tuple_of(2000).remote}, tuple;

	(void)state;
	events_are_read = false;
	connect_client();
	take_clients();
	EXPECT_NOTES(2000, "");
	assert_int_equal(stats_of(0)->established, 1);
	tuple = tuple_of_service();
	assert_true(tuple_is_equal(&tuple, &expected));
}

static void the_end_of_a_connection_is_counted_and_told(void **state)
{
	(void)state;
	connect_clients(2);
	take_clients();
	forget_notes();
	close(clients[0]);
	clients[0] = clients[--client_count];
	while (service_active(worker->service) == 2)
		run_loop();
	EXPECT_NOTES(2000, "<closed>");
	EXPECT_NOTES(2001, "");
	assert_int_equal(stats_of(0)->closed, 1);
}

static void for_want_of_descriptors_one_is_refused_by_the_spare_one(void **state)
{
	(void)state;
	connect_clients(2);
	use_up_descriptors();
	take_clients();
	EXPECT_NOTES(2000, "<reset no_descriptors>");
	EXPECT_NOTES(2001, "<reset no_descriptors>");
	assert_true(is_reset(clients[0]) && is_reset(clients[1]));
	assert_int_equal(stats_of(0)->handoff_failed, 2);
	assert_int_equal(stats_of(0)->no_descriptors, 2);
	assert_int_equal(stats_of(0)->established, 0);
	assert_true(worker->session->spare_fd >= 0);
	setrlimit(RLIMIT_NOFILE, &limit);
	connect_client();
	take_clients();
	EXPECT_NOTES(2002, "<established>, <handed_off>");
	assert_true(is_open(clients[2]));
}

static void without_a_spare_one_they_wait(void **state)
{
	(void)state;
	close(worker->session->spare_fd);
	worker->session->spare_fd = -1;
	connect_client();
	use_up_descriptors();
	run_round(0);
	run_round(0);
	EXPECT_NOTES(2000, "");
	assert_true(is_open(clients[0]));
	setrlimit(RLIMIT_NOFILE, &limit);
	take_clients();
	EXPECT_NOTES(2000, "<established>, <handed_off>");
}

static void what_a_source_may_not_have_is_reset_until_there_is_room(void **state)
{
	const struct sources_options sources = {
		.max = 2, .bits_v4 = 8, .bits_v6 = 64, .max_flows = 8};
	struct closing_options bounded = {.loop = worker->loop, .ports = &ports};

	(void)state;
	assert_int_equal(accepted_flows_new(&bounded.flows, &sources), 0);
	assert_int_equal(closing_new(&worker->session->closing, &bounded), 0);
	worker->session->flows = bounded.flows;
	connect_clients(3);
	take_clients();
	assert_true(is_open(clients[0]) && is_open(clients[1]) && is_reset(clients[2]));
	assert_int_equal(stats_of(0)->source_full, 1);
	assert_int_equal(stats_of(0)->handed_off, 2);
	assert_int_equal(stats_of(0)->handoff_failed, 0);
	EXPECT_NOTES(2002, "");
	bounded.flows->ops->close(bounded.flows, &(struct tuple){local, tuple_of(2000).remote});
	connect_client();
	take_clients();
	assert_true(is_open(clients[3]));
	closing_free(worker->session->closing);
	accepted_flows_free(bounded.flows);
}

/* One that was reset in the queue, say. */
static void another_error_ends_the_round_and_not_the_next_one(void **state)
{
	(void)state;
	connect_client();
	accept_err = -ECONNABORTED;
	assert_int_equal(accepting_take(worker->session, 8), 0);
	assert_int_equal(stats_of(0)->handoff_failed, 0);
	assert_int_equal(accepting_take(worker->session, 8), 1);
}

static void what_is_in_the_queue_is_taken_before_it_ends(void **state)
{
	(void)state;
	connect_clients(2);
	session_leave(worker->session);
	EXPECT_NOTES(2000, "<established>, <handed_off>");
	EXPECT_NOTES(2001, "<established>, <handed_off>");
}

#define accepting_test(f) cmocka_unit_test_setup_teardown(f, set_up_accepting, tear_down_accepting)

int main(void)
{
	const struct CMUnitTest tests[] = {
		accepting_test(connections_are_taken_in_their_order),
		accepting_test(no_more_are_taken_than_are_asked_for),
		accepting_test(as_many_are_asked_for_as_there_were_the_last_time),
		accepting_test(the_service_gets_both_ends),
		accepting_test(without_readers_nobody_is_told),
		accepting_test(the_end_of_a_connection_is_counted_and_told),
		accepting_test(for_want_of_descriptors_one_is_refused_by_the_spare_one),
		accepting_test(without_a_spare_one_they_wait),
		accepting_test(what_a_source_may_not_have_is_reset_until_there_is_room),
		accepting_test(another_error_ends_the_round_and_not_the_next_one),
		accepting_test(what_is_in_the_queue_is_taken_before_it_ends),
	};

	if (!own_netns_enter())
		return own_netns_skip("session_accepting_test");
	return cmocka_run_group_tests_name("session_accepting", tests, NULL, NULL);
}
