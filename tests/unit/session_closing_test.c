/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel's words of destroyed sockets: in time, too early, too late, or lost. */
#include <netinet/tcp.h>

#include "session_fixture.h"

static void a_word_ends_its_flow(void **state)
{
	(void)state;
	connect_remote(2000);
	word_in(2000);
	run_loop();
	EXPECT_NOTES(2000, "close, <closed>");
	assert_int_equal(closing_count(closing), 1);
	word_in(2000);
	run_loop();
	EXPECT_NOTES(2000, "");
	assert_int_equal(closing_count(closing), 1);
}

static void a_word_of_another_port_is_none_of_ours(void **state)
{
	static struct port_set others;

	(void)state;
	connect_remote(2000);
	others = ports;
	memset(&ports, 0, sizeof(ports));
	word_in(2000);
	run_loop();
	ports = others;
	EXPECT_NOTES(2000, "");
}

static void a_word_of_no_flow_says_nothing(void **state)
{
	(void)state;
	syn_in(2000);
	run_round(0);
	forget_notes();
	word_in(2000); /* half-open: the socket was somebody's before */
	word_in(2001);
	run_loop();
	EXPECT_NOTES(2000, "");
	EXPECT_NOTES(2001, "");
}

static void a_flow_is_forgotten_after_its_grace(void **state)
{
	(void)state;
	connect_remote(2000);
	word_in(2000);
	run_loop();
	forget_notes();
	clock_ns += MS(2999);
	run_loop(); /* the tick */
	EXPECT_NOTES(2000, "");
	clock_ns += MS(1);
	run_loop();
	EXPECT_NOTES(2000, "forget");
}

static void a_grace_spares_the_next_connection(void **state)
{
	(void)state;
	connect_remote(2000);
	word_in(2000);
	run_loop();
	syn_in(2000);
	run_round(0);
	forget_notes();
	clock_ns += MS(3000);
	run_loop();
	EXPECT_NOTES(2000, "");
	assert_non_null(flow_of(2000));
}

/* The same remote and port again, while the word of the first socket is still on its way. */
static void connect_over(uint16_t port)
{
	connect_remote(port);
	connect_remote(port);
	assert_int_equal(closing_count(closing), 1);
	let_live(port, TCP_ESTABLISHED);
}

static void a_late_word_does_not_end_the_living_connection(void **state)
{
	(void)state;
	connect_over(2000);
	word_in(2000);
	run_loop();
	EXPECT_NOTES(2000, "");
	assert_int_equal(flow_of(2000)->flow.state, NOL_FLOW_HANDED_OFF);
}

static void behind_the_late_word_comes_the_connection_s_own(void **state)
{
	(void)state;
	connect_over(2000);
	word_in(2000);
	run_loop();
	let_live(2000, 0);
	word_in(2000);
	run_loop();
	EXPECT_NOTES(2000, "close, <closed>");
	assert_int_equal(closing_count(closing), 2);
}

/* Both at once: one of them was owed. */
static void two_words_end_two_connections(void **state)
{
	(void)state;
	connect_over(2000);
	let_live(2000, 0);
	word_in(2000);
	word_in(2000);
	run_loop();
	EXPECT_NOTES(2000, "close, <closed>");
	assert_int_equal(closing_count(closing), 2);
}

/* It was read while the old flow was being replaced, and ended nothing: what is owed never comes. */
static void a_word_that_came_before_it_was_owed_does_not_hide_the_next(void **state)
{
	(void)state;
	connect_over(2000);
	let_live(2000, 0);
	word_in(2000);
	run_loop();
	EXPECT_NOTES(2000, "close, <closed>");
}

/* A socket in TIME-WAIT has had its end. */
static void a_connection_in_time_wait_is_no_living_one(void **state)
{
	(void)state;
	connect_over(2000);
	let_live(2000, TCP_TIME_WAIT);
	word_in(2000);
	run_loop();
	EXPECT_NOTES(2000, "close, <closed>");
}

static void what_is_owed_to_one_remote_is_not_taken_from_another(void **state)
{
	(void)state;
	connect_over(2000);
	connect_remote(2001);
	word_in(2001);
	run_loop();
	EXPECT_NOTES(2001, "close, <closed>");
	word_in(2000);
	run_loop();
	EXPECT_NOTES(2000, "");
}

static void a_word_is_owed_for_a_second(void **state)
{
	(void)state;
	connect_over(2000);
	clock_ns += MS(1000);
	run_loop(); /* the tick */
	word_in(2000);
	run_loop();
	EXPECT_NOTES(2000, "close, <closed>");
}

static void a_word_is_still_owed_within_the_second(void **state)
{
	(void)state;
	connect_over(2000);
	clock_ns += MS(999);
	run_loop();
	word_in(2000);
	run_loop();
	EXPECT_NOTES(2000, "");
}

