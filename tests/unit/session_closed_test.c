/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A flow table that closes flows by itself and tells of it: sock_diag is not asked. */
#include <netinet/tcp.h>

#include "session_fixture.h"

static struct {
	int fd;
	struct tuple words[8];
	struct nol_flow flows[8];
	unsigned int count;
	bool has_lost, has_missed, is_quiet;
} told;

static int watch_fake_closed(struct flows *flows)
{
	(void)flows;
	told.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return told.fd;
}

static int take_fake_closed(struct flows *flows, flow_closed_fn fn, void *context)
{
	const unsigned int count = told.count;
	eventfd_t ignored;

	(void)flows;
	eventfd_read(told.fd, &ignored);
	told.count = 0;
	for (unsigned int i = 0; i < count; i++)
		fn(context, &told.words[i], &told.flows[i]);
	return told.has_lost ? -ENOBUFS : (int)count;
}

static bool has_fake_missed(struct flows *flows)
{
	const bool has_missed = told.has_missed;

	(void)flows;
	told.has_missed = false;
	return has_missed;
}

static void read_fake_ends(struct flows *flows, bool at_ticks)
{
	(void)flows;
	told.is_quiet = at_ticks;
}

static const struct flows_ops told_ops = {
	FAKE_FLOWS_OPS,
	.force = force_fake_flow,
	.watch_closed = watch_fake_closed,
	.take_closed = take_fake_closed,
	.read_ends = read_fake_ends,
	.has_missed = has_fake_missed,
};

/* The table closes the flow of this remote; nobody is woken. */
static void close_quietly(uint16_t port)
{
	flow_of(port)->flow.state = NOL_FLOW_CLOSED;
	told.flows[told.count] = flow_of(port)->flow;
	told.words[told.count++] = tuple_of(port);
}

static void close_aloud(uint16_t port)
{
	close_quietly(port);
	assert_int_equal(eventfd_write(told.fd, 1), 0);
}

static void the_table_s_word_ends_a_connection(void **state)
{
	(void)state;
	connect_remote(2000);
	close_aloud(2000);
	run_loop();
	EXPECT_NOTES(2000, "<closed>");
	assert_int_equal(closing_count(closing), 1);
}

static void who_polls_needs_no_waking(void **state)
{
	(void)state;
	connect_remote(2000);
	close_quietly(2000);
	run_round(0);
	EXPECT_NOTES(2000, "<closed>");
}

/* So many ends of one connection, which is no other one to who is told. */
static void close_often(unsigned int times)
{
	connect_remote(2000);
	while (times--) {
		close_quietly(2000);
		run_round(0);
	}
	forget_notes();
}

/* A tick is all that ends these sleeps. */
static void many_words_a_tick_wake_nobody_any_more(void **state)
{
	(void)state;
	close_often(24);
	run_loop();
	assert_false(told.is_quiet);
	close_often(25);
	run_loop();
	assert_true(told.is_quiet);
	close_quietly(2000);
	run_loop();
	EXPECT_NOTES(2000, "<closed>");
	assert_false(told.is_quiet);
}

/* Who stops reading at ticks may have been the last one that would have read this. */
static void a_word_from_before_the_end_is_told(void **state)
{
	(void)state;
	close_often(25);
	run_loop();
	close_quietly(2000);
	close_worker(&workers[0]);
	workers[0].session = NULL;
	closing_free(closing);
	closing = NULL;
	EXPECT_NOTES(2000, "<closed>");
}

static void the_grace_begins_with_the_word(void **state)
{
	(void)state;
	connect_remote(2000);
	close_aloud(2000);
	run_loop();
	forget_notes();
	clock_ns += MS(3000);
	run_loop();
	EXPECT_NOTES(2000, "forget");
}

/* What is replaced has no word to come that could be taken for its successor's. */
static void no_word_is_owed_for_what_was_replaced(void **state)
{
	(void)state;
	connect_remote(2000);
	connect_remote(2000);
	assert_int_equal(closing_count(closing), 1);
	let_live(2000, TCP_ESTABLISHED);
	close_aloud(2000);
	run_loop();
	EXPECT_NOTES(2000, "<closed>");
	assert_int_equal(closing_count(closing), 2);
}

static void what_the_table_had_no_room_for_is_looked_for(void **state)
{
	(void)state;
	connect_remote(2000);
	connect_remote(2001);
	let_live(2001, TCP_ESTABLISHED);
	told.has_lost = true;
	assert_int_equal(eventfd_write(told.fd, 1), 0);
	run_loop();
	EXPECT_NOTES(2000, "close, <closed>");
	EXPECT_NOTES(2001, "");
}

/* At the next tick, and then not again before ten seconds are over. */
static void what_the_table_has_missed_is_looked_for(void **state)
{
	(void)state;
	connect_remote(2000);
	connect_remote(2001);
	let_live(2001, TCP_ESTABLISHED);
	run_loop();
	EXPECT_NOTES(2000, "");
	told.has_missed = true;
	run_loop();
	EXPECT_NOTES(2000, "close, <closed>");
	EXPECT_NOTES(2001, "");
	let_live(2001, 0);
	told.has_missed = true;
	clock_ns += MS(9999);
	run_loop();
	EXPECT_NOTES(2001, "");
	clock_ns += MS(1);
	run_loop();
	EXPECT_NOTES(2001, "close, <closed>");
	assert_int_equal(closing_count(closing), 2);
}

/* Once that is certain: what ends just now is told of in a moment. */
static void what_nothing_has_told_of_is_looked_for_while_nothing_is_served(void **state)
{
	(void)state;
	connect_remote(2000);
	connect_remote(2001);
	let_live(2001, TCP_ESTABLISHED);
	closing_compare(closing, 2);
	run_loop();
	EXPECT_NOTES(2000, "");
	closing_compare(closing, 2);
	run_loop();
	EXPECT_NOTES(2000, "close, <closed>");
	EXPECT_NOTES(2001, "");
	assert_int_equal(closing_count(closing), 1);
	assert_int_equal(closing_unheard(closing), 1);
}

static int set_up_told(void **state)
{
	memset(&told, 0, sizeof(told));
	fixture_flows_ops = &told_ops;
	return set_up(state);
}

static int tear_down_told(void **state)
{
	close(told.fd);
	return tear_down(state);
}

#define told_test(f) cmocka_unit_test_setup_teardown(f, set_up_told, tear_down_told)

int main(void)
{
	const struct CMUnitTest tests[] = {
		told_test(the_table_s_word_ends_a_connection),
		told_test(who_polls_needs_no_waking),
		told_test(many_words_a_tick_wake_nobody_any_more),
		told_test(a_word_from_before_the_end_is_told),
		told_test(the_grace_begins_with_the_word),
		told_test(no_word_is_owed_for_what_was_replaced),
		told_test(what_the_table_had_no_room_for_is_looked_for),
		told_test(what_the_table_has_missed_is_looked_for),
		told_test(what_nothing_has_told_of_is_looked_for_while_nothing_is_served),
	};

	return cmocka_run_group_tests_name("session_closed", tests, NULL, NULL);
}
