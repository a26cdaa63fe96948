/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Attached for real: where, what stays behind, what is pinned, and real RSTs on lo and a veth pair. */
#include <fcntl.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "attach_fixture.h"

#define SERVER "127.0.0.1:34567"

static bool has_xdp(const char *ifname)
{
	uint32_t id = 0;

	assert_int_equal(bpf_xdp_query_id(if_nametoindex(ifname), 0, &id), 0);
	return id != 0;
}

static void is_generic_on_lo_and_leaves_nothing_behind(void **state)
{
	(void)state;
	open_on(options_of("lo"));
	assert_int_equal(kern_attach(kern), 0);
	assert_string_equal(kern_xdp_mode_text(kern), "generic");
	assert_true(has_xdp("lo"));
	kern_detach(kern);
	assert_false(has_xdp("lo"));
	assert_int_equal(kern_attach(kern), 0);
	kern_close(kern);
	kern = NULL;
	assert_false(has_xdp("lo"));
	assert_false(succeeds("tc qdisc show dev lo | grep -q clsact"));
}

static void is_generic_on_veth_unless_told_otherwise(void **state)
{
	struct kern_options options = options_of("nolv0");

	(void)state;
	open_on(options);
	assert_int_equal(kern_attach(kern), 0);
	assert_string_equal(kern_xdp_mode_text(kern), "generic");
	kern_close(kern);
	options.xdp_mode = KERN_XDP_NATIVE;
	open_on(options);
	assert_int_equal(kern_attach(kern), 0);
	assert_string_equal(kern_xdp_mode_text(kern), "native");
}

static void native_is_refused_on_lo(void **state)
{
	struct kern_options options = options_of("lo");

	(void)state;
	options.xdp_mode = KERN_XDP_NATIVE;
	open_on(options);
	assert_int_not_equal(kern_attach(kern), 0);
	assert_false(has_xdp("lo"));
}

static void says_that_another_program_is_there(void **state)
{
	struct kern_options options = options_of("nolv0");
	struct kern *first;

	(void)state;
	open_on(options);
	assert_int_equal(kern_attach(kern), 0);
	first = kern;
	options.xdp_mode = KERN_XDP_NATIVE;
	open_on(options);
	assert_int_equal(kern_attach(kern), -EBUSY);
	kern_close(kern);
	kern = first;
	assert_true(has_xdp("nolv0"));
}

static void links_die_with_their_process(void **state)
{
	struct kern_options options = options_of("nolv0");

	(void)state;
	attach_and_die(&options);
	assert_false(has_xdp("nolv0"));
	open_on(options);
	assert_int_equal(kern_attach(kern), 0);
}

/* A bpffs that this process alone sees. */
static void mount_bpffs(void)
{
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL), 0);
}

static void pins_are_removed_at_the_end(void **state)
{
	(void)state;
	mount_bpffs();
	open_on(options_of("lo"));
	assert_int_equal(kern_pin(kern), 0);
	run("bpftool map dump pinned /sys/fs/bpf/nolisten/lo/nol_stats | grep -q held_syn");
	kern_close(kern);
	kern = NULL;
	assert_int_not_equal(access("/sys/fs/bpf/nolisten", F_OK), 0);
	assert_int_equal(umount("/sys/fs/bpf"), 0);
}

static void pins_of_a_live_owner_stay_and_stale_ones_are_replaced(void **state)
{
	struct kern *first;

	(void)state;
	mount_bpffs();
	open_on(options_of("lo"));
	assert_int_equal(kern_pin(kern), 0);
	first = kern;
	kern_config(first)->netns++; /* in this one there is no other on lo */
	open_on(options_of("lo"));
	assert_int_equal(kern_pin(kern), 0);
	assert_false(kern->is_pinned);
	kern_config(first)->heartbeat_ns = 0;
	assert_int_equal(kern_pin(kern), 0);
	assert_true(kern->is_pinned);
	first->is_pinned = false;
	kern_close(first);
	run("bpftool map dump pinned /sys/fs/bpf/nolisten/lo/nol_config | grep -q heartbeat_ns");
	kern_close(kern);
	kern = NULL;
	assert_int_equal(umount("/sys/fs/bpf"), 0);
}

/* Without waiting: 0, EINPROGRESS or what is wrong at once. */
static int connect_to(const char *text, int *fd)
{
	struct sockaddr_storage address;
	struct endpoint endpoint;
	socklen_t len;

	assert_true(endpoint_parse(text, &endpoint));
	len = endpoint_to_sockaddr(&endpoint, 0, &address);
	*fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(*fd >= 0);
	return connect(*fd, (struct sockaddr *)&address, len) ? errno : 0;
}

static void await_record(void)
{
	struct pollfd ring = {.fd = kern_ring_fd(kern_ring(kern, 0)), .events = POLLIN};

	assert_int_equal(poll(&ring, 1, 2000), 1);
	assert_int_equal(kern_ring_consume(kern_ring(kern, 0), 10, take, NULL), 1);
}

static int await_error(int fd)
{
	struct pollfd done = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(int);
	int err = 0;

	assert_int_equal(poll(&done, 1, 2000), 1);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	return err;
}

static void a_held_syn_gets_no_rst(void **state)
{
	int refused, held, err;

	(void)state;
	open_on(options_of("lo"));
	assert_int_equal(kern_attach(kern), 0);
	err = connect_to("127.0.0.1:34568", &refused);
	assert_int_equal(err == EINPROGRESS ? await_error(refused) : err, ECONNREFUSED);
	assert_int_equal(connect_to(SERVER, &held), EINPROGRESS);
	await_record();
	assert_int_equal(taken.record.reason, NOL_HOLD_SYN);
	close(refused);
	close(held);
}

