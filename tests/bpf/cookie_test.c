/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Cookies that come back: which are accepted, what they say, and the flow that they open. */
#include "fixture.h"

#include "cookie_fixture.h"

#define ISN 0xcafe0000u

/* MSS 1360, window scale 7, SACK. */
static uint32_t code_of(const struct tuple *tuple)
{
	return cookie_code(tuple, 1360, 7, true);
}

/*
 * The segment that acknowledges a cookie, as the remote sends it: with a TSval that was sent now, unless the machine has
 * taken a second from there to here.
 */
static struct segment ack_with_code(const char *local, const char *remote, uint32_t slot,
				    uint32_t code)
{
	const struct tuple tuple = tuple_of(local, remote);

	return (struct segment){
		.tuple = tuple_of(remote, local),
		.seq = ISN + 1,
		.ack = cookie_expected(&tuple, ISN, slot, code) + 1,
		.flags = TCP_ACK,
		.window = 500,
		.options = {.has_timestamps = true,
			    .tsval = 1,
			    .tsecr = cookie_now_ms() + cookie_ts_offset(&tuple, ISN, slot)},
	};
}

static struct segment ack_with(const char *local, const char *remote, uint32_t slot)
{
	const struct tuple tuple = tuple_of(local, remote);

	return ack_with_code(local, remote, slot, code_of(&tuple));
}

static struct nol_stats read_stats(void)
{
	struct nol_stats stats;

	assert_int_equal(kern_stats_read(kern, &stats), 0);
	return stats;
}

static void send_in(const struct segment *segment, struct frame *frame)
{
	frame_build(frame, segment);
	assert_int_equal(run_ingress(frame), XDP_DROP);
}

static void assert_accepted(const struct segment *segment)
{
	struct frame frame;

	send_in(segment, &frame);
	assert_held(&frame, NOL_HOLD_COOKIE);
	assert_int_equal(taken.record.held, 1);
	assert_only_counted(held_cookie);
}

static void assert_terms(uint16_t mss, uint8_t options, uint8_t wscale)
{
	assert_int_equal(taken.record.terms.mss, mss);
	assert_int_equal(taken.record.terms.options, options);
	assert_int_equal(taken.record.terms.wscale, wscale);
}

#define ALL_TERMS (NOL_TERM_TIMESTAMPS | NOL_TERM_SACK | NOL_TERM_WSCALE)

/* But for the length, which is the last word there: what these tests expect of cookies stands on the paper's vectors. */
static void expects_the_hash_of_the_paper(void **state)
{
	const uint8_t key[SIPHASH_KEY_SIZE] = "0123456789abcdef";
	uint8_t message[48] = "as many bytes as the longest of the two";

	(void)state;
	for (size_t words = 5; words; words--) {
		const size_t len = words * 8;

		memset(message + len, 0, 8);
		message[len + 7] = (uint8_t)len;
		assert_int_equal(cookie_siphash(key, message, len + 8, 0xff),
				 siphash_24(key, message, len));
	}
}

static void opens_a_flow_for_a_cookie(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);
	const struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);
	struct nol_flow flow;

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_accepted(&ack);
	assert_terms(1360, ALL_TERMS, 7);
	assert_int_equal(taken.record.terms.ts_offset, cookie_ts_offset(&tuple, ISN, COOKIE_SLOT));
	flow = get_flow(V4_LOCAL, V4_REMOTE);
	assert_int_equal(flow.state, NOL_FLOW_SYN_RECEIVED);
	assert_int_equal(flow.held, 1);
	assert_int_equal(flow.method, NOL_METHOD_XDP);
	assert_int_equal(flow.created_ns, taken.record.held_ns);
}

static void opens_a_flow_over_ipv6(void **state)
{
	struct segment ack = ack_with(V6_LOCAL, V6_REMOTE, COOKIE_SLOT);

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_accepted(&ack);
	assert_terms(1360, ALL_TERMS, 7);
	assert_int_equal(get_flow(V6_LOCAL, V6_REMOTE).held, 1);
}

static void accepts_data_and_fin(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);

	(void)state;
	ack.flags = TCP_ACK | TCP_PSH | TCP_FIN;
	ack.payload = (const uint8_t *)"request";
	ack.payload_len = 7;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_accepted(&ack);
}

static void forget_flow(const char *local, const char *remote)
{
	const struct tuple tuple = tuple_of(local, remote);

	assert_int_equal(kern_flow_remove(kern, &tuple, NULL), 0);
	spare_forget_cookies(kern);
}

/* The cookie with this code, and what it says of the options. */
static void assert_code_means(const char *local, const char *remote, uint32_t code, uint16_t mss,
			      uint8_t options, uint8_t wscale)
{
	struct segment ack = ack_with_code(local, remote, COOKIE_SLOT, code);
	struct frame frame;

	send_in(&ack, &frame);
	assert_held(&frame, NOL_HOLD_COOKIE);
	assert_terms(mss, NOL_TERM_TIMESTAMPS | options, wscale);
	forget_flow(local, remote);
}

