/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A frame through nol_xdp_ingress, with user space's parser as the oracle: both must agree on what is TCP, to whom, and
 * what its options say. The first byte says what of the frame is mended, since no mutation finds a checksum or a
 * port, the second in which state its flow is; the rest is the frame.
 */
#include "bpf_world.h"

#include "segment.h"

enum mend {
	MEND_ADDRESS = 1, /* to an answered one */
	MEND_PORT = 2,
	MEND_LENGTH = 4, /* of the IP packet: what the frame has */
	MEND_IP_SUM = 8,
	MEND_TCP_SUM = 16,
	MEND_SOURCE = 32, /* a remote that may be answered */
};

/* What the frame is to user space. */
struct expected {
	size_t l3; /* 0: no IP */
	bool is_v4;
	enum segment_error error;
	struct segment segment;
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	world_open();
	return 0;
}

static void mend_length(uint8_t *packet, size_t len, bool is_v4)
{
	if (is_v4)
		bytes_put16(packet + 2, (uint16_t)len);
	else if (len >= 40)
		bytes_put16(packet + 4, (uint16_t)(len - 40));
}

static void mend_addresses(uint8_t *packet, bool is_v4, uint8_t how)
{
	const struct tuple v4 = tuple_of(V4_LOCAL, V4_REMOTE), v6 = tuple_of(V6_LOCAL, V6_REMOTE);

	if (how & MEND_ADDRESS)
		memcpy(packet + (is_v4 ? 16 : 24),
		       is_v4 ? v4.local.addr.bytes + 12 : v6.local.addr.bytes, is_v4 ? 4 : 16);
	if (how & MEND_SOURCE)
		memcpy(packet + (is_v4 ? 12 : 8),
		       is_v4 ? v4.remote.addr.bytes + 12 : v6.remote.addr.bytes, is_v4 ? 4 : 16);
}

static void mend_ip_sum(uint8_t *packet, size_t l4)
{
	bytes_put16(packet + 10, 0);
	bytes_put16(packet + 10, (uint16_t)~checksum_fold(checksum_add(0, packet, l4)));
}

static void mend_tcp_sum(uint8_t *packet, size_t l4, size_t len, bool is_v4)
{
	struct addr from = is_v4 ? addr_from_v4(packet + 12) : addr_from_v6(packet + 8);
	struct addr to = is_v4 ? addr_from_v4(packet + 16) : addr_from_v6(packet + 24);
	uint64_t sum = checksum_pseudo(&from, &to, (uint32_t)(len - l4));

	bytes_put16(packet + l4 + 16, 0);
	sum = checksum_add(sum, packet + l4, len - l4);
	bytes_put16(packet + l4 + 16, (uint16_t)~checksum_fold(sum));
}

static void mend(uint8_t *packet, size_t len, bool is_v4, uint8_t how)
{
	const size_t l4 = len >= 40 ? world_find_l4(packet, len, is_v4) : 0;

	if (l4 < (is_v4 ? 20 : 40))
		return;
	mend_addresses(packet, is_v4, how);
	if (how & MEND_PORT)
		bytes_put16(packet + l4 + 2, FIXTURE_PORT);
	if (how & MEND_LENGTH)
		mend_length(packet, len, is_v4);
	if (is_v4 && how & MEND_IP_SUM)
		mend_ip_sum(packet, l4);
	if (how & MEND_TCP_SUM)
		mend_tcp_sum(packet, l4, len, is_v4);
}

static struct expected expect_of(const uint8_t *frame, size_t len)
{
	struct expected expected = {.error = SEGMENT_NOT_TCP};

	expected.l3 = world_find_l3(frame, len, &expected.is_v4);
	if (expected.l3)
		expected.error =
			segment_parse(frame + expected.l3, len - expected.l3, &expected.segment);
	return expected;
}

/*
 * What user space reads and ingress leaves to the kernel: a routing header that has done its work, more than six
 * extension headers.
 */
static bool is_beyond_ingress(const struct expected *expected, const uint8_t *packet)
{
	const uint8_t *header = packet + 40;
	uint8_t next = packet[6];
	int count = 0;

	if (expected->is_v4)
		return false;
	for (; next != IPPROTO_TCP; count++) {
		const uint8_t kind = next;

		if (kind == IPPROTO_ROUTING)
			return true;
		next = header[0];
		header += kind == IPPROTO_FRAGMENT ? 8 : (header[1] + 1) * 8;
	}
	return count > 6;
}

