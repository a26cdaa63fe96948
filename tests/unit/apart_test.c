/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A service in a process of its own is as one in ours; what that process says is not believed, and its end is survived. */
#include "service_fixture.h"

#include <signal.h>
#include <stdlib.h>

#include "apart_protocol.h"
#include "connection.h"
#include "service_process.h"

static struct service_process *process;
static int ends[2]; /* where the test is the process: the loader's end, and its */
static unsigned int told, closed;
static char payload[64];
static char reason[16];

static void tell(void *context, const struct service_news *news)
{
	(void)context;
	assert_int_equal(news->kind, SERVICE_PAYLOAD);
	assert_true(tuple_is_equal(news->tuple, &tuple));
	assert_int_equal(news->flow_ns, 77);
	assert_true(news->payload_len < sizeof(payload));
	memcpy(payload, news->payload, news->payload_len);
	payload[news->payload_len] = '\0';
	snprintf(reason, sizeof(reason), "%s", news->reason);
	told++;
}

static void note_closed(void *context, const struct tuple *one, uint64_t flow_ns)
{
	(void)context;
	assert_true(tuple_is_equal(one, &tuple));
	assert_int_equal(flow_ns, 77);
	closed++;
}

static struct service_options options_with(int fd)
{
	return (struct service_options){
		.max_children = 1,
		.record_ns = 20 * CLOCK_NS_PER_S,
		.tell = tell,
		.closed = note_closed,
		.apart_fd = fd,
	};
}

static void take_one(void)
{
	const struct arrival arrival = {.flow_ns = 77};
	int fd;

	client = connect_pair(&fd);
	assert_int_equal(service_take_arrival(service, fd, &tuple, &arrival, false), 0);
	service_flush(service);
}

/* By a process. */
static void begin(const char *spec)
{
	struct service_options options = options_with(0);
	const struct service_process_options of_process = {
		.spec = spec, .service = &options, .pairs = 1};

	told = closed = 0;
	assert_int_equal(service_process_new(&process, &of_process), 0);
	options.apart_fd = service_process_fds(process)[0];
	start_service_with(spec, &options);
}

static void end(void)
{
	stop_serving();
	service_process_free(process);
	process = NULL;
}

static void banner_and_its_end_come_back(void **state)
{
	(void)state;
	begin("banner:hello\\n");
	take_one();
	assert_int_equal(service_active(service), 1);
	expect_stream("hello\n", 6);
	assert_int_equal(closed, 0);
	close(client);
	client = -1;
	RUN_UNTIL(closed == 1);
	assert_int_equal(service_active(service), 0);
	end();
}

static void the_payload_of_record_is_told_of(void **state)
{
	struct service_stats stats;

	(void)state;
	begin("record:64");
	take_one();
	send_text("first bytes");
	shutdown(client, SHUT_WR);
	RUN_UNTIL(told == 1);
	assert_string_equal(payload, "first bytes");
	assert_string_equal(reason, "end");
	service_read_stats(service, &stats);
	assert_int_equal(stats.recorded, 1);
	assert_int_equal(stats.recorded_bytes, 11);
	end();
}

static void a_child_too_many_is_refused_and_counted(void **state)
{
	int first;

	(void)state;
	begin("exec:cat");
	service->options.closed = NULL; /* the tuples differ */
	take_one();
	first = client;
	assert_int_equal(send(first, "x", 1, 0), 1);
	RUN_UNTIL(recv(first, payload, 1, MSG_PEEK) == 1);
	take_one();
	RUN_UNTIL(service_refused(service) == 1);
	assert_int_equal(service_active(service), 1);
	shutdown(first, SHUT_WR);
	RUN_UNTIL(service_active(service) == 0);
	close(first);
	end();
}

static void connections_go_by_the_batch_and_all_come_back(void **state)
{
	enum {
		COUNT = 200
	};
	int clients[COUNT];

	(void)state;
	begin("banner:x");
	for (int i = 0; i < COUNT; i++) {
		int fd;

		clients[i] = connect_pair(&fd);
		assert_int_equal(service_take_arrival(service, fd, &tuple,
						      &(struct arrival){.flow_ns = 77}, false),
				 0);
	}
	service_flush(service);
	assert_int_equal(service_active(service), COUNT);
	for (int i = 0; i < COUNT; i++)
		close(clients[i]);
	client = -1;
	/* Their tuples differ: only how many are over is looked at. */
	service->options.closed = NULL;
	RUN_UNTIL(service_active(service) == 0);
	assert_int_equal(service_refused(service), 0);
	end();
}

/* The test is the process. */
static void begin_as_process(void)
{
	struct service_options options;

	told = closed = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	options = options_with(ends[0]);
	start_service_with("record:64", &options);
}

static void end_as_process(void)
{
	stop_serving();
	close(ends[0]);
	close(ends[1]);
}

