/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the remote sends while its socket is being made, over the loopback of a namespace of our own. setsockopt() is ours:
 * when it comes to the options, all that the remote has to say is there already.
 */
#include "repair.h"

#include <errno.h>
#include <linux/tcp.h>
#include <net/route.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "cmocka_setup.h"
#include "own_netns.h"
#include "raw_replay.h"

#define ISS 5000
#define IRS 9000
#define ESTABLISHED 1 /* TCP_ESTABLISHED of netinet/tcp.h, which does not go with linux/tcp.h */
#define NOW_NS (1000 * CLOCK_NS_PER_S)

static struct engine_flow flow;
static struct raw_replay *replay;
static bool arrives_early; /* the data and the FIN */
static bool has_timestamps, is_active; /* of the flow */
static uint16_t remote_mss = 1460, remote_window = 1000; /* of the flow */
static int was_transparent; /* when the options were set */

static uint32_t tsecr; /* what the remote echoes, if timestamps were agreed */

static void arrive(uint8_t flags, uint32_t seq, const char *payload)
{
	const struct segment segment = {
		.options = {.has_timestamps = flow.has_timestamps, .tsval = 1, .tsecr = tsecr},
		.tuple = {.local = flow.tuple.remote, .remote = flow.tuple.local},
		.seq = seq,
		.ack = ISS + 1,
		.flags = flags,
		.window = (uint16_t)remote_window,
		.payload = (const uint8_t *)payload,
		.payload_len = (uint32_t)strlen(payload),
	};
	uint8_t packet[128];
	const struct held_packet held = {
		.frame = packet,
		.frame_len = (uint32_t)segment_build(&segment, packet, sizeof(packet)),
		.l4_offset = 20,
		.is_whole = true,
	};

	assert_int_equal(raw_replay_packet(replay, &held), 0);
}

static void arrive_all(void)
{
	arrive(TCP_ACK, IRS + 1, "");
	arrive(TCP_ACK | TCP_PSH, IRS + 1, "hello");
	arrive(TCP_ACK | TCP_FIN, IRS + 6, "");
}

static int get_int(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	getsockopt(fd, level, name, &value, &len);
	return value;
}

static int is_transparent(int fd)
{
	return addr_is_v4(&flow.tuple.local.addr) ? get_int(fd, IPPROTO_IP, IP_TRANSPARENT)
						  : get_int(fd, IPPROTO_IPV6, IPV6_TRANSPARENT);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (level == IPPROTO_TCP && name == TCP_REPAIR_OPTIONS) {
		was_transparent = is_transparent(fd);
		if (arrives_early)
			arrive_all();
	}
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

/* Nobody lives there: what the socket answers is not answered with a RST. */
static void route_remote_to_loopback(void)
{
	struct rtentry route = {.rt_flags = RTF_UP, .rt_dev = (char *)"lo"};
	struct sockaddr_in *to = (struct sockaddr_in *)&route.rt_dst;
	struct sockaddr_in *mask = (struct sockaddr_in *)&route.rt_genmask;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	to->sin_family = mask->sin_family = AF_INET;
	to->sin_addr.s_addr = htonl(0xc0000200);
	mask->sin_addr.s_addr = htonl(0xffffff00);
	assert_int_equal(ioctl(fd, SIOCADDRT, &route), 0);
	close(fd);
}

static int open_socket(enum wire_shield shield, const char *local, const char *remote, int *fd)
{
	static const struct socket_place place;

	flow = (struct engine_flow){
		.state = ENGINE_ESTABLISHED,
		.iss = ISS,
		.irs = IRS,
		.remote_mss = remote_mss,
		.local_mss = 1460,
		.local_window = 65535,
		.remote_window = remote_window,
		.remote_wl1 = IRS + 1,
		.has_sack = true,
		.has_timestamps = has_timestamps,
		.is_active = is_active,
	};
	assert_true(endpoint_parse(local, &flow.tuple.local));
	assert_true(endpoint_parse(remote, &flow.tuple.remote));
	was_transparent = -1;
	return repair_open(&flow, &place, shield, NOW_NS, fd);
}

static void without_a_shield_an_early_fin_ends_the_hand_off(void **state)
{
	int fd = -1;

	(void)state;
	arrives_early = true;
	assert_int_equal(open_socket(WIRE_SHIELD_HOLD, "127.0.0.1:1001", "192.0.2.1:2000", &fd),
			 -EPERM);
}

static void a_deaf_socket_hears_nothing_before_it_has_its_options(void **state)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	char text[16];
	int fd = -1;

	(void)state;
	arrives_early = true;
	assert_int_equal(open_socket(WIRE_SHIELD_DEAF, "127.0.0.1:1002", "192.0.2.1:2000", &fd), 0);
	assert_int_equal(recv(fd, text, sizeof(text), 0), -1);
	assert_int_equal(errno, EAGAIN);
	arrive_all();
	assert_int_equal(recv(fd, text, sizeof(text), 0), 5);
	assert_memory_equal(text, "hello", 5);
	assert_int_equal(recv(fd, text, sizeof(text), 0), 0);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	assert_int_equal(info.tcpi_options & TCPI_OPT_SACK, TCPI_OPT_SACK);
	close(fd);
}

static void a_socket_is_transparent_only_while_it_is_made(void **state)
{
	static const char *const ends[][2] = {{"127.0.0.1:1003", "127.0.0.1:2000"},
					      {"[::1]:1003", "[::1]:2000"}};
	int fd = -1;

	(void)state;
	arrives_early = false;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(open_socket(WIRE_SHIELD_TRANSPARENT, ends[i][0], ends[i][1], &fd),
				 0);
		assert_int_equal(was_transparent, 1);
		assert_int_equal(is_transparent(fd), 0);
		close(fd);
	}
}