/* The RST of a listener's child that is aborted after both sockets are unhashed: only its type tells. */
static void a_socket_that_aborts_is_heard(void **state)
{
	struct linger abort_it = {.l_onoff = 1};
	struct sockaddr_storage address;
	struct pollfd readable = {.events = POLLIN};
	struct endpoint endpoint;
	socklen_t len;
	int listener, server;
	struct nol_stats stats;
	char byte;

	(void)state;
	assert_true(endpoint_parse(SERVER, &endpoint));
	len = endpoint_to_sockaddr(&endpoint, 0, &address);
	open_on(options_of("lo"));
	assert_int_equal(kern_attach(kern), 0);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 5), 0);
	connect_to(SERVER, &readable.fd);
	server = accept(listener, NULL, NULL);
	assert_true(server >= 0);
	close(listener);
	setsockopt(server, SOL_SOCKET, SO_LINGER, &abort_it, sizeof(abort_it));
	close(server);
	assert_int_equal(poll(&readable, 1, 2000), 1);
	assert_int_equal(read(readable.fd, &byte, 1), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(kern_stats_read(kern, &stats), 0);
	assert_int_equal(stats.rst_owned, 1);
	assert_int_equal(stats.rst_dropped, 0);
	close(readable.fd);
}

/* A stray ACK of a held flow, tagged as a replayed one. */
static struct frame replay_of(const char *remote, const char *local)
{
	struct frame frame = frame_from(remote, local, TCP_ACK);
	uint8_t *ip = frame.bytes + FIXTURE_ETHERNET;
	uint16_t sum;

	memcpy(ip + 4, "\xe1\x23", 2);
	ip[8] = 0;
	memset(ip + 10, 0, 2);
	sum = ~checksum_fold(checksum_add(0, ip, 20));
	ip[10] = sum >> 8;
	ip[11] = sum;
	kern_config(kern)->replay_tag = FIXTURE_TAG;
	add_flow(local, remote, NOL_FLOW_SYN_RECEIVED);
	return frame;
}

static void send_marked(int fd, const void *bytes, size_t len, const void *to, socklen_t to_len)
{
	uint32_t mark = NOL_MARK_REPLAY;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)), 0);
	assert_int_equal(sendto(fd, bytes, len, 0, to, to_len), len);
	close(fd);
}

/* The kernel has no socket for it: its RST shows that the packet came in, and is what the guard is for. */
static void assert_replayed(const char *local, const char *remote)
{
	uint64_t deadline_ns = clock_monotonic_ns() + 2 * CLOCK_NS_PER_S;
	struct nol_stats stats;

	do
		assert_int_equal(kern_stats_read(kern, &stats), 0);
	while (!stats.rst_dropped && clock_monotonic_ns() < deadline_ns);
	assert_int_equal(stats.replay_turned, 1);
	assert_int_equal(stats.ingress_replayed, 1);
	assert_int_equal(stats.rst_dropped, 1);
	assert_int_equal(stats.held_flow, 0);
	assert_int_equal(get_flow(local, remote).rst_dropped, 1);
}

static void a_frame_replayed_by_a_packet_socket_reaches_the_stack(void **state)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	struct ifreq request = {.ifr_name = "nolv0"};
	struct frame frame;
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	(void)state;
	run("ip addr add 10.0.0.2/24 dev nolv0 && ip link set nolv0 up && ip link set nolv1 up && "
	    "ip neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev nolv0");
	open_on(options_of("nolv0"));
	assert_int_equal(kern_attach(kern), 0);
	frame = replay_of(V4_REMOTE, V4_LOCAL);
	assert_int_equal(ioctl(fd, SIOCGIFHWADDR, &request), 0);
	memcpy(frame.bytes, request.ifr_hwaddr.sa_data, 6);
	to.sll_ifindex = if_nametoindex("nolv0");
	send_marked(fd, frame.bytes, frame.len, &to, sizeof(to));
	assert_replayed(V4_LOCAL, V4_REMOTE);
}

static void a_packet_replayed_by_a_raw_socket_reaches_the_stack_on_lo(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	struct frame frame;

	(void)state;
	open_on(options_of("lo"));
	assert_int_equal(kern_attach(kern), 0);
	frame = replay_of("127.0.0.1:50814", SERVER);
	send_marked(socket(AF_INET, SOCK_RAW, IPPROTO_RAW), frame.bytes + FIXTURE_ETHERNET,
		    frame.len - FIXTURE_ETHERNET, &to, sizeof(to));
	assert_replayed(SERVER, "127.0.0.1:50814");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		attach_test(is_generic_on_lo_and_leaves_nothing_behind),
		veth_test(is_generic_on_veth_unless_told_otherwise),
		attach_test(native_is_refused_on_lo),
		veth_test(says_that_another_program_is_there),
		veth_test(links_die_with_their_process),
		attach_test(pins_are_removed_at_the_end),
		attach_test(pins_of_a_live_owner_stay_and_stale_ones_are_replaced),
		attach_test(a_held_syn_gets_no_rst),
		attach_test(a_socket_that_aborts_is_heard),
		veth_test(a_frame_replayed_by_a_packet_socket_reaches_the_stack),
		attach_test(a_packet_replayed_by_a_raw_socket_reaches_the_stack_on_lo),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}
