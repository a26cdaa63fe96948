/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What belongs to no flow, no socket and no cookie: what each kind gets, and which user space still sees. */
#include "stray_fixture.h"

#include "engine.h"
#include "ip.h"

#define NOPS_8 1, 1, 1, 1, 1, 1, 1, 1

static const char *const ends[][2] = {{V4_LOCAL, V4_REMOTE}, {V6_LOCAL, V6_REMOTE}};

/* The engine's reply to the same segment: what comes back has to be that, in a frame that went the same way back. */
static bool build_reply(const struct segment *in, struct frame *out)
{
	const struct engine_config config = {.max_flows = 1, .resets_per_s = 1};
	struct engine_action action;
	struct segment turned = *in;
	struct engine *engine;

	turned.tuple = (struct tuple){.local = in->tuple.remote, .remote = in->tuple.local};
	turned.checksum = CHECKSUM_VALID;
	assert_int_equal(engine_new(&engine, &config), 0);
	engine_input(engine, &turned, 0, NULL, &action);
	engine_free(engine);
	if (!action.has_reply)
		return false;
	frame_build(out, &action.reply);
	memcpy(out->bytes, (uint8_t[]){2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, 12);
	return true;
}

static void cut_link_header(struct frame *frame)
{
	frame->len -= FIXTURE_ETHERNET;
	memmove(frame->bytes, frame->bytes + FIXTURE_ETHERNET, frame->len);
}

/* has_link: of the device that the programs were loaded for. */
static void assert_as_the_engine(const struct segment *segment, bool has_link)
{
	struct frame frame, expected;
	struct sent sent;

	frame_build(&frame, segment);
	if (!has_link)
		cut_link_header(&frame);
	if (!build_reply(segment, &expected)) {
		assert_int_equal(run_answer(&frame, &sent), XDP_DROP);
		assert_nothing_held();
		return;
	}
	if (!has_link)
		cut_link_header(&expected);
	assert_int_equal(run_answer(&frame, &sent), XDP_TX);
	assert_nothing_held();
	assert_int_equal(sent.len, expected.len);
	assert_memory_equal(sent.bytes, expected.bytes, expected.len);
}

/* All but the 16 of a bare SYN, which is no stray; of these 64 have an ACK and no RST, 128 a RST. */
static void answer_all_flags(const char *local, const char *remote, bool has_link)
{
	for (unsigned int flags = 0; flags < 256; flags++) {
		const struct segment stray = stray_with(local, remote, (uint8_t)flags);

		if ((flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN)
			assert_as_the_engine(&stray, has_link);
	}
}

static void assert_all_flags(bool has_link)
{
	struct nol_stats stats;

	for (size_t i = 0; i < 2; i++)
		answer_all_flags(ends[i][0], ends[i][1], has_link);
	stats = read_stats();
	assert_int_equal(stats.stray_reset, 2 * 128);
	assert_int_equal(stats.stray_answered, 2 * 64);
	assert_int_equal(stats.stray_ignored, 2 * (256 - 128 - 64 - 16));
	assert_int_equal(stats.held_stray, 0);
}

static void answers_all_flag_bytes_as_the_engine_does(void **state)
{
	(void)state;
	assert_all_flags(true);
}

static void answers_them_without_a_link_header(void **state)
{
	(void)state;
	assert_all_flags(false);
}

static void answers_an_ack_with_options_and_a_syn_ack(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct segment stray = stray_with(ends[i][0], ends[i][1], TCP_ACK);

		stray.options =
			(struct tcp_options){.has_timestamps = true, .tsval = 7, .tsecr = 9};
		assert_as_the_engine(&stray, true);
		stray.flags = TCP_SYN | TCP_ACK;
		stray.options = linux_options;
		assert_as_the_engine(&stray, true);
	}
	assert_counters(offsetof(struct nol_stats, stray_answered), 4);
}

static void cuts_off_padding(void **state)
{
	const struct segment stray = stray_with(V4_LOCAL, V4_REMOTE, TCP_ACK);
	struct frame frame, expected;
	struct sent sent;

	(void)state;
	frame_build(&frame, &stray);
	frame.len += 6;
	assert_true(build_reply(&stray, &expected));
	assert_int_equal(run_answer(&frame, &sent), XDP_TX);
	assert_int_equal(sent.len, expected.len);
	assert_memory_equal(sent.bytes, expected.bytes, expected.len);
}

/* The sum of the pseudo-header is all that a local sender has computed. */
static void answers_a_checksum_that_is_not_complete(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);
	struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);
	uint16_t sum = checksum_fold(checksum_pseudo(&tuple.remote.addr, &tuple.local.addr, 20));

	(void)state;
	frame.bytes[FIXTURE_ETHERNET + 36] = sum >> 8;
	frame.bytes[FIXTURE_ETHERNET + 37] = (uint8_t)sum;
	assert_reset(&frame);
}

