/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a kernel socket owns: listeners, connections, and TIME-WAIT with its rules for a new SYN. */
#include <arpa/inet.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "fixture.h"

#define PORT_TEXT "127.0.0.1:34567"

struct pair {
	int server, client; /* descriptors, -1: closed */
	char remote[ENDPOINT_TEXT_SIZE]; /* the client's end */
	uint32_t server_next, client_next; /* SND.NXT of both before anyone closed */
	uint32_t client_tsval;
};

static void set_timestamps(const char *value)
{
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_timestamps", "w");

	assert_non_null(file);
	fputs(value, file);
	assert_int_equal(fclose(file), 0);
}

static int setup_loopback(void **state)
{
	struct kern_options options = fixture_options();
	struct prefix prefix;

	(void)state;
	options.is_loopback = true;
	fixture_open(&options);
	assert_true(prefix_parse("127.0.0.1", &prefix));
	assert_int_equal(kern_add_prefix(kern, &prefix), 0);
	set_timestamps("1");
	return 0;
}

static int listen_on(const char *text)
{
	struct sockaddr_storage address;
	struct endpoint endpoint;
	socklen_t len;
	int on = 1, fd;

	assert_true(endpoint_parse(text, &endpoint));
	len = endpoint_to_sockaddr(&endpoint, 0, &address);
	fd = socket(address.ss_family, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static uint32_t send_next_of(int fd)
{
	int on = TCP_REPAIR_ON, off = TCP_REPAIR_OFF_NO_WP, queue = TCP_SEND_QUEUE;
	uint32_t next = 0;
	socklen_t len = sizeof(next);

	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)), 0);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &next, &len), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)), 0);
	/* Repair has cleared it; without it nobody could listen beside the TIME-WAIT to come. */
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	return next;
}

/* A connection to the port over 127.0.0.1; no listener is left behind. */
static struct pair connect_pair(void)
{
	struct sockaddr_storage address;
	struct endpoint remote, server;
	socklen_t len = sizeof(address), tsval_len = sizeof(uint32_t);
	struct pair pair;
	int listener = listen_on(PORT_TEXT);

	assert_true(endpoint_parse(PORT_TEXT, &server));
	pair.client = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(pair.client >= 0);
	len = endpoint_to_sockaddr(&server, 0, &address);
	assert_int_equal(connect(pair.client, (struct sockaddr *)&address, len), 0);
	pair.server = accept(listener, NULL, NULL);
	assert_true(pair.server >= 0);
	close(listener);

	len = sizeof(address);
	assert_int_equal(getsockname(pair.client, (struct sockaddr *)&address, &len), 0);
	assert_true(endpoint_from_sockaddr((struct sockaddr *)&address, &remote));
	endpoint_format(&remote, pair.remote);
	pair.client_next = send_next_of(pair.client);
	pair.server_next = send_next_of(pair.server);
	assert_int_equal(
		getsockopt(pair.client, IPPROTO_TCP, TCP_TIMESTAMP, &pair.client_tsval, &tsval_len),
		0);
	return pair;
}

static void await_end(int fd)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	char byte;

	assert_int_equal(poll(&readable, 1, 2000), 1);
	assert_int_equal(read(fd, &byte, 1), 0);
}

/* Is the server's side in the state, a hexadecimal number of /proc/net/tcp? */
static bool is_in_state(const char *remote, const char *wanted)
{
	unsigned int port = strtoul(strchr(remote, ':') + 1, NULL, 10);
	FILE *file = fopen("/proc/self/net/tcp", "r");
	char line[256], pattern[64];
	bool is_found = false;

	assert_non_null(file);
	snprintf(pattern, sizeof(pattern), "0100007F:8707 0100007F:%04X %s", port, wanted);
	while (!is_found && fgets(line, sizeof(line), file))
		is_found = strstr(line, pattern) != NULL;
	fclose(file);
	return is_found;
}

static void await_state(const struct pair *pair, const char *wanted)
{
	uint64_t deadline_ns = clock_monotonic_ns() + 2 * CLOCK_NS_PER_S;

	while (!is_in_state(pair->remote, wanted))
		assert_true(clock_monotonic_ns() < deadline_ns);
}

