/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Engine tests in the manner of packetdrill: what comes in, what goes out, and time.
 *
 *	SYN_IN(1000, MSS(1460));
 *	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001, .window = 65535);
 *	ACK_IN(1001, 1);
 *	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
 *
 * Our own sequence numbers are relative to the ISS, in ACK_IN() and EXPECT() alike, as packetdrill has it: our
 * SYN is 0. So are our TSvals, to the flow's offset: they are the script's clock in ms. Everything is 0
 * where it is not given and is compared, but for window and options, which are compared where they are given.
 */
#ifndef NOLISTEN_ENGINE_SCRIPT_H
#define NOLISTEN_ENGINE_SCRIPT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "advertise.h"
#include "clock.h"
#include "engine.h"

#define SCRIPT_START_MS 1000000ull
#define SCRIPT_WINDOW 65535 /* of the remote's segments, unless WINDOW() says otherwise */
#define SCRIPT_WSCALE 7 /* ours */

struct script {
	struct engine *engine;
	struct engine_config config;
	const struct engine_syn *syn; /* of CONNECT() */
	struct tuple tuple;
	uint64_t now_ns;
	uint32_t iss, ts_offset; /* of the flow that the script is about; 0 without one */
	struct engine_action action;
};

struct script_reply {
	uint32_t seq, ack;
	uint16_t window; /* 0: whatever it is */
};

static struct script script;

static inline struct endpoint script_endpoint(const char *text)
{
	struct endpoint endpoint;

	assert_true(endpoint_parse(text, &endpoint));
	return endpoint;
}

static inline void script_tuple(const char *local, const char *remote)
{
	script.tuple.local = script_endpoint(local);
	script.tuple.remote = script_endpoint(remote);
	script.iss = 0;
	script.ts_offset = 0;
}

/* Another connection; what is relative is relative to its flow, if there is one. */
static inline void script_from_port(uint16_t port)
{
	const struct engine_flow *flow;

	script.tuple.remote.port = port;
	flow = engine_find(script.engine, &script.tuple);
	script.iss = flow ? flow->iss : 0;
	script.ts_offset = flow ? flow->ts_offset : 0;
}

/* A new engine; the test may change script.config first. */
static inline void script_restart(void)
{
	engine_free(script.engine);
	script.engine = NULL;
	assert_int_equal(engine_new(&script.engine, &script.config), 0);
	script.iss = 0;
	script.ts_offset = 0;
}

#define SCRIPT_ADVERTISED(number)                                                \
	{                                                                        \
		.mss = (number), .path_mss = (number), .window = {65535, 65535}, \
		.wscale = SCRIPT_WSCALE                                          \
	}

static inline int script_setup(void **state)
{
	(void)state;
	memset(&script, 0, sizeof(script));
	script.config = (struct engine_config){
		.key = "a key of 16 byte",
		.max_flows = 8,
		.syn_retries = 6,
		.settings = {.v4 = SCRIPT_ADVERTISED(1460),
			     .v6 = SCRIPT_ADVERTISED(1440),
			     .offers = ADVERTISE_OFFERS,
			     .syn_ack_retries = 5},
		.resets_per_s = 100,
	};
	script.now_ns = SCRIPT_START_MS * CLOCK_NS_PER_MS;
	script_restart();
	script_tuple("10.0.0.2:80", "10.0.0.1:50814");
	return 0;
}

static inline int script_teardown(void **state)
{
	(void)state;
	engine_free(script.engine);
	script.engine = NULL;
	return 0;
}

/* Every reply must survive the way over the wire. */
static inline void script_check_reply(const struct segment *reply)
{
	uint8_t packet[256];
	struct segment parsed;
	size_t len = segment_build(reply, packet, sizeof(packet));

	assert_true(len > 0);
	assert_int_equal(segment_parse(packet, len, &parsed), SEGMENT_OK);
	assert_int_equal(parsed.checksum, CHECKSUM_VALID);
	assert_true(addr_is_equal(&parsed.tuple.remote.addr, &reply->tuple.local.addr));
	assert_true(addr_is_equal(&parsed.tuple.local.addr, &reply->tuple.remote.addr));
	assert_int_equal(parsed.tuple.remote.port, reply->tuple.local.port);
	assert_int_equal(parsed.tuple.local.port, reply->tuple.remote.port);
	assert_int_equal(parsed.seq, reply->seq);
	assert_int_equal(parsed.ack, reply->ack);
	assert_int_equal(parsed.flags, reply->flags);
	assert_int_equal(parsed.window, reply->window);
	assert_int_equal(parsed.payload_len, 0);
}

/* The ISS and the TS offset are what the flow's own records say, and stay. */
static inline void script_take_action(void)
{
	const struct engine_flow *flow = script.action.flow;

	if (script.action.has_reply)
		script_check_reply(&script.action.reply);
	if (!flow || !tuple_is_equal(&flow->tuple, &script.tuple))
		return;
	if (script.iss && script.action.event != ENGINE_EVENT_SYN)
		assert_int_equal(flow->iss, script.iss);
	script.iss = flow->iss;
	script.ts_offset = flow->ts_offset;
}

