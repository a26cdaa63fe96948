/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A frame out through nol_tc_egress, with user space's parser and the rule of the guard as the oracle: a RST is dropped
 * only if it is of a flow of ours that the kernel does not have, or of an answered port, and was not sent by us. The first
 * byte chooses the mark, the second the state of the flow, the third what becomes of RSTs; the rest is the frame.
 */
#include "bpf_world.h"

#include "segment.h"

#define TC_LET_GO (-1)
#define TC_SHOT 2

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	world_open();
	return 0;
}

/* What went out has its own end for the source: the parser takes it for the remote's. */
static struct tuple turn(const struct tuple *tuple)
{
	return (struct tuple){.local = tuple->remote, .remote = tuple->local};
}

/*
 * The kernel makes no packet that its own parser refuses, but a raw socket may: whatever is wrong with it otherwise, ports
 * and flags stand where they stand. False: no RST, wherever one looks.
 */
static bool find_rst(const uint8_t *frame, size_t len, struct tuple *out, bool *refuses_syn)
{
	bool is_v4;
	const size_t l3 = world_find_l3(frame, len, &is_v4);
	const uint8_t *packet = frame + l3, *tcp;
	size_t l4, left = len - l3;
	struct segment segment;
	enum segment_error error;

	if (!l3 || left < (is_v4 ? 20 : 40))
		return false;
	error = segment_parse(packet, left, &segment);
	if (is_v4 && (packet[9] != IPPROTO_TCP || bytes_get16(packet + 6) & 0x3fff))
		return false;
	l4 = world_find_l4(packet, left, is_v4);
	if (l4 < 20 || (!is_v4 && packet[6] != IPPROTO_TCP))
		return false;
	tcp = packet + l4;
	if (!segment_read_tuple(packet, left, l4, out))
		return false;
	check(error || tuple_is_equal(out, &segment.tuple));
	*out = turn(out);
	*refuses_syn = tcp[13] & TCP_ACK && !bytes_get32(tcp + 4);
	return tcp[13] & TCP_RST;
}

static bool has_extensions(const uint8_t *frame, size_t len)
{
	bool is_v4;
	const size_t l3 = world_find_l3(frame, len, &is_v4);

	return l3 && !is_v4 && len - l3 > 40 && frame[l3 + 6] != IPPROTO_TCP;
}

static bool is_stopped(const struct tuple *tuple, enum nol_flow_state state, bool refuses_syn)
{
	if (state == NOL_FLOW_SYN_SENT || state == NOL_FLOW_SYN_RECEIVED)
		return true;
	if (state != NOL_FLOW_NONE && !refuses_syn)
		return false;
	return world_is_answered(tuple);
}

static void check_run(const uint8_t *frame, size_t len, const struct world_run *run,
		      bool is_expected, bool is_rst)
{
	const struct nol_stats *moved = &run->moved;
	const __u64 counted = moved->rst_own + moved->rst_not_ours + moved->rst_owned +
			      moved->rst_handed_off + moved->rst_dropped + moved->rst_passed;

	check(!moved->rst_stale && !moved->rst_unread && !run->is_held);
	check(run->verdict == TC_SHOT || run->verdict == TC_LET_GO);
	check(run->len == len && !memcmp(run->bytes, frame, len));
	check((moved->rst_dropped == 1) == (run->verdict == TC_SHOT));
	check(counted == is_rst);
	check((run->verdict == TC_SHOT) == is_expected);
}

static void run_frame(const uint8_t *frame, size_t len, uint32_t mark, enum nol_flow_state state,
		      enum nol_rst_action action)
{
	struct nol_flow flow = {.state = state, .method = NOL_METHOD_ENGINE};
	struct __sk_buff skb = {.mark = mark};
	struct tuple tuple = {};
	struct world_run run;
	bool refuses_syn = false;
	const bool is_rst = find_rst(frame, len, &tuple, &refuses_syn);
	bool is_expected;

	kern_config(kern)->rst_action = action;
	if (!is_rst)
		state = NOL_FLOW_NONE;
	if (state)
		check(kern_flow_add(kern, &tuple, &flow) == 0);
	is_expected = is_rst && mark != NOL_MARK && action == NOL_RST_DROP &&
		      is_stopped(&tuple, state, refuses_syn);
	if (world_run(kern->skel->progs.nol_tc_egress, frame, len, &skb, &run))
		check_run(frame, len, &run, is_expected, is_rst);
	if (state)
		check(kern_flow_remove(kern, &tuple, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint32_t marks[] = {0, NOL_MARK, 1, NOL_MARK ^ 2};

	/* Extension headers have the ingress target; the guard takes the same way through them. */
	if (len < 3 || len > WORLD_FRAME_MAX || has_extensions(data + 3, len - 3))
		return 0;
	world_beat();
	run_frame(data + 3, len - 3, marks[data[0] % 4], data[1] % (NOL_FLOW_CLOSED + 1),
		  data[2] & 1 ? NOL_RST_PASS : NOL_RST_DROP);
	return 0;
}