static void reads_each_window_scale_with_and_without_sack(void **state)
{
	const struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	for (unsigned int wscale = 0; wscale <= NOL_COOKIE_NO_WSCALE; wscale++)
		for (unsigned int has_sack = 0; has_sack <= 1; has_sack++) {
			const bool is_none = wscale == NOL_COOKIE_NO_WSCALE;

			assert_code_means(V4_LOCAL, V4_REMOTE,
					  cookie_code(&tuple, 1460, wscale, has_sack), 1460,
					  (is_none ? 0 : NOL_TERM_WSCALE) |
						  (has_sack ? NOL_TERM_SACK : 0),
					  is_none ? 0 : wscale);
		}
}

static void reads_each_class_of_the_family(void **state)
{
	const struct tuple v4 = tuple_of(V4_LOCAL, V4_REMOTE);
	const struct tuple v6 = tuple_of(V6_LOCAL, V6_REMOTE);

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	for (unsigned int i = 0; nol_mss_of(i) <= COOKIE_MSS_V4; i++) {
		const uint16_t mss = nol_mss_of(i);

		assert_code_means(V4_LOCAL, V4_REMOTE, cookie_code(&v4, mss, 0, false), mss,
				  NOL_TERM_WSCALE, 0);
		if (mss >= NOL_MSS_MIN_V6 && mss <= COOKIE_MSS_V6)
			assert_code_means(V6_LOCAL, V6_REMOTE, cookie_code(&v6, mss, 0, false), mss,
					  NOL_TERM_WSCALE, 0);
	}
}

static void reads_ecn_where_it_may_be_agreed(void **state)
{
	const struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);
	const uint32_t code = code_of(&tuple);

	(void)state;
	cookie_enable_ecn(NOL_ANSWER_PLAIN);
	assert_code_means(V4_LOCAL, V4_REMOTE, code * 2, 1360, NOL_TERM_SACK | NOL_TERM_WSCALE, 7);
	assert_code_means(V4_LOCAL, V4_REMOTE, code * 2 + 1, 1360,
			  NOL_TERM_SACK | NOL_TERM_WSCALE | NOL_TERM_ECN, 7);
}

/* The remote did not agree to timestamps, whatever it had offered. What the ISN says holds. */
static void agrees_to_no_timestamps_without_an_echo(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);

	(void)state;
	ack.options = (struct tcp_options){0};
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_accepted(&ack);
	assert_terms(1360, NOL_TERM_SACK | NOL_TERM_WSCALE, 7);
}

static void holds_the_next_packet_as_the_second_of_the_flow(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);
	struct frame frame;

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_accepted(&ack);
	send_in(&ack, &frame);
	assert_held(&frame, NOL_HOLD_FLOW);
	assert_int_equal(taken.record.held, 2);
}

static void accepts_the_slot_before(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT - 1);

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_accepted(&ack);
}

static void assert_stray(const struct segment *segment, uint64_t expired, uint64_t forged)
{
	struct nol_stats stats;
	struct frame frame;

	frame_build(&frame, segment);
	assert_reset(&frame);
	stats = read_stats();
	assert_int_equal(stats.stray_answered, 1);
	assert_int_equal(stats.held_cookie, 0);
	assert_int_equal(stats.cookie_expired, expired);
	assert_int_equal(stats.cookie_forged, forged);
}

static void tells_an_expired_cookie(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT - 2);

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_stray(&ack, 1, 0);
}

static void tells_a_forged_cookie(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);

	(void)state;
	ack.ack ^= 1u << 31;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_stray(&ack, 0, 1);
}

/* One behind the last code, and one before the first. */
static void assert_code_is_none(const char *local, const char *remote, uint32_t code)
{
	struct segment ack = ack_with_code(local, remote, COOKIE_SLOT, code);
	const __u64 before = read_stats().cookie_forged;
	struct frame frame;

	frame_build(&frame, &ack);
	assert_reset(&frame);
	assert_int_equal(read_stats().cookie_forged, before + 1);
}

static void rejects_what_is_no_code(void **state)
{
	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_code_is_none(V4_LOCAL, V4_REMOTE, kern_cookie(kern)->codes_v4[0]);
	assert_code_is_none(V4_LOCAL, V4_REMOTE, UINT32_MAX);
	assert_code_is_none(V6_LOCAL, V6_REMOTE, kern_cookie(kern)->codes_v6[0]);
	assert_code_is_none(V6_LOCAL, V6_REMOTE, UINT32_MAX);
}

static void assert_echo(int32_t later_ms, bool is_taken)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);
	struct frame frame;

	ack.options.tsecr += later_ms;
	if (!is_taken) {
		frame_build(&frame, &ack);
		assert_reset(&frame);
		return;
	}
	send_in(&ack, &frame);
	assert_held(&frame, NOL_HOLD_COOKIE);
	forget_flow(V4_LOCAL, V4_REMOTE);
}