/* The server closes first, so its end stays behind in TIME-WAIT. */
static struct pair leave_time_wait(void)
{
	struct pair pair = connect_pair();

	close(pair.server);
	await_end(pair.client);
	close(pair.client);
	await_state(&pair, "06");
	return pair;
}

/* A SYN of the client's 4-tuple. tsval 0: without timestamps. */
static struct frame syn_of(const struct pair *pair, uint32_t seq, uint32_t tsval)
{
	struct segment segment = {
		.tuple = tuple_of(pair->remote, PORT_TEXT),
		.seq = seq,
		.flags = TCP_SYN,
		.options =
			{
				.has_mss = true,
				.mss = 1460,
				.has_sack_permitted = true,
				.has_timestamps = tsval != 0,
				.tsval = tsval,
				.has_wscale = true,
			},
	};
	struct frame frame;

	frame_build(&frame, &segment);
	return frame;
}

static void assert_left_to_kernel(const struct frame *frame)
{
	assert_int_equal(run_ingress(frame), XDP_PASS);
	assert_nothing_held();
	assert_only_counted(ingress_owned);
}

/* Held, and with the server's SND.NXT: its FIN counts one. */
static void assert_replaces(const struct pair *pair, const struct frame *frame)
{
	assert_int_equal(run_ingress(frame), XDP_DROP);
	assert_held(frame, NOL_HOLD_TIME_WAIT);
	assert_int_equal(taken.record.time_wait_snd_nxt, pair->server_next + 1);
	assert_only_counted(held_time_wait);
}

static void leaves_a_listeners_port_to_the_kernel(void **state)
{
	struct frame syn = frame_from("127.0.0.1:50814", PORT_TEXT, TCP_SYN);
	struct frame ack = frame_from("127.0.0.1:50814", PORT_TEXT, TCP_ACK);
	int listener = listen_on(PORT_TEXT);

	(void)state;
	assert_left_to_kernel(&syn);
	assert_int_equal(run_ingress(&ack), XDP_PASS);
	close(listener);
	assert_int_equal(run_ingress(&syn), XDP_DROP);
	assert_held(&syn, NOL_HOLD_SYN);
}

static void leaves_an_ipv6_listeners_port_to_the_kernel(void **state)
{
	struct frame frame = frame_from("[::1]:50814", V6_LOCAL, TCP_SYN);
	int listener = listen_on("[::]:34567");

	(void)state;
	assert_left_to_kernel(&frame);
	close(listener);
}

static void leaves_a_connection_to_the_kernel(void **state)
{
	struct pair pair = connect_pair();
	struct frame frame = frame_from(pair.remote, PORT_TEXT, TCP_ACK);

	(void)state;
	assert_left_to_kernel(&frame);
	close(pair.client);
	close(pair.server);
}

static void leaves_what_is_no_syn_in_time_wait_to_the_kernel(void **state)
{
	struct pair pair = leave_time_wait();
	struct frame frame = frame_from(pair.remote, PORT_TEXT, TCP_ACK);

	(void)state;
	assert_left_to_kernel(&frame);
}

static void holds_a_syn_beyond_the_old_sequence(void **state)
{
	struct pair pair;
	struct frame frame;

	(void)state;
	set_timestamps("0");
	pair = leave_time_wait();
	/* RCV.NXT is client_next + 1, behind the client's FIN. */
	frame = syn_of(&pair, pair.client_next + 2, 0);
	assert_replaces(&pair, &frame);
}

static void leaves_a_newer_syn_to_a_listener_that_came_after_the_connection(void **state)
{
	struct pair pair = leave_time_wait();
	struct frame frame = syn_of(&pair, pair.client_next + 1000, pair.client_tsval + 10000);
	int listener = listen_on(PORT_TEXT);

	(void)state;
	assert_left_to_kernel(&frame);
	close(listener);
}

static void leaves_a_syn_at_the_old_sequence_to_the_kernel(void **state)
{
	struct pair pair;
	struct frame frame;

	(void)state;
	set_timestamps("0");
	pair = leave_time_wait();
	frame = syn_of(&pair, pair.client_next + 1, 12345);
	assert_left_to_kernel(&frame);
}

