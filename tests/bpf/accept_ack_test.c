/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Method accept: the segment that brings a cookie back, until the kernel would have it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accept_fixture.h"

#include "clock.h"

/* The segment that brings a cookie back. */
static struct frame ack_of(uint32_t iss, uint32_t tsecr)
{
	const struct segment segment = {
		.tuple = tuple_of(V4_REMOTE, V4_LOCAL),
		.seq = ISN + 1,
		.ack = iss + 1,
		.flags = TCP_ACK,
		.window = 500,
		.options = {.has_timestamps = tsecr, .tsval = 78, .tsecr = tsecr},
	};
	struct frame frame;

	frame_build(&frame, &segment);
	return frame;
}

static struct segment syn_ack(void)
{
	struct frame frame = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
	struct segment segment;

	assert_int_equal(run_tc(&frame), REDIRECTED);
	segment = parsed(&frame);
	spare_clear_stats(kern);
	return segment;
}

/* There is no parent in this test: that it is asked for tells a cookie that is taken for one. */
static void knows_its_cookie_again(void **state)
{
	const struct segment answer = syn_ack();
	struct frame frame = ack_of(answer.seq, answer.options.tsval);

	(void)state;
	assert_int_equal(run_tc(&frame), NEXT);
	assert_only_counted(accept_failed);
}

static void passes_what_is_no_cookie_without_counting_it(void **state)
{
	const struct segment answer = syn_ack();
	struct frame frame = ack_of(answer.seq + (1u << 20), answer.options.tsval);

	(void)state;
	assert_int_equal(run_tc(&frame), NEXT);
	frame = ack_of(answer.seq + 2,
		       answer.options.tsval); /* of a slot that is over, or to come */
	assert_int_equal(run_tc(&frame), NEXT);
	assert_counters(0, 0);
}

static void passes_a_cookie_that_echoes_what_was_never_sent(void **state)
{
	const struct segment answer = syn_ack();
	struct frame frame = ack_of(answer.seq, answer.options.tsval + 1000000);

	(void)state;
	assert_int_equal(run_tc(&frame), NEXT);
	assert_only_counted(cookie_forged);
}

/* Every place says that the cookie was used, and its socket begun at that time. */
static void use_everywhere(uint64_t mark, uint64_t since_ns)
{
	const size_t size = NOL_USED_PLACES * sizeof(__u64);
	__u64 *places = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			     bpf_map__fd(kern->skel->maps.nol_used), 0);

	assert_true(places != MAP_FAILED);
	for (size_t i = 0; i < NOL_USED_PLACES; i++)
		places[i] = mark;
	munmap(places, size);
	for (size_t i = 0; i < NOL_MAKING_PLACES; i++)
		kern->skel->bss->nol_making[i] = (struct nol_making){mark, since_ns};
}

/* A RST would end the connection whose data it is; the remote sends again what was dropped. */
static void drops_what_comes_before_its_socket_without_a_rst(void **state)
{
	const struct segment answer = syn_ack();
	const uint64_t mark = (uint64_t)(ISN + 1) << 32 | (answer.seq + 1);
	struct frame frame = ack_of(answer.seq, answer.options.tsval);

	(void)state;
	/* Begun a minute from now, so that it is recent however long this takes. */
	use_everywhere(mark, clock_monotonic_ns() + 60 * CLOCK_NS_PER_S);
	assert_int_equal(run_tc(&frame), DROPPED);
	assert_only_counted(accept_early);
}

static void passes_a_cookie_whose_connection_is_over(void **state)
{
	const struct segment answer = syn_ack();
	const uint64_t mark = (uint64_t)(ISN + 1) << 32 | (answer.seq + 1);
	struct frame frame = ack_of(answer.seq, answer.options.tsval);

	(void)state;
	use_everywhere(mark, clock_monotonic_ns() - 60 * CLOCK_NS_PER_S);
	assert_int_equal(run_tc(&frame), NEXT);
	assert_only_counted(cookie_used);
}

