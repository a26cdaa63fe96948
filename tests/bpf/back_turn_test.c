/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connect-back, on the way in: the ACK that becomes a SYN-ACK, byte by byte. Frames go from remote to local. */
#include "back_fixture.h"

#include "ip.h"

#define DROPPED 1
#define PASSED 2

static int socket_fd;

static int turn_ingress(struct frame *frame)
{
	return turn(kern->skel->progs.nol_xdp_ingress, frame);
}

static void open_socket(const char *local, const char *remote)
{
	struct tuple tuple = tuple_of(local, remote);
	const bool is_v4 = addr_is_v4(&tuple.local.addr);
	struct sockaddr_storage address;
	socklen_t len = endpoint_to_sockaddr(&tuple.local, 0, &address);

	socket_fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(socket_fd >= 0);
	assert_int_equal(bind(socket_fd, (struct sockaddr *)&address, len), 0);
	len = endpoint_to_sockaddr(&tuple.remote, 0, &address);
	assert_int_equal(connect(socket_fd, (struct sockaddr *)&address, len), -1);
	assert_int_equal(errno, EINPROGRESS);
}

/* A half-open flow whose socket is in SYN-SENT. */
static void begin(const char *local, const char *remote, uint8_t offers)
{
	open_socket(local, remote);
	add_back(local, remote, offers);
	add_flow(local, remote, NOL_FLOW_SYN_RECEIVED);
}

static struct segment ack_from(const char *local, const char *remote, bool has_timestamps)
{
	return (struct segment){
		.tuple = tuple_of(remote, local),
		.seq = ISN + 1,
		.ack = ISS + 1,
		.flags = TCP_ACK,
		.window = 502,
		.options = {.has_timestamps = has_timestamps,
			    .tsval = TSVAL + 1,
			    .tsecr = LOCAL_TSVAL},
	};
}

static void assert_turned(struct frame *frame, const uint8_t options[20], uint16_t window)
{
	struct frame before = *frame;
	struct segment segment;

	assert_int_equal(turn_ingress(frame), PASSED);
	segment = parsed(frame);
	assert_int_equal(segment.flags, TCP_SYN | TCP_ACK);
	assert_int_equal(segment.seq, ISN);
	assert_int_equal(segment.ack, ISS + 1);
	assert_int_equal(segment.window, window);
	assert_options(frame, options);
	assert_memory_equal(frame->bytes, before.bytes, FIXTURE_ETHERNET);
	assert_held(&before, NOL_HOLD_FLOW);
	assert_int_equal(taken.record.is_turned, 1);
}

static void assert_not_turned(struct frame *frame)
{
	assert_int_equal(turn_ingress(frame), DROPPED);
	assert_held(frame, NOL_HOLD_FLOW);
	assert_int_equal(taken.record.is_turned, 0);
}

/* <mss 1400,sackOK,TS val 7778 ecr 3333,nop,wscale 7> */
static const uint8_t turned_options[20] = {2,	 4,    5, 0x78, 4,  2, 8, 10, 0, 0,
					   0x1e, 0x62, 0, 0,	13, 5, 1, 3,  3, 7};
/* <mss 1400,nop x 16> */
static const uint8_t turned_mss[20] = {2, 4, 5, 0x78, 1, 1, 1, 1, 1, 1,
				       1, 1, 1, 1,    1, 1, 1, 1, 1, 1};

static void makes_a_syn_ack_of_the_ack(void **state)
{
	struct segment ack = ack_from(V4_LOCAL, V4_REMOTE, true);
	struct frame frame;

	(void)state;
	begin(V4_LOCAL, V4_REMOTE, ALL);
	frame_build(&frame, &ack);
	assert_turned(&frame, turned_options, 502 << 7);
}

static void makes_a_syn_ack_of_the_ack_over_ipv6(void **state)
{
	struct segment ack = ack_from(V6_LOCAL, V6_REMOTE, true);
	struct frame frame;

	(void)state;
	begin(V6_LOCAL, V6_REMOTE, ALL);
	ack.window = 60000; /* more than an unscaled window can say */
	frame_build(&frame, &ack);
	assert_turned(&frame, turned_options, 65535);
}

static void makes_a_syn_ack_without_options(void **state)
{
	struct segment ack = ack_from(V4_LOCAL, V4_REMOTE, false);
	struct frame frame;

	(void)state;
	begin(V4_LOCAL, V4_REMOTE, NOL_OFFER_MSS);
	frame_build(&frame, &ack);
	assert_turned(&frame, turned_mss, 502);
}