static void holds_a_syn_with_a_newer_timestamp(void **state)
{
	struct pair pair = leave_time_wait();
	struct frame frame = syn_of(&pair, pair.client_next - 1000, pair.client_tsval + 10000);

	(void)state;
	assert_replaces(&pair, &frame);
}

static void leaves_a_syn_with_an_older_timestamp_to_the_kernel(void **state)
{
	struct pair pair = leave_time_wait();
	struct frame frame = syn_of(&pair, pair.client_next + 1000, pair.client_tsval - 10000);

	(void)state;
	assert_left_to_kernel(&frame);
}

static void holds_a_newer_syn_that_lost_its_timestamps(void **state)
{
	struct pair pair = leave_time_wait();
	struct frame frame = syn_of(&pair, pair.client_next + 1000, 0);

	(void)state;
	assert_replaces(&pair, &frame);
}

static void finds_the_timestamp_behind_nops_but_not_behind_a_bad_option(void **state)
{
	struct pair pair = leave_time_wait();
	struct frame frame = syn_of(&pair, pair.client_next - 1000, pair.client_tsval + 10000);
	uint8_t *options = frame.bytes + FIXTURE_ETHERNET + 20 + 20;
	uint8_t timestamps[10];

	(void)state;
	/* MSS 4, SACK 2, timestamps 10, NOP, window scale 3: put the timestamps last. */
	assert_int_equal(options[6], 8);
	memcpy(timestamps, options + 6, sizeof(timestamps));
	memset(options, 1, 10);
	memcpy(options + 10, timestamps, sizeof(timestamps));
	assert_replaces(&pair, &frame);

	options[9] = 0x22; /* an option of 8 bytes as the timestamps' kind would be its length */
	assert_int_equal(run_ingress(&frame), XDP_PASS);
	options[9] = 0; /* end of list */
	assert_int_equal(run_ingress(&frame), XDP_PASS);
	assert_nothing_held();
}

static void leaves_fin_wait_2_to_the_kernel(void **state)
{
	struct pair pair = connect_pair();
	struct frame frame;

	(void)state;
	close(pair.server);
	await_end(pair.client);
	await_state(&pair, "05");
	frame = syn_of(&pair, pair.client_next + 1000, pair.client_tsval + 10000);
	assert_left_to_kernel(&frame);
	close(pair.client);
}

static void a_new_syn_after_a_handed_off_flow_finds_its_time_wait(void **state)
{
	struct pair pair = leave_time_wait();
	struct frame frame = syn_of(&pair, pair.client_next + 1000, pair.client_tsval + 10000);

	(void)state;
	add_flow(PORT_TEXT, pair.remote, NOL_FLOW_CLOSED);
	assert_replaces(&pair, &frame);
}

static void lets_the_rst_of_a_listener_go(void **state)
{
	struct frame frame = frame_from(PORT_TEXT, "127.0.0.1:50814", TCP_RST);
	int listener = listen_on(PORT_TEXT);

	(void)state;
	assert_int_equal(run_egress(&frame, 0), -1);
	assert_only_counted(rst_owned);
	close(listener);
}

#define owner_test(f) cmocka_unit_test_setup_teardown(f, setup_loopback, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		owner_test(leaves_a_listeners_port_to_the_kernel),
		owner_test(leaves_an_ipv6_listeners_port_to_the_kernel),
		owner_test(leaves_a_connection_to_the_kernel),
		owner_test(leaves_what_is_no_syn_in_time_wait_to_the_kernel),
		owner_test(holds_a_syn_beyond_the_old_sequence),
		owner_test(leaves_a_newer_syn_to_a_listener_that_came_after_the_connection),
		owner_test(leaves_a_syn_at_the_old_sequence_to_the_kernel),
		owner_test(holds_a_syn_with_a_newer_timestamp),
		owner_test(leaves_a_syn_with_an_older_timestamp_to_the_kernel),
		owner_test(holds_a_newer_syn_that_lost_its_timestamps),
		owner_test(finds_the_timestamp_behind_nops_but_not_behind_a_bad_option),
		owner_test(leaves_fin_wait_2_to_the_kernel),
		owner_test(a_new_syn_after_a_handed_off_flow_finds_its_time_wait),
		owner_test(lets_the_rst_of_a_listener_go),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