/* -> the descriptor of a listener, which is the parent. */
static int be_parent(void)
{
	struct sockaddr_in name = {.sin_family = AF_INET};
	socklen_t len = sizeof(name);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct endpoint at;

	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	assert_true(endpoint_parse("127.0.0.1:1", &at));
	at.port = ntohs(name.sin_port);
	kern_set_parent(kern, 0, &at);
	return fd;
}

/* The kernel tells the remote by a RST. Only what is a cookie is asked for its source, and only if somebody counts. */
static void passes_a_cookie_of_a_source_that_is_full(void **state)
{
	const struct segment answer = syn_ack();
	struct frame frame = ack_of(answer.seq, answer.options.tsval);
	struct endpoint remote;
	int parent;

	(void)state;
	assert_true(endpoint_parse(V4_REMOTE, &remote));
	remote.addr.bytes[15] = 0;
	kern_bound_sources(kern, 24, 64);
	kern_set_source_full(kern, &remote.addr, true);
	assert_int_equal(run_tc(&frame), NEXT);
	assert_only_counted(accept_failed);
	spare_clear_stats(kern);
	parent = be_parent();
	assert_int_equal(run_tc(&frame), NEXT);
	assert_only_counted(accept_source_full);
	spare_clear_stats(kern);
	kern_set_source_full(kern, &remote.addr, false);
	kern_set_parent(kern, 0, NULL);
	assert_int_equal(run_tc(&frame), NEXT);
	assert_only_counted(accept_failed);
	close(parent);
}

/* The port is answered, and nobody listens there yet. */
static void let_it_wait(void)
{
	const struct nol_endpoint endpoint = {.is_waiting = 1};
	const struct prefix any = {.bits = 0};

	assert_int_equal(kern_set_endpoint(kern, &any, 34567, &endpoint), 0);
	kern_set_waiting(kern, true);
}

static void holds_what_completes_a_handshake_with_an_endpoint_that_waits(void **state)
{
	const struct segment answer = syn_ack();
	struct frame frame = ack_of(answer.seq, answer.options.tsval);

	(void)state;
	let_it_wait();
	assert_int_equal(run_tc(&frame), DROPPED);
	assert_held(&frame, NOL_HOLD_COOKIE);
	assert_only_counted(held_cookie);
}

/* Segments behind the first: they come again. A RST is the remote's own end. */
static void says_nothing_to_the_rest_of_a_connection_that_waits(void **state)
{
	const struct segment answer = syn_ack();
	struct frame frame = ack_of(answer.seq + (1u << 20), answer.options.tsval);
	struct frame rst = frame_from(V4_REMOTE, V4_LOCAL, TCP_RST);
	struct frame other = frame_from(V4_REMOTE, "10.0.0.99:34567", TCP_ACK);

	(void)state;
	let_it_wait();
	assert_int_equal(run_tc(&frame), DROPPED);
	assert_int_equal(run_tc(&rst), NEXT);
	assert_int_equal(run_tc(&other), NEXT);
	assert_nothing_held();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		accept_test(knows_its_cookie_again),
		accept_test(passes_what_is_no_cookie_without_counting_it),
		accept_test(passes_a_cookie_that_echoes_what_was_never_sent),
		accept_test(drops_what_comes_before_its_socket_without_a_rst),
		accept_test(passes_a_cookie_whose_connection_is_over),
		accept_test(passes_a_cookie_of_a_source_that_is_full),
		accept_test(holds_what_completes_a_handshake_with_an_endpoint_that_waits),
		accept_test(says_nothing_to_the_rest_of_a_connection_that_waits),
	};

	if (!fixture_enter())
		return 0;
	if (!kern_can_accept()) {
		printf("1..1\nok 1 # SKIP no bpf_sk_assign_tcp_reqsk() here (Linux 6.9)\n");
		return 0;
	}
	return cmocka_run_group_tests_name("accept_ack", tests, NULL, NULL);
}
