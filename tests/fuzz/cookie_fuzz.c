/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A cookie makes its round: a SYN of the input's choice to the program, its SYN-ACK back as an ACK, with and without changes.
 * User space computes what the cookie has to be, and whether a changed one may still be one: the two must agree on every
 * bit. What is missing at the end of the input is 0.
 */
#include "bpf_world.h"
#include "input.h"

#include "segment.h"

#define ETHERNET "\x02\0\0\0\0\x02\x02\0\0\0\0\x01"
#define FLIPS_MAX 8

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	world_open();
	return 0;
}

static uint16_t take_u16(struct input *input)
{
	return (uint16_t)(take_byte(input) << 8 | take_byte(input));
}

static uint32_t take_u32(struct input *input)
{
	return (uint32_t)take_u16(input) << 16 | take_u16(input);
}

/* As the remote sees it. */
static struct segment take_syn(struct input *input)
{
	const uint8_t which = take_byte(input);
	const bool is_v4 = which & 1;
	const uint16_t least = is_v4 ? NOL_MSS_MIN_V4 : NOL_MSS_MIN_V6;
	struct segment syn = {
		.tuple = is_v4 ? tuple_of(V4_REMOTE, V4_LOCAL) : tuple_of(V6_REMOTE, V6_LOCAL),
		.seq = take_u32(input),
		.flags = TCP_SYN,
		.window = take_u16(input),
		.options = {.has_mss = which & 2,
			    .has_wscale = which & 4,
			    .has_sack_permitted = which & 8,
			    .has_timestamps = which & 16},
	};

	syn.tuple.local.port = take_u16(input) ?: 1;
	syn.tuple.local.addr.bytes[15] ^= take_byte(input) & 0xf0;
	if (syn.options.has_mss)
		syn.options.mss = least + take_u16(input) % (65536 - least);
	if (syn.options.has_wscale)
		syn.options.wscale = take_byte(input) % 15;
	if (syn.options.has_timestamps)
		syn.options.tsval = take_u32(input);
	return syn;
}

static bool run_segment(const struct segment *segment, struct world_run *run)
{
	const bool is_v4 = addr_is_v4(&segment->tuple.local.addr);
	uint8_t frame[256] = ETHERNET;
	size_t len;

	bytes_put16(frame + 12, is_v4 ? 0x0800 : 0x86dd);
	len = segment_build(segment, frame + FIXTURE_ETHERNET, sizeof(frame) - FIXTURE_ETHERNET);
	check(len > 0);
	return world_run_ingress(frame, FIXTURE_ETHERNET + len, run);
}

static struct tuple turn(const struct tuple *tuple)
{
	return (struct tuple){.local = tuple->remote, .remote = tuple->local};
}

static uint32_t code_of(const struct segment *syn)
{
	const struct tcp_options *options = &syn->options;
	const bool is_v4 = addr_is_v4(&syn->tuple.local.addr);
	const uint16_t most = is_v4 ? COOKIE_MSS_V4 : COOKIE_MSS_V6;
	uint16_t mss = options->has_mss ? options->mss : is_v4 ? NOL_MSS_MIN_V4 : NOL_MSS_MIN_V6;

	return cookie_code(&syn->tuple, mss < most ? mss : most,
			   options->has_wscale ? options->wscale : NOL_COOKIE_NO_WSCALE,
			   options->has_sack_permitted);
}

static struct segment check_syn_ack(const struct segment *syn, const struct world_run *run)
{
	const struct tuple ours = turn(&syn->tuple);
	struct segment reply;

	check(run->verdict == XDP_TX);
	check(segment_parse(run->bytes + FIXTURE_ETHERNET, run->len - FIXTURE_ETHERNET, &reply) ==
	      SEGMENT_OK);
	check(reply.checksum == CHECKSUM_VALID);
	check(reply.seq == cookie_expected(&ours, syn->seq, COOKIE_SLOT, code_of(syn)));
	check(!reply.options.has_timestamps ||
	      cookie_now_ms() - (reply.options.tsval -
				 cookie_ts_offset(&ours, syn->seq, COOKIE_SLOT)) <
		      10000);
	return reply;
}

static struct segment ack_of(const struct segment *syn, const struct segment *syn_ack)
{
	return (struct segment){
		.tuple = syn->tuple,
		.seq = syn->seq + 1,
		.ack = syn_ack->seq + 1,
		.flags = TCP_ACK,
		.window = syn->window,
		.options = {.has_timestamps = syn->options.has_timestamps,
			    .tsval = syn->options.tsval + 1,
			    .tsecr = syn_ack->options.tsval},
	};
}