static void assert_ignored(const struct frame *frame)
{
	const __u64 before = read_stats().stray_ignored;

	assert_int_equal(run_ingress(frame), XDP_DROP);
	assert_nothing_held();
	assert_int_equal(read_stats().stray_ignored, before + 1);
}

static void never_answers_a_bad_checksum(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct frame frame = frame_from(ends[i][1], ends[i][0], TCP_ACK);

		frame.bytes[frame.len - 1] ^= 1; /* of the urgent pointer */
		assert_ignored(&frame);
	}
}

static void never_answers_a_bad_checksum_of_the_ip_header(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	frame.bytes[FIXTURE_ETHERNET + 8]--;
	assert_ignored(&frame);
}

static void never_answers_port_0(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	memset(frame.bytes + FIXTURE_ETHERNET + 20, 0, 2);
	ip_seal(frame.bytes + FIXTURE_ETHERNET, 20, frame.len - FIXTURE_ETHERNET);
	assert_ignored(&frame);
}

static void leaves_data_to_user_space(void **state)
{
	struct segment stray = stray_with(V4_LOCAL, V4_REMOTE, TCP_ACK | TCP_PSH);
	struct frame frame;

	(void)state;
	stray.payload = (const uint8_t *)"request";
	stray.payload_len = 7;
	frame_build(&frame, &stray);
	assert_left_to_user_space(&frame);
}

static void leaves_ip_options_and_extension_headers_to_user_space(void **state)
{
	static const uint8_t nops[4] = {1, 1, 1, 1}, atomic[8] = {IPPROTO_TCP};
	struct frame v4 = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);
	struct frame v6 = frame_from(V6_REMOTE, V6_LOCAL, TCP_ACK);

	(void)state;
	frame_insert(&v4, FIXTURE_ETHERNET + 20, nops, sizeof(nops));
	v4.bytes[FIXTURE_ETHERNET] = 0x46;
	frame_grow_ip(&v4, sizeof(nops));
	assert_left_to_user_space(&v4);
	v6.bytes[FIXTURE_ETHERNET + 6] = IPPROTO_FRAGMENT;
	frame_insert(&v6, FIXTURE_ETHERNET + 40, atomic, sizeof(atomic));
	frame_grow_ip(&v6, sizeof(atomic));
	assert_left_to_user_space(&v6);
}

static void leaves_a_tagged_frame_to_user_space(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	frame_insert(&frame, 12, "\x81\x00\xe0\x00", 4); /* priority 7 */
	assert_left_to_user_space(&frame);
}

static void leaves_what_may_be_signed_to_user_space(void **state)
{
	static const uint8_t md5[] = {19, 18, NOPS_8, NOPS_8, 1, 1};
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	frame_insert(&frame, frame.len, md5, sizeof(md5));
	frame.bytes[FIXTURE_ETHERNET + 32] = 0xa0;
	ip_seal(frame.bytes + FIXTURE_ETHERNET, 20, frame.len - FIXTURE_ETHERNET);
	assert_left_to_user_space(&frame);
}

static void leaves_a_source_that_no_host_has_to_user_space(void **state)
{
	struct frame frame = frame_from("240.0.0.1:5", V4_LOCAL, TCP_ACK);

	(void)state;
	assert_left_to_user_space(&frame);
}

static void leaves_all_to_user_space_while_replies_may_not_arrive(void **state)
{
	struct frame ack = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);
	struct frame reset = frame_from(V4_REMOTE, V4_LOCAL, TCP_RST);

	(void)state;
	kern_config(kern)->can_transmit = 0;
	assert_left_to_user_space(&ack);
	assert_int_equal(run_ingress(&reset), XDP_DROP);
	assert_nothing_held();
	assert_int_equal(read_stats().stray_reset, 1);
}

