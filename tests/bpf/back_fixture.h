/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What both tests of connect-back have in common. */
#ifndef NOLISTEN_TESTS_BACK_FIXTURE_H
#define NOLISTEN_TESTS_BACK_FIXTURE_H

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "fixture.h"

#define ISN 1000u /* the remote's */
#define ISS 5000u
#define TSVAL 7777u /* the remote's */
#define LOCAL_TSVAL 3333u

static int tun_fd;

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
	return 0;
}

static int teardown(void **state)
{
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

/* What the program makes of the frame; the verdict. */
static inline int turn(const struct bpf_program *program, struct frame *frame)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame->bytes, .data_size_in = frame->len,
		    .data_out = frame->bytes, .data_size_out = sizeof(frame->bytes));

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &run), 0);
	frame->len = run.data_size_out;
	return (int)run.retval;
}

static inline struct segment parsed(const struct frame *frame)
{
	struct segment segment;

	assert_int_equal(segment_parse(frame->bytes + FIXTURE_ETHERNET,
				       frame->len - FIXTURE_ETHERNET, &segment),
			 SEGMENT_OK);
	assert_int_equal(segment.checksum, CHECKSUM_VALID);
	return segment;
}

/* 20 bytes of options from there on, in tcpdump's order. */
static inline void assert_options(const struct frame *frame, const uint8_t expected[20])
{
	size_t l4 = FIXTURE_ETHERNET + (frame->bytes[12] == 8 ? 20 : 40);

	assert_int_equal(frame->len, l4 + 40);
	assert_memory_equal(frame->bytes + l4 + 20, expected, 20);
}

#endif