static void flip(struct segment *ack, struct input *input)
{
	const uint8_t where = take_byte(input) % 80;

	if (where < 32)
		ack->seq ^= 1u << where;
	else if (where < 64)
		ack->ack ^= 1u << (where - 32);
	else
		ack->tuple.local.port ^= (uint16_t)(1u << (where - 64));
}

/* The code that user space finds in an ACK, which may be no code at all; *slot: whose key it is. */
static uint32_t find_code(const struct segment *ack, uint32_t *slot)
{
	const struct tuple ours = turn(&ack->tuple);
	const uint32_t iss = ack->ack - 1;

	*slot = iss % NOL_COOKIE_SLOTS;
	return ((iss >> NOL_COOKIE_SLOT_BITS) - (uint32_t)cookie_hash(&ours, ack->seq - 1, *slot)) *
		       NOL_COOKIE_GATHER &
	       0x3fffffff;
}

/* Is it a cookie, and are its timestamps possible? By what doc/architecture.md says, not by the program. */
static bool is_cookie(const struct segment *ack)
{
	const struct nol_cookie *config = kern_cookie(kern);
	const struct tuple ours = turn(&ack->tuple);
	const bool is_v4 = addr_is_v4(&ours.local.addr);
	uint32_t slot, code = find_code(ack, &slot), age = (COOKIE_SLOT - slot) % NOL_COOKIE_SLOTS;
	uint32_t sent_ms;

	if (code >= (is_v4 ? config->codes_v4[slot] : config->codes_v6[slot]) || age > 1 ||
	    !ack->tuple.local.port)
		return false;
	if (!ack->options.has_timestamps || !ack->options.tsecr)
		return true;
	sent_ms = ack->options.tsecr - cookie_ts_offset(&ours, ack->seq - 1, slot);
	return cookie_now_ms() + NOL_COOKIE_EARLY_S * 1000 - sent_ms <=
	       (2 * NOL_COOKIE_SLOT_S + NOL_COOKIE_EARLY_S) * 1000u;
}

static void check_terms(const struct segment *ack, const struct nol_terms *terms)
{
	const bool is_v4 = addr_is_v4(&ack->tuple.local.addr);
	const struct tuple ours = turn(&ack->tuple);
	uint32_t slot, code = find_code(ack, &slot), wscale = code >> 1 & 15;

	check(terms->mss ==
	      nol_mss_of((code >> 5) + (is_v4 ? NOL_MSS_CLASS_536 : NOL_MSS_CLASS_1220)));
	check(!!(terms->options & NOL_TERM_SACK) == (code & 1));
	check(!!(terms->options & NOL_TERM_WSCALE) == (wscale != NOL_COOKIE_NO_WSCALE));
	check(!(terms->options & NOL_TERM_WSCALE) || terms->wscale == wscale);
	check(!!(terms->options & NOL_TERM_TIMESTAMPS) ==
	      (ack->options.has_timestamps && ack->options.tsecr));
	check(terms->ts_offset == cookie_ts_offset(&ours, ack->seq - 1, slot));
}

static void check_ack(const struct segment *ack, bool is_expected)
{
	const struct tuple ours = turn(&ack->tuple);
	struct world_run run;

	if (!run_segment(ack, &run))
		return;
	if (!is_expected) {
		check(!run.moved.held_cookie && !run.moved.cookie_sent);
		check(!run.is_held || run.record.reason == NOL_HOLD_STRAY);
		return;
	}
	check(run.verdict == XDP_DROP && run.is_held);
	check(run.record.reason == NOL_HOLD_COOKIE);
	check_terms(ack, &run.record.terms);
	check(run.record.held == 1 && kern_flow_remove(kern, &ours, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input input = {data, len};
	struct segment syn = take_syn(&input), syn_ack, ack;
	struct world_run run;
	unsigned int flips;

	world_beat();
	if (!run_segment(&syn, &run))
		return 0;
	syn_ack = check_syn_ack(&syn, &run);
	ack = ack_of(&syn, &syn_ack);
	check_ack(&ack, true);
	flips = take_byte(&input) % FLIPS_MAX;
	for (unsigned int i = 0; i <= flips; i++)
		flip(&ack, &input);
	if (take_byte(&input) & 1 && ack.options.has_timestamps)
		ack.options.tsecr ^= take_u32(&input);
	/* A clock that is just at the edge may say one thing here and the other there. */
	check_ack(&ack, is_cookie(&ack));
	return 0;
}