/* The number of the connection that was sent; its descriptor is left in the message, and closed with it. */
static uint64_t read_number(void)
{
	struct apart_batch batch;

	assert_int_equal(recv(ends[1], &batch, sizeof(batch), 0), apart_batch_size(1));
	return batch.records[0].number;
}

static void say(uint16_t kind, uint32_t count, uint64_t number, size_t len)
{
	struct apart_word word = {.kind = kind, .count = count, .numbers = {number}};

	assert_int_equal(send(ends[1], &word, len, 0), len);
	assert_true(loop_wait(loop, 0) >= 0);
}

#define ONE (APART_WORD_HEAD + sizeof(uint64_t))

static void what_is_no_word_is_ignored(void **state)
{
	uint64_t number;

	(void)state;
	begin_as_process();
	take_one();
	number = read_number();
	say(APART_ENDED, 1, number + 1, ONE);
	say(APART_ENDED, 1, number + (1u << APART_PLACE_BITS), ONE);
	say(APART_ENDED, 1, UINT64_MAX, ONE);
	say(APART_ENDED, 2, number, ONE);
	say(APART_ENDED, 1, number, ONE - 1);
	say(APART_ENDED, 0, 0, APART_WORD_HEAD);
	say(APART_REFUSED, APART_ENDED_MAX + 1, number, ONE);
	say(APART_PAYLOAD, APART_PAYLOAD_MAX + 1, number, ONE);
	say(APART_PAYLOAD, 9, number, APART_PAYLOAD_HEAD);
	say(99, 1, number, ONE);
	say(APART_READY, 0, 0, 1);
	assert_int_equal(service_active(service), 1);
	assert_int_equal(closed + told, 0);
	say(APART_ENDED, 1, number, ONE);
	assert_int_equal(service_active(service), 0);
	assert_int_equal(closed, 1);
	/* Once more. */
	say(APART_REFUSED, 1, number, ONE);
	assert_int_equal(service_refused(service), 0);
	end_as_process();
}

/* One waits that nobody has sent yet: the pair is full. */
static void a_death_ends_only_what_was_sent(void **state)
{
	const int few = 1; /* the kernel makes it its minimum */
	uint32_t count = 0;

	(void)state;
	begin_as_process();
	service->options.closed = NULL;
	assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &few, sizeof(few)), 0);
	/* The last one is the first in the list. */
	do {
		take_one();
		close(client);
		count++;
	} while (service->first->fd < 0);
	client = -1;
	assert_int_equal(service_active(service), count);
	say(APART_DIED, 1, UINT64_MAX, ONE);
	assert_int_equal(service_active(service), 1);
	end_as_process();
}

/* The one that cannot be sent is not there when it is to be. */
static void what_could_not_be_sent_is_sent_later(void **state)
{
	const struct arrival arrival = {.flow_ns = 77};
	const int fd = 500; /* that nobody else is given */
	int kept;

	(void)state;
	begin_as_process();
	client = connect_pair(&kept);
	assert_int_equal(dup2(kept, fd), fd);
	assert_int_equal(service_take_arrival(service, fd, &tuple, &arrival, false), 0);
	close(fd);
	service_flush(service);
	assert_int_equal(service->first->fd, fd);
	assert_int_equal(dup2(kept, fd), fd);
	close(kept);
	RUN_UNTIL(service->first->fd < 0);
	say(APART_ENDED, 1, read_number(), ONE);
	assert_int_equal(closed, 1);
	end_as_process();
}

static void without_the_process_connections_are_reset(void **state)
{
	const struct arrival arrival = {.flow_ns = 77};
	char byte;
	int fd;

	(void)state;
	begin_as_process();
	take_one();
	close(ends[1]);
	ends[1] = -1;
	RUN_UNTIL(closed == 1);
	assert_int_equal(service_active(service), 0);
	close(client);
	client = connect_pair(&fd);
	assert_int_equal(service_take_arrival(service, fd, &tuple, &arrival, false), -ECONNREFUSED);
	RUN_UNTIL(recv(client, &byte, 1, 0) < 0 && errno == ECONNRESET);
	assert_int_equal(service_refused(service), 1);
	stop_serving();
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(banner_and_its_end_come_back),
		cmocka_unit_test(the_payload_of_record_is_told_of),
		cmocka_unit_test(a_child_too_many_is_refused_and_counted),
		cmocka_unit_test(connections_go_by_the_batch_and_all_come_back),
		cmocka_unit_test(what_is_no_word_is_ignored),
		cmocka_unit_test(a_death_ends_only_what_was_sent),
		cmocka_unit_test(what_could_not_be_sent_is_sent_later),
		cmocka_unit_test(without_the_process_connections_are_reset),
	};

	if (!own_netns_enter())
		return own_netns_skip("apart");
	return cmocka_run_group_tests_name("apart", tests, NULL, NULL);
}
