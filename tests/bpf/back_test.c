/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connect-back: the SYN that egress turns into a SYN-ACK, and the ACK that ingress turns into another, byte by byte. */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "fixture.h"

#define LET_GO (-1)
#define DROPPED 2
#define XDP_DROPPED 1
#define XDP_PASSED 2

#define ISN 1000u /* the remote's */
#define ISS 5000u
#define TSVAL 7777u /* the remote's */
#define LOCAL_TSVAL 3333u

static int tun_fd, socket_fd;

/* A device that takes everything and says nothing, so that a connect() over it stays in SYN-SENT. */
static void make_tun(void)
{
	struct ifreq request = {.ifr_name = "tun0", .ifr_flags = IFF_TUN | IFF_NO_PI};

	tun_fd = open("/dev/net/tun", O_RDWR);
	assert_true(tun_fd >= 0);
	assert_int_equal(ioctl(tun_fd, TUNSETIFF, &request), 0);
	assert_int_equal(system("ip address add 10.0.0.2/24 dev tun0 && "
				"ip address add fd00::2/64 dev tun0 nodad && "
				"ip link set tun0 up"),
			 0);
}

static int setup(void **state)
{
	struct kern_options options = fixture_options();

	(void)state;
	options.connects_back = true;
	fixture_open(&options);
	make_tun();
	socket_fd = -1;
	return 0;
}

static int teardown(void **state)
{
	if (socket_fd >= 0)
		close(socket_fd);
	close(tun_fd);
	return fixture_teardown(state);
}

static void add_back(const char *local, const char *remote, uint8_t offers)
{
	const struct nol_back back = {
		.remote_isn = ISN,
		.local_iss = ISS,
		.remote_tsval = TSVAL,
		.remote_mss = 1400,
		.remote_wscale = 7,
		.remote_offers = offers,
		.sent_ns = 1,
		.first_tsval = LOCAL_TSVAL,
		.last_tsval = LOCAL_TSVAL + 10,
		.local_window = 64240,
		.local_offers =
			NOL_OFFER_MSS | NOL_OFFER_WSCALE | NOL_OFFER_SACK | NOL_OFFER_TIMESTAMPS,
	};
	struct tuple tuple = tuple_of(local, remote);

	assert_int_equal(kern_back_add(kern, &tuple, &back), 0);
}

#define ALL (NOL_OFFER_MSS | NOL_OFFER_WSCALE | NOL_OFFER_SACK | NOL_OFFER_TIMESTAMPS)

/* The SYN of Linux, as the socket sends it; it asks for ECN too. */
static struct frame syn_of(const char *local, const char *remote)
{
	struct segment segment = {
		.tuple = tuple_of(local, remote),
		.seq = ISS,
		.flags = TCP_SYN | TCP_ECE | TCP_CWR,
		.window = 64240,
		.options = {.has_mss = true,
			    .mss = 1460,
			    .has_sack_permitted = true,
			    .has_timestamps = true,
			    .tsval = LOCAL_TSVAL,
			    .has_wscale = true,
			    .wscale = 10},
	};
	struct frame frame;

	frame_build(&frame, &segment);
	return frame;
}

/* What egress makes of the frame; the verdict. */
static int turn_egress(struct frame *frame)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame->bytes, .data_size_in = frame->len,
		    .data_out = frame->bytes, .data_size_out = sizeof(frame->bytes));
	int fd = bpf_program__fd(kern->skel->progs.nol_tc_egress);

	assert_int_equal(bpf_prog_test_run_opts(fd, &run), 0);
	frame->len = run.data_size_out;
	return (int)run.retval;
}

static int turn_ingress(struct frame *frame)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame->bytes, .data_size_in = frame->len,
		    .data_out = frame->bytes, .data_size_out = sizeof(frame->bytes));
	int fd = bpf_program__fd(kern->skel->progs.nol_xdp_ingress);

	assert_int_equal(bpf_prog_test_run_opts(fd, &run), 0);
	frame->len = run.data_size_out;
	return (int)run.retval;
}

static struct segment parsed(const struct frame *frame)
{
	struct segment segment;

	assert_int_equal(segment_parse(frame->bytes + FIXTURE_ETHERNET,
				       frame->len - FIXTURE_ETHERNET, &segment),
			 SEGMENT_OK);
	assert_int_equal(segment.checksum, CHECKSUM_VALID);
	return segment;
}

/* 20 bytes of options from there on, in tcpdump's order. */
static void assert_options(const struct frame *frame, const uint8_t expected[20])
{
	size_t l4 = FIXTURE_ETHERNET + (frame->bytes[12] == 8 ? 20 : 40);

	assert_int_equal(frame->len, l4 + 40);
	assert_memory_equal(frame->bytes + l4 + 20, expected, 20);
}

static void assert_syn_ack(const struct frame *frame)
{
	struct segment segment = parsed(frame);

	assert_int_equal(segment.flags, TCP_SYN | TCP_ACK);
	assert_int_equal(segment.seq, ISS);
	assert_int_equal(segment.ack, ISN + 1);
	assert_int_equal(segment.window, 64240);
}

/* <mss 1460,sackOK,TS val 3333 ecr 7777,nop,wscale 10> */
static const uint8_t all_options[20] = {2,  4, 5, 0xb4, 4,    2,    8, 10, 0, 0,
					13, 5, 0, 0,	0x1e, 0x61, 1, 3,  3, 10};
