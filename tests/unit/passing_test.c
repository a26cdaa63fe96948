/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Service socket, with an application that reads its end of the pair or does not. */
#include "cmocka_setup.h"
#include "service_fixture.h"

#include "app_protocol.h"
#include "fd_message.h"
#include "passing.h"
#include "syn_print.h"

#define MANY 40

static struct passing_stats stats;
static int clients[MANY];

static void open_service(const char *fallback, uint32_t queue_max, uint64_t queue_ms)
{
	const struct service_options options = {
		.fallback = fallback,
		.queue_max = queue_max,
		.queue_ns = queue_ms * CLOCK_NS_PER_MS,
	};
	const char *error;

	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(service_new(&service, "socket:/x", &options, loop, &error), 0);
	for (size_t i = 0; i < MANY; i++)
		clients[i] = -1;
}

static void close_service(void)
{
	for (size_t i = 0; i < MANY; i++)
		if (clients[i] >= 0)
			close(clients[i]);
	service_free(service);
	loop_free(loop);
}

/* An application that wants what connect_pair() gives; its end, a copy as it would get. */
static int join(uint32_t number)
{
	struct port_set ports = {0};
	const struct passing_claim claim = {.number = number, .ports = &ports};
	int fd;

	memset(&ports, 0xff, sizeof(ports));
	assert_int_equal(passing_join(service, &claim, &fd), 0);
	return dup(fd);
}

static int take(size_t i)
{
	int fd;

	clients[i] = connect_pair(&fd);
	return service_take(service, fd, &tuple);
}

static void take_many(size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(take(i), 0);
	service_flush(service);
}

/* The connections of the next message; 0: there is none. */
static size_t read_batch(int end, struct app_batch *batch, int fds[APP_BATCH])
{
	size_t count;
	ssize_t len = fd_message_receive(end, batch, sizeof(*batch), fds, APP_BATCH, &count);

	if (len == -EAGAIN)
		return 0;
	assert_int_equal(batch->magic, APP_MAGIC);
	assert_int_equal(len, app_batch_size(batch->count));
	assert_int_equal(count, batch->count);
	return count;
}

static const struct passing_stats *read_stats(void)
{
	passing_read(service, &stats);
	return &stats;
}

/* Waits for what comes: 0 is the end of the stream. */
static ssize_t receive_byte(int fd)
{
	char byte;

	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	return recv(fd, &byte, 1, 0);
}

static bool is_reset(int fd)
{
	return receive_byte(fd) < 0 && errno == ECONNRESET;
}

static void passes_what_a_round_brought_in_one_message(void **state)
{
	struct app_batch batch;
	int fds[APP_BATCH], end;

	(void)state;
	open_service(NULL, 100, 5000);
	end = join(1);
	take_many(MANY);
	assert_int_equal(read_batch(end, &batch, fds), APP_BATCH);
	assert_int_equal(send(clients[0], "x", 1, 0), 1);
	assert_int_equal(receive_byte(fds[0]), 1);
	fd_message_close(fds, APP_BATCH);
	assert_int_equal(read_batch(end, &batch, fds), MANY - APP_BATCH);
	fd_message_close(fds, MANY - APP_BATCH);
	assert_int_equal(read_batch(end, &batch, fds), 0);
	assert_int_equal(service_active(service), 0);
	assert_int_equal(read_stats()->passed, MANY);
	close(end);
	close_service();
}

static void tells_who_is_who_and_the_syn_if_it_is_known(void **state)
{
	const struct syn_print syn = {
		.window = 64240, .ttl = 63, .option_count = 1, .options = {2}};
	const struct arrival arrival = {.method = 2, .syn = &syn};
	struct app_batch batch;
	int fds[APP_BATCH], fd, end;

	(void)state;
	open_service(NULL, 100, 5000);
	end = join(1);
	clients[0] = connect_pair(&fd);
	assert_int_equal(service_take_arrival(service, fd, &tuple, &arrival, false), 0);
	service_flush(service);
	assert_int_equal(read_batch(end, &batch, fds), 1);
	assert_memory_equal(batch.records[0].remote_addr, tuple.remote.addr.bytes, 16);
	assert_int_equal(batch.records[0].local_port, tuple.local.port);
	assert_int_equal(batch.records[0].remote_port, tuple.remote.port);
	assert_int_equal(batch.records[0].method, 2);
	assert_true(batch.records[0].has_syn);
	assert_int_equal(batch.records[0].syn_ttl, 63);
	assert_int_equal(batch.records[0].syn_options[0], 2);
	close(fds[0]);
	take_many(1);
	assert_int_equal(read_batch(end, &batch, fds), 1);
	assert_false(batch.records[0].has_syn);
	close(fds[0]);
	close(end);
	close_service();
}