/* Nobody answers these, whatever they say: ingress leaves them to the kernel, which drops them. */
static bool is_odd(const struct expected *expected, const uint8_t *frame)
{
	const struct tuple *tuple = &expected->segment.tuple;
	const uint8_t *remote = tuple->remote.addr.bytes;

	if (frame[0] & 1 || addr_is_equal(&tuple->local.addr, &tuple->remote.addr))
		return true;
	if (expected->is_v4)
		return remote[12] == 0 || remote[12] == 127 || remote[12] >> 4 == 0xe ||
		       !memcmp(remote + 12, "\xff\xff\xff\xff", 4);
	/* IPv4 in IPv6's clothes is nobody's. */
	return !addr_is_one_host(&tuple->remote.addr) || addr_is_loopback(&tuple->remote.addr) ||
	       addr_is_v4(&tuple->remote.addr) || addr_is_v4(&tuple->local.addr);
}

/* Where the program begins to differ from the parser it must have a reason that is listed here. */
static bool may_hold(const struct expected *expected)
{
	switch (expected->error) {
	case SEGMENT_OK:
	case SEGMENT_BAD_HEADER: /* a checksum or options of IPv4: the engine looks at these */
	case SEGMENT_SOURCE_ROUTE:
		return true;
	case SEGMENT_NOT_TCP: /* hop-by-hop options in a wrong place */
		return expected->l3 && !expected->is_v4;
	default:
		return false;
	}
}

static bool must_take(const struct expected *expected, const uint8_t *frame, bool has_flow)
{
	return expected->error == SEGMENT_OK &&
	       !is_beyond_ingress(expected, frame + expected->l3) &&
	       expected->segment.tuple.local.port == FIXTURE_PORT &&
	       (has_flow ||
		(world_is_answered(&expected->segment.tuple) && !is_odd(expected, frame)));
}