static void takes_an_unfinished_checksum(void **state)
{
	struct segment ack = ack_from(V4_LOCAL, V4_REMOTE, true);
	uint64_t pseudo = checksum_pseudo(&ack.tuple.local.addr, &ack.tuple.remote.addr, 32);
	struct frame frame;

	(void)state;
	begin(V4_LOCAL, V4_REMOTE, ALL);
	frame_build(&frame, &ack);
	frame.bytes[FIXTURE_ETHERNET + 36] = checksum_fold(pseudo) >> 8;
	frame.bytes[FIXTURE_ETHERNET + 37] = (uint8_t)checksum_fold(pseudo);
	assert_turned(&frame, turned_options, 502 << 7);
}

static void leaves_a_bad_checksum_to_the_engine(void **state)
{
	struct segment ack = ack_from(V4_LOCAL, V4_REMOTE, true);
	struct frame frame;

	(void)state;
	begin(V4_LOCAL, V4_REMOTE, ALL);
	frame_build(&frame, &ack);
	frame.bytes[FIXTURE_ETHERNET + 37] ^= 1;
	assert_not_turned(&frame);
}

/* What is changed in an ACK that would be turned otherwise. */
static void leave_to_the_engine(void (*change)(struct segment *ack))
{
	struct segment ack = ack_from(V4_LOCAL, V4_REMOTE, true);
	struct frame frame;

	begin(V4_LOCAL, V4_REMOTE, ALL);
	change(&ack);
	frame_build(&frame, &ack);
	assert_not_turned(&frame);
}

/* There is room for a signature among them: the engine has a look. */
static void leaves_an_ack_with_many_options_to_the_engine(void **state)
{
	static const uint8_t md5[20] = {19, 18};
	struct segment ack = ack_from(V4_LOCAL, V4_REMOTE, false);
	struct frame frame;

	(void)state;
	begin(V4_LOCAL, V4_REMOTE, NOL_OFFER_MSS);
	frame_build(&frame, &ack);
	frame_insert(&frame, frame.len, md5, sizeof(md5));
	frame.bytes[FIXTURE_ETHERNET + 32] = 10 << 4;
	ip_seal(frame.bytes + FIXTURE_ETHERNET, 20, frame.len - FIXTURE_ETHERNET);
	assert_not_turned(&frame);
}

static void add_data(struct segment *ack)
{
	ack->payload = (const uint8_t *)"data";
	ack->payload_len = 4;
}

static void add_fin(struct segment *ack)
{
	ack->flags |= TCP_FIN;
}

static void change_ack(struct segment *ack)
{
	ack->ack++;
}

static void leave_the_window(struct segment *ack)
{
	ack->seq = ISN;
}

static void age_tsval(struct segment *ack)
{
	ack->options.tsval = TSVAL - 1;
}

static void echo_what_was_not_sent(struct segment *ack)
{
	ack->options.tsecr = LOCAL_TSVAL + 11;
}

#define LEAVES(name, change)                 \
	static void name(void **state)       \
	{                                    \
		(void)state;                 \
		leave_to_the_engine(change); \
	}

LEAVES(leaves_an_ack_with_data_to_the_engine, add_data)
LEAVES(leaves_a_fin_to_the_engine, add_fin)
LEAVES(leaves_a_wrong_ack_to_the_engine, change_ack)
LEAVES(leaves_an_ack_outside_the_window_to_the_engine, leave_the_window)
LEAVES(leaves_an_old_tsval_to_the_engine, age_tsval)
LEAVES(leaves_a_tsecr_never_sent_to_the_engine, echo_what_was_not_sent)

static void leaves_an_ack_alone_when_no_socket_awaits_it(void **state)
{
	struct segment ack = ack_from(V4_LOCAL, V4_REMOTE, true);
	struct frame frame;

	(void)state;
	add_back(V4_LOCAL, V4_REMOTE, ALL);
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	frame_build(&frame, &ack);
	assert_not_turned(&frame);
}

static int close_socket(void **state)
{
	if (socket_fd > 0)
		close(socket_fd);
	socket_fd = 0;
	return teardown(state);
}

#define turn_test(f) cmocka_unit_test_setup_teardown(f, setup, close_socket)

int main(void)
{
	const struct CMUnitTest tests[] = {
		turn_test(makes_a_syn_ack_of_the_ack),
		turn_test(makes_a_syn_ack_of_the_ack_over_ipv6),
		turn_test(makes_a_syn_ack_without_options),
		turn_test(takes_an_unfinished_checksum),
		turn_test(leaves_a_bad_checksum_to_the_engine),
		turn_test(leaves_an_ack_with_data_to_the_engine),
		turn_test(leaves_an_ack_with_many_options_to_the_engine),
		turn_test(leaves_a_fin_to_the_engine),
		turn_test(leaves_a_wrong_ack_to_the_engine),
		turn_test(leaves_an_ack_outside_the_window_to_the_engine),
		turn_test(leaves_an_old_tsval_to_the_engine),
		turn_test(leaves_a_tsecr_never_sent_to_the_engine),
		turn_test(leaves_an_ack_alone_when_no_socket_awaits_it),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