static void the_applications_close_is_the_connections(void **state)
{
	struct app_batch batch;
	int fds[APP_BATCH], end;

	(void)state;
	open_service(NULL, 100, 5000);
	end = join(1);
	take_many(1);
	assert_int_equal(read_batch(end, &batch, fds), 1);
	close(fds[0]);
	assert_int_equal(receive_byte(clients[0]), 0);
	close(end);
	close_service();
}

static void resets_what_nobody_has_asked_for(void **state)
{
	(void)state;
	open_service(NULL, 100, 5000);
	assert_int_equal(take(0), -ECONNREFUSED);
	assert_true(is_reset(clients[0]));
	assert_int_equal(read_stats()->not_asked, 1);
	assert_int_equal(service_refused(service), 1);
	close_service();
}

static void resets_what_the_queue_has_no_room_for(void **state)
{
	struct app_batch batch;
	int fds[APP_BATCH], end;

	(void)state;
	open_service(NULL, 5, 5000);
	end = join(1);
	take_many(5);
	assert_int_equal(take(5), -ENOBUFS);
	assert_true(is_reset(clients[5]));
	assert_int_equal(read_stats()->queue_full, 1);
	/* What it has read makes room. */
	assert_int_equal(read_batch(end, &batch, fds), 5);
	fd_message_close(fds, 5);
	assert_int_equal(take(6), 0);
	close(end);
	close_service();
}

static void resets_what_waits_too_long_wherever_it_is(void **state)
{
	int end;

	(void)state;
	open_service(NULL, 100, 50);
	end = join(1);
	take_many(3);
	RUN_UNTIL(read_stats()->queue_expired == 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(is_reset(clients[i]));
	assert_int_equal(read_stats()->returned, 3);
	close(end);
	close_service();
}

static void gives_what_waits_too_long_to_the_fallback(void **state)
{
	char text[8] = "";
	size_t len = 0;
	int end;

	(void)state;
	open_service("banner:hello", 100, 50);
	end = join(1);
	take_many(1);
	client = clients[0];
	RUN_UNTIL(receive_some(text, sizeof(text), &len));
	assert_int_equal(len, 5);
	assert_int_equal(read_stats()->fallen_back, 1);
	assert_int_equal(service_refused(service), 0);
	close(end);
	close_service();
}

static void a_successor_gets_all_in_their_order(void **state)
{
	struct app_batch batch;
	int fds[APP_BATCH], end, next;
	uint16_t ports[MANY];

	(void)state;
	open_service(NULL, 100, 5000);
	end = join(1);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(take(i), 0);
		ports[i] = tuple.remote.port;
		/* Some are on their way when it dies, some wait. */
		if (i == 1 || i == 3)
			service_flush(service);
	}
	passing_leave(service, 1);
	close(end);
	assert_int_equal(service_active(service), 6);
	next = join(2);
	assert_int_equal(read_batch(next, &batch, fds), 6);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(batch.records[i].remote_port, ports[i]);
	fd_message_close(fds, 6);
	assert_int_equal(read_stats()->returned, 4);
	close(next);
	close_service();
}

static void resets_what_one_leaves_that_will_not_come_back(void **state)
{
	int end;

	(void)state;
	open_service(NULL, 100, 5000);
	end = join(1);
	take_many(2);
	assert_int_equal(take(2), 0);
	passing_forget(service, 1);
	for (size_t i = 0; i < 3; i++)
		assert_true(is_reset(clients[i]));
	passing_forget(service, 1);
	assert_int_equal(read_stats()->not_asked, 3);
	assert_int_equal(service_active(service), 0);
	close(end);
	close_service();
}

static void an_application_that_shuts_its_end_harms_itself_alone(void **state)
{
	int end;

	(void)state;
	open_service(NULL, 100, 50);
	end = join(1);
	assert_int_equal(shutdown(end, SHUT_RDWR), 0);
	take_many(2);
	RUN_UNTIL(read_stats()->queue_expired == 2);
	close(end);
	close_service();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_what_a_round_brought_in_one_message),
		cmocka_unit_test(tells_who_is_who_and_the_syn_if_it_is_known),
		cmocka_unit_test(the_applications_close_is_the_connections),
		cmocka_unit_test(resets_what_nobody_has_asked_for),
		cmocka_unit_test(resets_what_the_queue_has_no_room_for),
		cmocka_unit_test(resets_what_waits_too_long_wherever_it_is),
		cmocka_unit_test(gives_what_waits_too_long_to_the_fallback),
		cmocka_unit_test(a_successor_gets_all_in_their_order),
		cmocka_unit_test(resets_what_one_leaves_that_will_not_come_back),
		cmocka_unit_test(an_application_that_shuts_its_end_harms_itself_alone),
	};

	if (!own_netns_enter())
		return own_netns_skip("passing");
	return cmocka_run_group_tests_name("passing", tests, NULL, NULL);
}