static struct tcp_info info_of(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info;
}

/* The SYN-ACK left 100 ms ago. */
static void open_with_echo(const char *local, const char *remote, int *fd)
{
	arrives_early = false;
	assert_int_equal(open_socket(WIRE_SHIELD_HOLD, local, remote, fd), 0);
	tsecr = engine_tsval(&flow, NOW_NS) - 100;
}

static void the_final_ack_tells_a_socket_its_rtt(void **state)
{
	static const char *const ends[][2] = {{"127.0.0.1:1004", "192.0.2.1:2000"},
					      {"[::1]:1004", "[::1]:2000"}};
	struct tcp_info info;
	int fd = -1;

	(void)state;
	has_timestamps = true;
	for (int i = 0; i < 2; i++) {
		open_with_echo(ends[i][0], ends[i][1], &fd);
		arrive(TCP_ACK, IRS + 1, "");
		info = info_of(fd);
		assert_int_equal(info.tcpi_state, ESTABLISHED);
		assert_int_equal(info.tcpi_unacked, 0);
		assert_in_range(info.tcpi_rtt, 99000, 150000);
		assert_in_range(info.tcpi_rto, 200000, 600000);
		assert_int_equal(info.tcpi_total_retrans, 0);
		close(fd);
	}
	has_timestamps = false;
}

static void data_in_the_final_ack_tells_the_rtt_as_well(void **state)
{
	char text[16];
	int fd = -1;

	(void)state;
	has_timestamps = true;
	open_with_echo("127.0.0.1:1005", "192.0.2.1:2000", &fd);
	arrive(TCP_ACK | TCP_PSH, IRS + 1, "hello");
	assert_int_equal(recv(fd, text, sizeof(text), 0), 5);
	assert_in_range(info_of(fd).tcpi_rtt, 99000, 150000);
	has_timestamps = false;
	close(fd);
}

/* advmss and the estimate of what the remote sends are ours, as those of a listener's child; only what we send is the remote's. */
static void the_final_ack_gives_a_socket_the_remotes_mss(void **state)
{
	static const char *const ends[][2] = {{"127.0.0.1:1007", "192.0.2.1:2000"},
					      {"[::1]:1007", "[::1]:2000"}};
	struct tcp_info info;
	int fd = -1;

	(void)state;
	has_timestamps = true;
	remote_mss = 1000;
	remote_window = 64240;
	for (int i = 0; i < 2; i++) {
		open_with_echo(ends[i][0], ends[i][1], &fd);
		arrive(TCP_ACK, IRS + 1, "");
		info = info_of(fd);
		assert_int_equal(info.tcpi_snd_mss, 1000 - 12);
		assert_int_equal(info.tcpi_advmss, 1460 - 12);
		assert_int_equal(info.tcpi_rcv_mss, 536);
		close(fd);
	}
	has_timestamps = false;
	remote_mss = 1460;
	remote_window = 1000;
}

static void without_a_replay_a_socket_has_the_remotes_mss_at_once(void **state)
{
	int fd = -1;

	(void)state;
	is_active = true;
	remote_mss = 1000;
	assert_int_equal(open_socket(WIRE_SHIELD_HOLD, "127.0.0.1:1008", "192.0.2.1:2000", &fd), 0);
	assert_in_range(info_of(fd).tcpi_snd_mss, 1000 - 12, 1000);
	is_active = false;
	remote_mss = 1460;
	close(fd);
}

static void a_small_window_does_not_halve_the_mss(void **state)
{
	int fd = -1;

	(void)state;
	remote_mss = 1000;
	open_with_echo("127.0.0.1:1009", "192.0.2.1:2000", &fd);
	arrive(TCP_ACK, IRS + 1, "");
	assert_in_range(info_of(fd).tcpi_snd_mss, 1000 - 12, 1000);
	remote_mss = 1460;
	close(fd);
}

/* Its final ACK is ours: nothing may wait for an acknowledgement that does not come. */
static void nothing_is_outstanding_after_an_active_open(void **state)
{
	int fd = -1;

	(void)state;
	has_timestamps = is_active = true;
	open_with_echo("127.0.0.1:1006", "192.0.2.1:2000", &fd);
	assert_int_equal(info_of(fd).tcpi_unacked, 0);
	has_timestamps = is_active = false;
	close(fd);
}

static int set_up(void **state)
{
	(void)state;
	route_remote_to_loopback();
	return raw_replay_new(&replay, 0, 1500);
}

static int tear_down(void **state)
{
	(void)state;
	raw_replay_free(replay);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_shield_an_early_fin_ends_the_hand_off),
		cmocka_unit_test(a_deaf_socket_hears_nothing_before_it_has_its_options),
		cmocka_unit_test(a_socket_is_transparent_only_while_it_is_made),
		cmocka_unit_test(the_final_ack_tells_a_socket_its_rtt),
		cmocka_unit_test(data_in_the_final_ack_tells_the_rtt_as_well),
		cmocka_unit_test(the_final_ack_gives_a_socket_the_remotes_mss),
		cmocka_unit_test(without_a_replay_a_socket_has_the_remotes_mss_at_once),
		cmocka_unit_test(a_small_window_does_not_halve_the_mss),
		cmocka_unit_test(nothing_is_outstanding_after_an_active_open),
	};

	if (!own_netns_enter())
		return own_netns_skip("repair");
	return cmocka_run_group_tests_name("repair", tests, set_up, tear_down);
}