/* The life of a cookie, and what the clock of another machine may be ahead; a second for the test itself. */
static void believes_no_echo_of_what_was_never_sent(void **state)
{
	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_echo(-2 * NOL_COOKIE_SLOT_S * 1000 + 60000, true);
	assert_echo(-2 * NOL_COOKIE_SLOT_S * 1000 - 1000, false);
	assert_echo(NOL_COOKIE_EARLY_S * 1000 - 100, true);
	assert_echo(NOL_COOKIE_EARLY_S * 1000 + 60000, false);
	assert_echo(INT32_MIN, false);
	assert_int_equal(read_stats().cookie_forged, 3);
	assert_int_equal(read_stats().stray_answered, 3);
}

/* A SYN through the real program, and its SYN-ACK's acknowledgement back: with a smaller MTU meanwhile. */
static void reads_its_own_answer_after_the_mtu_has_changed(void **state)
{
	const struct segment syn = {
		.tuple = tuple_of(V4_REMOTE, V4_LOCAL),
		.seq = ISN,
		.flags = TCP_SYN,
		.options = {.has_mss = true, .mss = 1453, .has_wscale = true, .wscale = 14},
	};
	uint8_t bytes[128];
	struct frame frame;
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.bytes, .data_out = bytes,
		    .data_size_out = sizeof(bytes));
	struct segment answer, ack;

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	frame_build(&frame, &syn);
	run.data_size_in = frame.len;
	assert_int_equal(
		bpf_prog_test_run_opts(bpf_program__fd(kern->skel->progs.nol_xdp_ingress), &run),
		0);
	assert_int_equal(run.retval, XDP_TX);
	assert_int_equal(segment_parse(bytes + FIXTURE_ETHERNET,
				       run.data_size_out - FIXTURE_ETHERNET, &answer),
			 SEGMENT_OK);
	cookie_classes_set(kern_cookie(kern), 1200, 1180);
	ack = (struct segment){
		.tuple = syn.tuple, .seq = ISN + 1, .ack = answer.seq + 1, .flags = TCP_ACK};
	send_in(&ack, &frame);
	assert_held(&frame, NOL_HOLD_COOKIE);
	assert_terms(1452, NOL_TERM_WSCALE, 14);
}

static void rejects_a_cookie_of_another_isn(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);

	(void)state;
	ack.seq++;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_stray(&ack, 0, 1);
}

static void rejects_a_cookie_of_another_flow(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);

	(void)state;
	ack.tuple.local.port++;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_stray(&ack, 0, 1);
}

static void reads_no_cookie_from_a_rst(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);
	struct frame frame;

	(void)state;
	ack.flags |= TCP_RST;
	cookie_enable(NOL_ANSWER_PLAIN);
	send_in(&ack, &frame);
	assert_nothing_held();
	assert_only_counted(stray_reset);
}

static void looks_for_no_cookies_while_they_are_off(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);

	(void)state;
	assert_stray(&ack, 0, 0);
}

/* User space makes room and the entry. */
static void holds_a_cookie_without_an_entry_when_the_table_is_full(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);
	struct nol_flow flow;
	struct frame frame;
	char remote[32];

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	for (int i = 0; i < 16; i++) {
		snprintf(remote, sizeof(remote), "10.0.1.1:%d", 1000 + i);
		add_flow(V4_LOCAL, remote, NOL_FLOW_CLOSED);
	}
	send_in(&ack, &frame);
	assert_held(&frame, NOL_HOLD_COOKIE);
	assert_int_equal(taken.record.held, 0);
	assert_int_equal(kern->skel->bss->nol_overflow_ns, taken.record.held_ns);
	assert_int_equal(
		kern_flow_get(kern, &(struct tuple){ack.tuple.remote, ack.tuple.local}, &flow),
		-ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(expects_the_hash_of_the_paper),
		fixture_test(opens_a_flow_for_a_cookie),
		fixture_test(opens_a_flow_over_ipv6),
		fixture_test(accepts_data_and_fin),
		fixture_test(reads_each_window_scale_with_and_without_sack),
		fixture_test(reads_each_class_of_the_family),
		fixture_test(reads_ecn_where_it_may_be_agreed),
		fixture_test(agrees_to_no_timestamps_without_an_echo),
		fixture_test(holds_the_next_packet_as_the_second_of_the_flow),
		fixture_test(accepts_the_slot_before),
		fixture_test(tells_an_expired_cookie),
		fixture_test(tells_a_forged_cookie),
		fixture_test(rejects_what_is_no_code),
		fixture_test(believes_no_echo_of_what_was_never_sent),
		fixture_test(reads_its_own_answer_after_the_mtu_has_changed),
		fixture_test(rejects_a_cookie_of_another_isn),
		fixture_test(rejects_a_cookie_of_another_flow),
		fixture_test(reads_no_cookie_from_a_rst),
		fixture_test(looks_for_no_cookies_while_they_are_off),
		fixture_test(holds_a_cookie_without_an_entry_when_the_table_is_full),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("cookie", tests, NULL, NULL);
}