static inline void script_in(struct segment segment, const uint32_t *time_wait_snd_nxt)
{
	segment.tuple = script.tuple;
	if (!segment.window)
		segment.window = SCRIPT_WINDOW;
	if (segment.options.has_timestamps && segment.options.tsecr)
		segment.options.tsecr += script.ts_offset;
	engine_input(script.engine, &segment, script.now_ns, time_wait_snd_nxt, &script.action);
	script_take_action();
}

static inline void script_after_ms(uint64_t ms)
{
	struct engine_action more;

	script.now_ns += ms * CLOCK_NS_PER_MS;
	memset(&script.action, 0, sizeof(script.action));
	if (!engine_expire(script.engine, script.now_ns, &script.action))
		return;
	script_take_action();
	assert_false(engine_expire(script.engine, script.now_ns, &more));
}

static inline void script_connect(void)
{
	script.iss = 0;
	assert_int_equal(engine_connect(script.engine, &script.tuple, script.syn, script.now_ns,
					&script.action),
			 0);
	script_take_action();
}

static inline void script_expect(uint8_t flags, struct script_reply expected)
{
	const struct segment *reply = &script.action.reply;

	assert_true(script.action.has_reply);
	assert_true(tuple_is_equal(&reply->tuple, &script.tuple));
	assert_int_equal(reply->flags, flags);
	assert_int_equal(reply->seq - script.iss, expected.seq);
	assert_int_equal(reply->ack, expected.ack);
	if (expected.window)
		assert_int_equal(reply->window, expected.window);
}

static inline void script_expect_options(struct segment expected)
{
	const struct tcp_options *options = &script.action.reply.options;

	assert_true(script.action.has_reply);
	assert_int_equal(options->has_mss, expected.options.has_mss);
	assert_int_equal(options->mss, expected.options.mss);
	assert_int_equal(options->has_sack_permitted, expected.options.has_sack_permitted);
	assert_int_equal(options->has_wscale, expected.options.has_wscale);
	assert_int_equal(options->wscale, expected.options.wscale);
	assert_int_equal(options->has_timestamps, expected.options.has_timestamps);
	if (!options->has_timestamps)
		return;
	assert_int_equal(options->tsval - script.ts_offset, expected.options.tsval);
	assert_int_equal(options->tsecr, expected.options.tsecr);
}

#define NOW_MS ((uint32_t)(script.now_ns / CLOCK_NS_PER_MS))

/* What a segment may carry. */
#define MSS(bytes) .options.has_mss = true, .options.mss = (bytes)
#define WSCALE(shift) .options.has_wscale = true, .options.wscale = (shift)
#define SACK_OK .options.has_sack_permitted = true
#define TS(val, ecr) .options.has_timestamps = true, .options.tsval = (val), .options.tsecr = (ecr)
#define WINDOW(bytes) .window = (bytes)
#define DATA(text) .payload = (const uint8_t *)(text), .payload_len = sizeof(text) - 1
#define SIGNED .options.has_signature = true
#define CHECKSUM(state) .checksum = (state)

/* Relative to the ISS where there is one. */
#define IN(flags_, seq_, ack_, ...)                            \
	script_in((struct segment){.flags = (flags_),          \
				   .seq = (seq_),              \
				   .ack = script.iss + (ack_), \
				   __VA_ARGS__},               \
		  NULL)
#define SYN_IN(seq_, ...) \
	script_in((struct segment){.flags = TCP_SYN, .seq = (seq_), __VA_ARGS__}, NULL)
#define TIME_WAIT_SYN_IN(snd_nxt, seq_, ...)                                      \
	script_in((struct segment){.flags = TCP_SYN, .seq = (seq_), __VA_ARGS__}, \
		  &(const uint32_t){snd_nxt})
#define ACK_IN(seq_, ack_, ...) IN(TCP_ACK, seq_, ack_, __VA_ARGS__)
#define RST_IN(seq_, ...) \
	script_in((struct segment){.flags = TCP_RST, .seq = (seq_), __VA_ARGS__}, NULL)

#define FROM_PORT(port) script_from_port(port)
#define CONNECT() script_connect()
#define AFTER_MS(ms) script_after_ms(ms)

/* What came of it. */
#define EXPECT(flags_, ...) script_expect(flags_, (struct script_reply){__VA_ARGS__})
/* A sequence number that has nothing to do with our ISS. */
#define ABSOLUTE(seq_) (-script.iss + (seq_))
#define EXPECT_OPTIONS(...) script_expect_options((struct segment){__VA_ARGS__})
#define EXPECT_SILENCE() assert_false(script.action.has_reply)
#define EXPECT_EVENT(event_) assert_int_equal(script.action.event, event_)
#define EXPECT_REASON(reason_) \
	assert_string_equal(engine_reason_text(script.action.reason), engine_reason_text(reason_))
#define EXPECT_FLOWS(count) assert_int_equal(engine_flow_count(script.engine), count)
#define EXPECT_STATE(state_) assert_int_equal(script_flow()->state, state_)

static inline struct engine_flow *script_flow(void)
{
	struct engine_flow *flow = engine_find(script.engine, &script.tuple);

	assert_non_null(flow);
	return flow;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_setup, script_teardown)

#endif
