/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Segments, opens, releases and time in any order through the engine, with a small model of what must hold.
 * The input is a list of steps: a byte that says which, then its arguments; what is missing at the end is 0.
 * Sequence numbers come as small offsets from the flow's own, so that the interesting edges are near.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "clock.h"
#include "engine.h"

#define PORTS 8
#define MAX_FLOWS 6 /* fewer than ports, so that the table gets full */
#define MAX_STEPS 2000

struct input {
	const uint8_t *data;
	size_t len;
};

/* What the outside knows of a flow. */
struct known {
	bool is_live;
	uint32_t iss;
	enum engine_state state;
};

struct world {
	struct engine *engine;
	uint64_t now_ns;
	bool defers; /* a timeout may be silent: data is waited for */
	struct known known[PORTS];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t take_byte(struct input *input)
{
	if (!input->len)
		return 0;
	input->len--;
	return *input->data++;
}

static uint16_t take_u16(struct input *input)
{
	return (uint16_t)(take_byte(input) << 8 | take_byte(input));
}

static uint32_t take_u32(struct input *input)
{
	return (uint32_t)take_u16(input) << 16 | take_u16(input);
}

static struct tuple make_tuple(unsigned int port)
{
	const uint8_t local[4] = {10, 0, 0, 2}, remote[4] = {10, 0, 0, 1};

	return (struct tuple){
		.local = {addr_from_v4(local), 80},
		.remote = {addr_from_v4(remote), (uint16_t)(port % PORTS + 1)},
	};
}

static struct known *known_of(struct world *world, const struct tuple *tuple)
{
	return &world->known[tuple->remote.port - 1];
}

/* Near base, with the offset's sign, or anywhere. */
static uint32_t take_number(struct input *input, uint32_t base)
{
	uint8_t how = take_byte(input);

	if (how < 0x80)
		return base + how;
	if (how < 0xc0)
		return base - (how & 0x3f);
	if (how < 0xe0)
		return base + 0xffff - (how & 0x1f) + 4;
	return take_u32(input);
}

static void take_options(struct input *input, const struct engine_flow *flow, uint64_t now_ns,
			 struct tcp_options *options)
{
	uint8_t which = take_byte(input);