static bool is_bare_syn(const struct segment *segment)
{
	return (segment->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

static void check_held(const struct expected *expected, const uint8_t *frame, size_t len,
		       const struct world_run *run, bool is_of_flow)
{
	const struct nol_record *record = &run->record;
	struct tuple tuple;

	check(run->is_held && may_hold(expected));
	check(record->frame_len == len && record->snap_len == len);
	check(!memcmp(run->held, frame, len) && record->l3_offset == expected->l3);
	if (expected->error != SEGMENT_OK)
		return;
	check(segment_read_tuple(frame + expected->l3, len - expected->l3,
				 record->l4_offset - expected->l3, &tuple));
	check(tuple_is_equal(&tuple, &expected->segment.tuple));
	if (is_of_flow)
		check(record->reason == NOL_HOLD_FLOW);
	else if (is_bare_syn(&expected->segment))
		check(record->reason == NOL_HOLD_SYN);
	else
		check(record->reason == NOL_HOLD_STRAY || record->reason == NOL_HOLD_COOKIE);
}

/* The code of the cookie, from the options as user space reads them; what is above our largest class is that class. */
static uint32_t code_of(const struct segment *syn, bool is_v4)
{
	const struct tcp_options *options = &syn->options;
	const uint16_t least = is_v4 ? NOL_MSS_MIN_V4 : NOL_MSS_MIN_V6;
	const uint16_t most = is_v4 ? COOKIE_MSS_V4 : COOKIE_MSS_V6;
	uint16_t mss = options->has_mss && options->mss ? options->mss : least;

	check(mss >= least);
	return cookie_code(&syn->tuple, mss < most ? mss : most,
			   options->has_wscale ? options->wscale : NOL_COOKIE_NO_WSCALE,
			   options->has_sack_permitted);
}

static void check_answer(const struct expected *expected, const struct world_run *run)
{
	const struct segment *syn = &expected->segment;
	struct segment reply;
	uint32_t code;

	check(expected->error == SEGMENT_OK && is_bare_syn(syn) && syn->checksum != CHECKSUM_BAD);
	check(segment_parse(run->bytes + FIXTURE_ETHERNET, run->len - FIXTURE_ETHERNET, &reply) ==
	      SEGMENT_OK);
	check(reply.checksum == CHECKSUM_VALID && reply.flags == (TCP_SYN | TCP_ACK));
	check(addr_is_equal(&reply.tuple.local.addr, &syn->tuple.remote.addr) &&
	      addr_is_equal(&reply.tuple.remote.addr, &syn->tuple.local.addr));
	check(reply.tuple.local.port == syn->tuple.remote.port &&
	      reply.tuple.remote.port == syn->tuple.local.port);
	check(reply.ack == syn->seq + 1 && !reply.payload_len);
	code = code_of(syn, expected->is_v4);
	check(reply.seq == cookie_expected(&syn->tuple, syn->seq, COOKIE_SLOT, code));
	check(reply.options.has_wscale == syn->options.has_wscale);
	check(reply.options.has_sack_permitted == syn->options.has_sack_permitted);
	check(reply.options.has_timestamps == syn->options.has_timestamps);
	check(!reply.options.has_timestamps || reply.options.tsecr == syn->options.tsval);
}

/* What belongs to nothing, and has an ACK, gets its RST (RFC 9293, 3.10.7.1). */
static void check_reset(const struct expected *expected, const struct world_run *run)
{
	const struct segment *stray = &expected->segment;
	struct segment reply;

	check(expected->error == SEGMENT_OK && stray->checksum != CHECKSUM_BAD);
	check((stray->flags & (TCP_ACK | TCP_RST)) == TCP_ACK);
	check(segment_parse(run->bytes + FIXTURE_ETHERNET, run->len - FIXTURE_ETHERNET, &reply) ==
	      SEGMENT_OK);
	check(reply.checksum == CHECKSUM_VALID && reply.flags == TCP_RST);
	check(addr_is_equal(&reply.tuple.local.addr, &stray->tuple.remote.addr) &&
	      addr_is_equal(&reply.tuple.remote.addr, &stray->tuple.local.addr));
	check(reply.tuple.local.port == stray->tuple.remote.port &&
	      reply.tuple.remote.port == stray->tuple.local.port);
	check(reply.seq == stray->ack && !reply.payload_len);
}

static __u64 strays_dropped(const struct nol_stats *moved)
{
	return moved->stray_reset + moved->stray_ignored + moved->stray_limited + moved->lost_stray;
}

/* It ended in XDP. */
static void check_dropped(const struct expected *expected, const struct world_run *run)
{
	const uint8_t flags = expected->segment.flags;

	check(!run->is_held && may_hold(expected));
	if (expected->error != SEGMENT_OK)
		return;
	check(!is_bare_syn(&expected->segment) || expected->segment.checksum == CHECKSUM_BAD ||
	      !expected->segment.tuple.remote.port);
	check(!run->moved.stray_reset || flags & TCP_RST);
}

/* Every verdict has its counter, and no frame two of them. */
static void check_counted(const struct expected *expected, const struct world_run *run)
{
	const struct nol_stats *moved = &run->moved;
	const __u64 passed = moved->ingress_not_tcp + moved->ingress_fragment +
			     moved->ingress_not_answered + moved->ingress_owned +
			     moved->ingress_handed_off + moved->ingress_replayed +
			     moved->ingress_odd;
	const __u64 held =
		moved->held_flow + moved->held_syn + moved->held_stray + moved->held_cookie;

	check(!moved->ingress_stale && !moved->ingress_cut_off && !moved->lost_ring_full);
	check(held + strays_dropped(moved) == (run->verdict == XDP_DROP));
	check(moved->cookie_sent + moved->stray_answered == (run->verdict == XDP_TX));
	check(passed <= 1 && (!passed || run->verdict == XDP_PASS));
	if (run->verdict == XDP_PASS && expected->error == SEGMENT_OK &&
	    expected->segment.tuple.local.port == FIXTURE_PORT)
		check(passed == 1);
}

static void check_run(const struct expected *expected, const uint8_t *frame, size_t len,
		      const struct world_run *run, enum nol_flow_state state)
{
	const bool is_of_flow = state == NOL_FLOW_SYN_RECEIVED || state == NOL_FLOW_SYN_SENT;

	check_counted(expected, run);
	switch (run->verdict) {
	case XDP_PASS:
		check(!must_take(expected, frame, is_of_flow) ||
		      (state != NOL_FLOW_NONE && !is_of_flow && !is_bare_syn(&expected->segment)));
		check(!run->is_held && run->len == len && !memcmp(run->bytes, frame, len));
		break;
	case XDP_DROP:
		if (strays_dropped(&run->moved))
			check_dropped(expected, run);
		else
			check_held(expected, frame, len, run, is_of_flow);
		break;
	case XDP_TX:
		check(state == NOL_FLOW_NONE);
		if (run->moved.stray_answered)
			check_reset(expected, run);
		else
			check_answer(expected, run);
		break;
	default:
		abort();
	}
}

static void run_frame(uint8_t *frame, size_t len, uint8_t how, enum nol_flow_state state)
{
	struct nol_flow flow = {.state = state, .method = NOL_METHOD_ENGINE};
	struct expected expected;
	struct world_run run;
	bool is_v4;
	size_t l3 = world_find_l3(frame, len, &is_v4);

	if (l3)
		mend(frame + l3, len - l3, is_v4, how);
	expected = expect_of(frame, len);
	if (expected.error != SEGMENT_OK)
		state = NOL_FLOW_NONE;
	if (state)
		check(kern_flow_add(kern, &expected.segment.tuple, &flow) == 0);
	if (world_run_ingress(frame, len, &run)) {
		check_run(&expected, frame, len, &run, state);
		if (run.is_held && run.record.reason == NOL_HOLD_COOKIE && run.record.held)
			state = NOL_FLOW_SYN_RECEIVED;
	}
	if (state)
		check(kern_flow_remove(kern, &expected.segment.tuple, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t frame[WORLD_FRAME_MAX];

	if (len < 2 || len - 2 > sizeof(frame))
		return 0;
	world_beat();
	memcpy(frame, data + 2, len - 2);
	run_frame(frame, len - 2, data[0], data[1] % (NOL_FLOW_CLOSED + 1));
	return 0;
}