/* There is room for 256 words, those that have come not among them. */
static void a_word_that_came_is_no_longer_owed(void **state)
{
	const struct tuple tuple = tuple_of(2000);
	struct nol_flow old;

	(void)state;
	connect_remote(2000);
	old = flow_of(2000)->flow;
	let_live(2000, TCP_ESTABLISHED);
	for (int i = 0; i < 256; i++) {
		closing_replaced(closing, &tuple, &old, &workers[0].events);
		word_in(2000);
		run_loop();
		EXPECT_NOTES(2000, "<closed>");
	}
	connect_remote(2001);
	connect_remote(2001);
	let_live(2001, TCP_ESTABLISHED);
	word_in(2001);
	run_loop();
	EXPECT_NOTES(2001, "");
}

static void half_word_in(const char *remote)
{
	struct tuple *word = &diag.words[diag.word_count];

	word_in(2000);
	assert_true(addr_parse(remote, &word->remote.addr));
	word->remote.port = 0;
}

/* Of a socket that was disconnected: some of this remote's have ended. */
static void behind_a_word_without_the_remote_s_port_it_is_looked_which_has_ended(void **state)
{
	char remote[ADDR_TEXT_SIZE];
	const struct tuple tuple = tuple_of(2000);

	(void)state;
	connect_remote(2000);
	connect_remote(2001);
	syn_in(2002);
	run_round(0);
	forget_notes();
	let_live(2001, TCP_ESTABLISHED);
	half_word_in("10.99.0.1");
	run_loop();
	run_loop();
	EXPECT_NOTES(2000, "");
	addr_format(&tuple.remote.addr, remote);
	half_word_in(remote);
	run_loop(); /* the word */
	run_loop(); /* the tick */
	EXPECT_NOTES(2000, "close, <closed>");
	EXPECT_NOTES(2001, "");
	EXPECT_NOTES(2002, "");
	assert_int_equal(closing_count(closing), 1);
	assert_int_equal(closing_unheard(closing), 0);
}

static void of_more_such_remotes_than_are_remembered_all_are_looked_at(void **state)
{
	char remote[ADDR_TEXT_SIZE];

	(void)state;
	connect_remote(2000);
	for (int i = 0; i < 65; i++) {
		snprintf(remote, sizeof(remote), "10.99.0.%d", i);
		half_word_in(remote);
	}
	run_loop(); /* the words */
	run_loop(); /* the tick */
	EXPECT_NOTES(2000, "close, <closed>");
}

static void lose_words(void)
{
	diag.has_lost = true;
	assert_int_equal(eventfd_write(diag.fd, 1), 0);
	run_loop();
}

static void lost_words_are_made_up_for(void **state)
{
	(void)state;
	connect_remote(2000);
	connect_remote(2001);
	syn_in(2002);
	run_round(0);
	forget_notes();
	let_live(2001, TCP_ESTABLISHED);
	lose_words();
	EXPECT_NOTES(2000, "close, <closed>");
	EXPECT_NOTES(2001, "");
	EXPECT_NOTES(2002, "");
}

/* What was owed may be among what was lost. */
static void nothing_is_owed_when_words_were_lost(void **state)
{
	(void)state;
	connect_over(2000);
	lose_words();
	EXPECT_NOTES(2000, "");
	word_in(2000);
	diag.has_lost = false;
	run_loop();
	EXPECT_NOTES(2000, "close, <closed>");
}

static void the_oldest_graces_make_room_first(void **state)
{
	(void)state;
	for (uint16_t port = 2000; port < 2003; port++) {
		connect_remote(port);
		word_in(port);
		run_loop();
	}
	forget_notes();
	closing_make_room(closing, 2);
	EXPECT_NOTES(2000, "forget");
	EXPECT_NOTES(2001, "forget");
	EXPECT_NOTES(2002, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		session_test(a_word_ends_its_flow),
		session_test(a_word_of_another_port_is_none_of_ours),
		session_test(a_word_of_no_flow_says_nothing),
		session_test(a_flow_is_forgotten_after_its_grace),
		session_test(a_grace_spares_the_next_connection),
		session_test(a_late_word_does_not_end_the_living_connection),
		session_test(behind_the_late_word_comes_the_connection_s_own),
		session_test(two_words_end_two_connections),
		session_test(a_word_that_came_before_it_was_owed_does_not_hide_the_next),
		session_test(a_connection_in_time_wait_is_no_living_one),
		session_test(what_is_owed_to_one_remote_is_not_taken_from_another),
		session_test(a_word_is_owed_for_a_second),
		session_test(a_word_is_still_owed_within_the_second),
		session_test(a_word_that_came_is_no_longer_owed),
		session_test(behind_a_word_without_the_remote_s_port_it_is_looked_which_has_ended),
		session_test(of_more_such_remotes_than_are_remembered_all_are_looked_at),
		session_test(lost_words_are_made_up_for),
		session_test(nothing_is_owed_when_words_were_lost),
		session_test(the_oldest_graces_make_room_first),
	};

	return cmocka_run_group_tests_name("session_closing", tests, NULL, NULL);
}