	options->has_mss = which & 1;
	options->has_wscale = which & 2;
	options->has_sack_permitted = which & 4;
	options->has_timestamps = which & 8;
	options->mss = options->has_mss ? take_u16(input) : 0;
	options->wscale = options->has_wscale ? take_byte(input) % 15 : 0;
	if (!options->has_timestamps)
		return;
	options->tsval = take_number(input, flow ? flow->ts_recent : 100);
	options->tsecr = take_number(input, flow ? engine_tsval(flow, now_ns) : 0);
}

static void check_on_the_wire(const struct segment *reply)
{
	uint8_t packet[256];
	struct segment parsed;
	size_t len = segment_build(reply, packet, sizeof(packet));

	check(len > 0 && segment_parse(packet, len, &parsed) == SEGMENT_OK);
	check(parsed.checksum == CHECKSUM_VALID && parsed.payload_len == 0);
	check(parsed.seq == reply->seq && parsed.ack == reply->ack);
	check(parsed.flags == reply->flags && parsed.window == reply->window);
	check(parsed.options.has_timestamps == reply->options.has_timestamps);
	check(parsed.options.tsval == reply->options.tsval);
}

static void check_reply(const struct segment *reply, const struct engine_flow *flow)
{
	check_on_the_wire(reply);
	switch (reply->flags) {
	case TCP_SYN:
	case TCP_SYN | TCP_ACK:
		check(flow && reply->seq == flow->iss);
		check(reply->options.has_mss || reply->options.layout);
		break;
	case TCP_ACK:
		check(flow && reply->seq == flow->iss + 1 && reply->ack == flow->irs + 1);
		break;
	case TCP_RST:
		check(!reply->ack);
		break;
	case TCP_RST | TCP_ACK:
		check(!reply->seq);
		break;
	default:
		abort();
	}
}

/* The ISS never changes, and an established flow never goes back. */
static void update_known(struct world *world, const struct engine_action *action)
{
	struct engine_flow *flow = action->flow;
	struct known *known = known_of(world, &flow->tuple);
	bool is_over = action->event == ENGINE_EVENT_RESET || action->event == ENGINE_EVENT_EXPIRED;

	if (known->is_live) {
		check(flow->iss == known->iss && flow->state >= known->state);
		check(known->state != ENGINE_ESTABLISHED || action->event == ENGINE_EVENT_HELD);
	} else {
		check(!is_over && flow->state < ENGINE_ESTABLISHED);
	}
	check(engine_find(world->engine, &flow->tuple) == (is_over ? NULL : flow));
	*known = (struct known){!is_over, flow->iss, flow->state};
}

static void check_action(struct world *world, const struct engine_action *action)
{
	if (action->has_reply)
		check_reply(&action->reply, action->flow);
	if (action->flow)
		update_known(world, action);
	else
		check(action->event == ENGINE_NOTHING || action->event == ENGINE_EVENT_REFUSED);
	check(action->event != ENGINE_EVENT_HELD || !action->has_reply);
	check((unsigned int)action->reason < ENGINE_REASON_COUNT);
}

static void check_count(const struct world *world)
{
	uint32_t count = 0;

	for (unsigned int i = 0; i < PORTS; i++)
		count += world->known[i].is_live;
	check(engine_flow_count(world->engine) == count && count <= MAX_FLOWS);
}

/* A window that stays shut, and nothing else is ever said; a RST ends it, if it ends. */
static void check_shut(const struct engine_flow *flow, const struct segment *in, uint64_t now_ns)
{
	struct engine_action action;
	struct engine_shut shut;

	engine_shut_begin(&shut, flow, now_ns);
	check(engine_shut_input(&shut, in, now_ns, &action) ||
	      (in->flags & TCP_RST && in->seq == flow->irs + 1));
	check(!action.has_reply ||
	      (action.reply.flags == TCP_ACK && !action.reply.window && !(in->flags & TCP_RST) &&
	       action.reply.seq == flow->iss + 1 && action.reply.ack == flow->irs + 1));
	check(engine_shut_deadline_ns(&shut, now_ns, CLOCK_NS_PER_S, now_ns) > now_ns);
}

static void step_input(struct world *world, struct input *input, bool is_time_wait)
{
	static const uint8_t payload[1];
	struct segment in = {.tuple = make_tuple(take_byte(input))};
	const struct engine_flow *flow = engine_find(world->engine, &in.tuple);
	struct engine_action action;
	uint32_t snd_nxt;

	in.flags = take_byte(input);
	in.seq = take_number(input, flow ? flow->irs : 1000);
	in.ack = take_number(input, flow ? flow->iss : 1000);
	in.window = take_u16(input);
	take_options(input, flow, world->now_ns, &in.options);
	/* The engine never reads payload: only its length counts. */
	in.payload = payload;
	in.payload_len = take_byte(input);
	snd_nxt = is_time_wait ? take_u32(input) : 0;
	if (flow)
		check_shut(flow, &in, world->now_ns);
	engine_input(world->engine, &in, world->now_ns, is_time_wait ? &snd_nxt : NULL, &action);
	check_action(world, &action);
	check(!action.has_reply || tuple_is_equal(&action.reply.tuple, &in.tuple));
	/* A RST gets a challenge ACK at most. */
	check(!(in.flags & TCP_RST) || !action.has_reply || action.reply.flags == TCP_ACK);
	if (is_time_wait && action.event == ENGINE_EVENT_SYN)
		check((int32_t)(action.flow->iss - snd_nxt) >= 65537);
}

/* One of a few, which stay: the engine borrows them. */
static const struct engine_syn shapes[] = {
	{.given = ENGINE_SYN_WINDOW | ENGINE_SYN_WSCALE, .wscale = 14, .ttl = 1},
	{.given = ENGINE_SYN_LAYOUT | ENGINE_SYN_MSS, .mss = 1},
	{.given = ENGINE_SYN_LAYOUT | ENGINE_SYN_RETRIES,
	 .layout = {3, {TCPOPT_KIND_TIMESTAMPS, TCPOPT_KIND_WSCALE, TCPOPT_KIND_END}}},
};

static void step_connect(struct world *world, struct input *input)
{
	const uint8_t number = take_byte(input), shape = number >> 6;
	struct tuple tuple = make_tuple(number);
	struct engine_action action;

	if (!engine_connect(world->engine, &tuple, shape ? &shapes[shape - 1] : NULL, world->now_ns,
			    &action))
		check_action(world, &action);
}

static void step_release(struct world *world, struct input *input)
{
	struct tuple tuple = make_tuple(take_byte(input));
	struct engine_flow *flow = engine_find(world->engine, &tuple);

	check(!flow == !known_of(world, &tuple)->is_live);
	if (!flow)
		return;
	engine_release(world->engine, flow);
	known_of(world, &tuple)->is_live = false;
}

/* After all that is due was done, the next deadline is ahead. */
static void step_time(struct world *world, struct input *input)
{
	struct engine_action action;
	uint64_t was_due_ns = engine_deadline_ns(world->engine);

	world->now_ns += take_u16(input) * CLOCK_NS_PER_MS;
	while (engine_expire(world->engine, world->now_ns, &action)) {
		check(was_due_ns <= world->now_ns);
		check_action(world, &action);
		check(action.reason == ENGINE_REASON_TIMEOUT);
		check(!action.has_reply || action.event != ENGINE_EVENT_EXPIRED);
		check(action.has_reply || action.event == ENGINE_EVENT_EXPIRED || world->defers);
	}
	check(engine_deadline_ns(world->engine) > world->now_ns);
}

static struct nol_advertised take_advertised(struct input *input)
{
	return (struct nol_advertised){
		.mss = take_u16(input),
		.path_mss = take_u16(input),
		.window = {take_u16(input), take_u16(input)},
		.wscale = take_byte(input) % 15,
	};
}

static void take_settings(struct input *input, struct engine_settings *out)
{
	*out = (struct engine_settings){
		.v4 = take_advertised(input),
		.v6 = take_advertised(input),
		.offers = take_byte(input),
		.syn_ack_retries = take_byte(input) % 8,
	};
}

static void run_step(struct world *world, struct input *input)
{
	struct engine_settings settings;
	uint8_t step = take_byte(input);

	switch (step % 8) {
	case 0:
		step_time(world, input);
		break;
	case 1:
		step_connect(world, input);
		break;
	case 2:
		step_release(world, input);
		break;
	case 3:
		take_settings(input, &settings);
		engine_set(world->engine, &settings);
		break;
	default:
		step_input(world, input, step % 8 == 4);
	}
	check_count(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input input = {data, len};
	struct world world = {.now_ns = 1000 * CLOCK_NS_PER_S};
	const uint8_t retries = take_byte(&input);
	struct engine_config config = {
		.max_flows = MAX_FLOWS,
		.defer_timeouts = retries >> 6,
		.syn_retries = take_byte(&input) % 8,
		.resets_per_s = take_byte(&input),
	};

	take_settings(&input, &config.settings);
	config.settings.mss_limit = retries & 32 ? 700 : 0;
	world.defers = config.defer_timeouts;
	check(!engine_new(&world.engine, &config));
	for (unsigned int i = 0; input.len && i < MAX_STEPS; i++)
		run_step(&world, &input);
	engine_free(world.engine);
	return 0;
}