/* <mss 1460,nop x 16> */
static const uint8_t mss_alone[20] = {2, 4, 5, 0xb4, 1, 1, 1, 1, 1, 1,
				      1, 1, 1, 1,    1, 1, 1, 1, 1, 1};

static void makes_a_syn_ack_of_the_syn(void **state)
{
	struct frame frame = syn_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	add_back(V4_LOCAL, V4_REMOTE, ALL);
	assert_int_equal(turn_egress(&frame), LET_GO);
	assert_syn_ack(&frame);
	assert_options(&frame, all_options);
	assert_only_counted(back_syn_ack);
}

static void makes_a_syn_ack_of_the_syn_over_ipv6(void **state)
{
	struct frame frame = syn_of(V6_LOCAL, V6_REMOTE);

	(void)state;
	add_back(V6_LOCAL, V6_REMOTE, ALL);
	assert_int_equal(turn_egress(&frame), LET_GO);
	assert_syn_ack(&frame);
	assert_options(&frame, all_options);
}

static void leaves_out_what_the_remote_did_not_offer(void **state)
{
	struct frame frame = syn_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	add_back(V4_LOCAL, V4_REMOTE, 0);
	assert_int_equal(turn_egress(&frame), LET_GO);
	assert_syn_ack(&frame);
	assert_options(&frame, mss_alone);
}

static void makes_a_syn_ack_for_every_combination_of_offers(void **state)
{
	(void)state;
	for (unsigned int offers = 0; offers <= ALL; offers++) {
		struct frame frame = syn_of(V6_LOCAL, V6_REMOTE);
		struct tcp_options options;

		add_back(V6_LOCAL, V6_REMOTE, (uint8_t)offers);
		assert_int_equal(turn_egress(&frame), LET_GO);
		assert_syn_ack(&frame);
		options = parsed(&frame).options;
		assert_true(options.has_mss);
		assert_int_equal(options.has_wscale, !!(offers & NOL_OFFER_WSCALE));
		assert_int_equal(options.has_sack_permitted, !!(offers & NOL_OFFER_SACK));
		assert_int_equal(options.has_timestamps, !!(offers & NOL_OFFER_TIMESTAMPS));
	}
}

static void notes_what_the_syn_ack_has_said(void **state)
{
	struct frame frame = syn_of(V4_LOCAL, V4_REMOTE);
	struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);
	struct nol_back back;

	(void)state;
	add_back(V4_LOCAL, V4_REMOTE, ALL & ~NOL_OFFER_SACK);
	assert_int_equal(turn_egress(&frame), LET_GO);
	assert_int_equal(kern_back_get(kern, &tuple, &back), 0);
	assert_int_equal(back.syn_acks, 1);
	assert_int_equal(back.first_tsval, LOCAL_TSVAL);
	assert_int_equal(back.last_tsval, LOCAL_TSVAL);
	assert_int_equal(back.local_offers, ALL & ~NOL_OFFER_SACK);
	assert_int_equal(back.local_mss, 1460);
	assert_int_equal(back.local_wscale, 10);
	assert_int_equal(back.local_window, 64240);
	assert_true(back.sent_ns > 1);
}

static void drops_a_syn_with_another_iss(void **state)
{
	struct frame frame = syn_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	add_back(V4_LOCAL, V4_REMOTE, ALL);
	frame.bytes[FIXTURE_ETHERNET + 20 + 7]++;
	assert_int_equal(turn_egress(&frame), DROPPED);
	assert_only_counted(back_odd);
}

static void lets_the_syn_of_another_connect_go(void **state)
{
	struct frame frame = syn_of(V4_LOCAL, "10.0.0.1:80"), before = frame;

	(void)state;
	add_back(V4_LOCAL, V4_REMOTE, ALL);
	assert_int_equal(turn_egress(&frame), LET_GO);
	assert_memory_equal(frame.bytes, before.bytes, before.len);
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

	assert_int_equal(turn_ingress(frame), XDP_PASSED);
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
	assert_int_equal(turn_ingress(frame), XDP_DROPPED);
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

#define back_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		back_test(makes_a_syn_ack_of_the_syn),
		back_test(makes_a_syn_ack_of_the_syn_over_ipv6),
		back_test(leaves_out_what_the_remote_did_not_offer),
		back_test(makes_a_syn_ack_for_every_combination_of_offers),
		back_test(notes_what_the_syn_ack_has_said),
		back_test(drops_a_syn_with_another_iss),
		back_test(lets_the_syn_of_another_connect_go),
		back_test(makes_a_syn_ack_of_the_ack),
		back_test(makes_a_syn_ack_of_the_ack_over_ipv6),
		back_test(makes_a_syn_ack_without_options),
		back_test(takes_an_unfinished_checksum),
		back_test(leaves_a_bad_checksum_to_the_engine),
		back_test(leaves_an_ack_with_data_to_the_engine),
		back_test(leaves_a_fin_to_the_engine),
		back_test(leaves_a_wrong_ack_to_the_engine),
		back_test(leaves_an_ack_outside_the_window_to_the_engine),
		back_test(leaves_an_old_tsval_to_the_engine),
		back_test(leaves_a_tsecr_never_sent_to_the_engine),
		back_test(leaves_an_ack_alone_when_no_socket_awaits_it),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
