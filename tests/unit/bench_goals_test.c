/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The benchmark's board, and its goals. */
#include <string.h>

#include "cmocka_setup.h"

#include "board.h"
#include "goals.h"

/* Rows listen and auto. */
static void open_board(struct board *board, const char *only)
{
	*board = (struct board){.only = only};
	assert_int_equal(board_open(board, 2), 0);
	board->rows[0] = (struct board_row){.name = "listen", .reason = ""};
	board->rows[1] = (struct board_row){.name = "auto", .reason = "it would not start"};
}

static void compares_only_where_there_are_two(void **state)
{
	struct interval ratio;
	struct board board;

	(void)state;
	open_board(&board, NULL);
	board_record(&board, "auto", "synack.per_s", 10);
	assert_false(
		board_compare(&board, "auto", "synack.per_s", "listen", "synack.per_s", &ratio));
	board.round = 1;
	board_record(&board, "auto", "synack.per_s", 20);
	board_record(&board, "listen", "synack.per_s", 5);
	assert_true(
		board_compare(&board, "auto", "synack.per_s", "listen", "synack.per_s", &ratio));
	assert_true(ratio.value == 4 && ratio.count == 1);
	board_close(&board);
}

static void says_why_a_figure_is_missing_as_exactly_as_it_can(void **state)
{
	struct board board;

	(void)state;
	open_board(&board, NULL);
	assert_string_equal(board_reason(&board, "xdp", "connect.p50_us"), "it did not take part");
	assert_string_equal(board_reason(&board, "listen", "connect.p50_us"),
			    "it did not take part");
	assert_string_equal(board_reason(&board, "auto", "connect.p50_us"), "it would not start");
	board_record_reason(&board, "auto", "connect.p50_us", "refused");
	assert_string_equal(board_reason(&board, "auto", "connect.p50_us"), "refused");
	board_close(&board);
}

/* The goal of that text; false: it is not told of. */
static bool judge(const struct board *board, const char *text, struct goal_result *out)
{
	for (size_t i = 0; i < goal_count(); i++)
		if (goal_judge(board, i, out) && !strcmp(out->text, text))
			return true;
	return false;
}

static const char connect_goal[] = "connect() p50, auto to listen()";

static enum goal_state judge_after(struct board *board, unsigned int rounds, double auto_us,
				   double listen_us)
{
	struct goal_result result;

	for (unsigned int i = 0; i < rounds; i++, board->round++) {
		board_record(board, "auto", "connect.p50_us", auto_us);
		board_record(board, "listen", "connect.p50_us", listen_us);
	}
	assert_true(judge(board, connect_goal, &result));
	assert_string_equal(result.limit, "at most 0.6x");
	return result.state;
}

static void judges_a_goal_by_what_the_board_says(void **state)
{
	struct goal_result result;
	struct board board;

	(void)state;
	open_board(&board, NULL);
	assert_true(judge(&board, connect_goal, &result));
	assert_int_equal(result.state, GOAL_UNKNOWN);
	assert_string_equal(result.reason, "it would not start");
	board_record(&board, "auto", "connect.p50_us", 30);
	assert_true(judge(&board, connect_goal, &result));
	assert_int_equal(result.state, GOAL_UNKNOWN);
	assert_string_equal(result.reason, "it did not take part");
	board_close(&board);
}

static void a_goal_is_settled_when_its_interval_is_on_one_side(void **state)
{
	struct board board;

	(void)state;
	open_board(&board, NULL);
	assert_int_equal(judge_after(&board, 5, 30, 100), GOAL_UNSETTLED); /* too few */
	assert_int_equal(judge_after(&board, 1, 30, 100), GOAL_MET);
	assert_int_equal(judge_after(&board, 5, 90, 100), GOAL_MET); /* not looked at */
	assert_int_equal(judge_after(&board, 1, 90, 100), GOAL_UNSETTLED);
	assert_int_equal(judge_after(&board, 35, 90, 100), GOAL_UNSETTLED);
	assert_int_equal(judge_after(&board, 1, 90, 100), GOAL_MISSED);
	board_close(&board);
}

/* Two rounds are on the other side: one too many of twelve, and few enough of twenty. */
static void what_is_not_settled_is_looked_at_once_more_when_the_time_is_up(void **state)
{
	struct board board;

	(void)state;
	open_board(&board, NULL);
	judge_after(&board, 2, 50, 100);
	assert_int_equal(judge_after(&board, 4, 61, 100), GOAL_UNSETTLED);
	assert_int_equal(judge_after(&board, 14, 90, 100), GOAL_UNSETTLED);
	board.is_over = true;
	assert_int_equal(judge_after(&board, 0, 0, 0), GOAL_MISSED);
	board_close(&board);
}

static void a_goal_may_be_a_difference(void **state)
{
	struct goal_result result;
	struct board board;

	(void)state;
	open_board(&board, NULL);
	board.rows[0] = (struct board_row){.name = "app", .reason = ""};
	for (board.round = 0; board.round < 6; board.round++) {
		board_record(&board, "app", "parallel.each_us", 33);
		board_record(&board, "auto", "parallel.each_us", 30);
	}
	assert_true(judge(&board,
			  "a connection by libnolisten, 32 at once, us to auto's own service",
			  &result));
	assert_string_equal(result.limit, "at most 4 more");
	assert_int_equal(result.state, GOAL_MET);
	assert_true(result.interval.value == 3);
	board_close(&board);
}

static void knows_what_a_goal_rests_on(void **state)
{
	unsigned int on_auto = 0, on_listen = 0, on_engine = 0;

	(void)state;
	for (size_t i = 0; i < goal_count(); i++) {
		on_auto += goal_rests_on(i, "auto", "connect");
		on_listen += goal_rests_on(i, "listen", "connect");
		on_engine += goal_rests_on(i, "engine", "connect");
	}
	assert_int_equal(on_auto, 1);
	assert_int_equal(on_listen, 1);
	assert_int_equal(on_engine, 0);
}

static void leaves_out_goals_that_were_not_asked_for(void **state)
{
	struct goal_result result;
	struct board board;

	(void)state;
	open_board(&board, "serial,synack");
	assert_false(judge(&board, "connect() p50, auto to listen()", &result));
	assert_true(judge(&board, "connect() to first byte p50, auto to accept()", &result));
	assert_false(judge(&board, "SYN-ACKs a second, xdp to listen()", &result));
	board_close(&board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_only_where_there_are_two),
		cmocka_unit_test(says_why_a_figure_is_missing_as_exactly_as_it_can),
		cmocka_unit_test(judges_a_goal_by_what_the_board_says),
		cmocka_unit_test(a_goal_is_settled_when_its_interval_is_on_one_side),
		cmocka_unit_test(what_is_not_settled_is_looked_at_once_more_when_the_time_is_up),
		cmocka_unit_test(a_goal_may_be_a_difference),
		cmocka_unit_test(a_goal_may_be_a_difference),
		cmocka_unit_test(knows_what_a_goal_rests_on),
		cmocka_unit_test(leaves_out_goals_that_were_not_asked_for),
	};

	return cmocka_run_group_tests_name("bench goals", tests, NULL, NULL);
}