static void a_rst_never_reaches_the_ring(void **state)
{
	static const uint8_t flags[] = {TCP_RST, TCP_RST | TCP_ACK, TCP_RST | TCP_SYN, 0xff};
	uint64_t count = 0;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < sizeof(flags); j++) {
			struct segment stray = stray_with(ends[i][0], ends[i][1], flags[j]);
			struct frame frame;

			stray.payload = (const uint8_t *)"why";
			for (stray.payload_len = 0; stray.payload_len < 4; stray.payload_len += 3) {
				frame_build(&frame, &stray);
				assert_int_equal(run_ingress(&frame), XDP_DROP);
				assert_nothing_held();
				count++;
			}
		}
	assert_counters(offsetof(struct nol_stats, stray_reset), count);
}

static void a_rst_of_a_flow_is_held_as_ever(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_RST);

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_FLOW);
	assert_only_counted(held_flow);
}

static void says_nothing_once_the_heartbeat_has_stopped(void **state)
{
	static const uint8_t flags[] = {TCP_ACK, TCP_RST, 0};

	(void)state;
	kern_config(kern)->heartbeat_ns =
		clock_monotonic_ns() - NOL_HEARTBEAT_STALE_NS - CLOCK_NS_PER_S;
	for (size_t i = 0; i < sizeof(flags); i++) {
		struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, flags[i]);

		assert_int_equal(run_ingress(&frame), XDP_PASS);
	}
	assert_counters(offsetof(struct nol_stats, ingress_stale), sizeof(flags));
}

/* As long as nol_xdp_stray is not there. */
static void holds_strays_where_their_program_is_missing(void **state)
{
	const int fd = bpf_program__fd(kern->skel->progs.nol_xdp_stray);
	const int map_fd = bpf_map__fd(kern->skel->maps.nol_ends);
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);
	const __u32 first = 0;

	(void)state;
	assert_int_equal(bpf_map_delete_elem(map_fd, &first), 0);
	assert_left_to_user_space(&frame);
	assert_int_equal(bpf_map_update_elem(map_fd, &first, &fd, BPF_ANY), 0);
}

static int setup_l3(void **state)
{
	struct kern_options options = fixture_options();

	(void)state;
	options.has_link_header = false;
	fixture_open(&options);
	return 0;
}

static int setup_connect(void **state)
{
	struct kern_options options = fixture_options();

	(void)state;
	options.connects_back = true;
	fixture_open(&options);
	return 0;
}

static int setup_loopback(void **state)
{
	struct kern_options options = fixture_options();

	(void)state;
	options.is_loopback = true;
	fixture_open(&options);
	return 0;
}

/* LAND and loopback sources are the engine's to tell apart. */
static void leaves_acks_on_lo_to_user_space(void **state)
{
	struct frame frame = frame_from("127.0.0.1:5", V4_LOCAL, TCP_ACK);

	(void)state;
	assert_left_to_user_space(&frame);
}

#define test_with(f, setup) cmocka_unit_test_setup_teardown(f, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(answers_all_flag_bytes_as_the_engine_does),
		test_with(answers_all_flag_bytes_as_the_engine_does, setup_connect),
		test_with(answers_them_without_a_link_header, setup_l3),
		fixture_test(answers_an_ack_with_options_and_a_syn_ack),
		fixture_test(cuts_off_padding),
		fixture_test(answers_a_checksum_that_is_not_complete),
		fixture_test(never_answers_a_bad_checksum),
		fixture_test(never_answers_a_bad_checksum_of_the_ip_header),
		fixture_test(never_answers_port_0),
		fixture_test(leaves_data_to_user_space),
		fixture_test(leaves_ip_options_and_extension_headers_to_user_space),
		fixture_test(leaves_a_tagged_frame_to_user_space),
		fixture_test(leaves_what_may_be_signed_to_user_space),
		fixture_test(leaves_a_source_that_no_host_has_to_user_space),
		test_with(leaves_acks_on_lo_to_user_space, setup_loopback),
		fixture_test(leaves_all_to_user_space_while_replies_may_not_arrive),
		fixture_test(a_rst_never_reaches_the_ring),
		fixture_test(a_rst_of_a_flow_is_held_as_ever),
		fixture_test(says_nothing_once_the_heartbeat_has_stopped),
		fixture_test(holds_strays_where_their_program_is_missing),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("stray", tests, NULL, NULL);
}
