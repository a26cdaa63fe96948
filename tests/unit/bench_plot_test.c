/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Plots: who is in them, what tells them apart, and where their names go. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_setup.h"

#include "plot.h"
#include "plot_cast.h"

static const uint32_t rates[] = {500000, 600000, 0};

static struct board board;

/* A row of each name, NULL ends them; each has latencies. */
static void open_board(const char *const *names)
{
	unsigned int count = 0;

	while (names[count])
		count++;
	board = (struct board){.flood_rates = rates};
	assert_int_equal(board_open(&board, count), 0);
	for (unsigned int i = 0; i < count; i++) {
		board.rows[i] = (struct board_row){.name = names[i], .text = "", .reason = ""};
		for (uint64_t ns = 20000; ns < 40000; ns += 100)
			histogram_add(&board.rows[i].tallies.idle.connect, ns * (i + 2));
	}
}

static bool has_all(const struct board *of, unsigned int row)
{
	return of && row < of->row_count;
}

static bool has_no_listener(const struct board *of, unsigned int row)
{
	return strcmp(of->rows[row].name, "listen") != 0;
}

/* The names in the plot, with commas between. */
static void is_cast(const char *const *names, bool (*has)(const struct board *of, unsigned int row),
		    const char *expected)
{
	struct plot_line lines[PLOT_LINES_MAX];
	char text[256] = "";
	unsigned int count;

	open_board(names);
	count = plot_cast(&board, has, lines);
	for (unsigned int i = 0; i < count; i++) {
		assert_string_equal(board.rows[lines[i].row].name, lines[i].name);
		strcat(strcat(text, i ? "," : ""), lines[i].name);
	}
	assert_string_equal(text, expected);
	board_close(&board);
}

static const char *const everybody[] = {"listen-0", "listen",	   "listen-2", "synproxy", "echo",
					"auto",	    "auto-native", "xdp",      "engine",   "accept",
					"nfqueue",  "xdp-native",  "filter",   "raw",	   NULL};

static void a_plot_has_those_that_most_depends_on(void **state)
{
	(void)state;
	is_cast(everybody, has_all, "listen,auto,accept,engine,xdp-native");
	is_cast(everybody, has_no_listener, "auto,accept,engine,xdp-native");
}

static void a_plot_has_the_peers(void **state)
{
	const char *const names[] = {"listen", "xdp", "mine", "yours", NULL};

	(void)state;
	is_cast(names, has_all, "listen,mine,yours");
}

static void without_them_a_plot_has_the_first_ones(void **state)
{
	const char *const names[] = {"listen-0", "listen-2", "synproxy", "connect", "nfqueue",
				     "filter",	 "raw",	     "xdp",	 NULL};

	(void)state;
	is_cast(names, has_all, "listen-0,listen-2,synproxy,connect,nfqueue,filter,raw");
}

static void no_two_lines_look_alike(void **state)
{
	const char *const names[] = {"listen", "auto", "accept", "a", "b", "c", "d", "e", NULL};
	const char *const strangers[] = {"1", "2", "3", "4", "5", "6", "7", "8", NULL};
	const char *const *const casts[] = {names, strangers};
	struct plot_line lines[PLOT_LINES_MAX];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		open_board(casts[i]);
		assert_int_equal(plot_cast(&board, has_all, lines), PLOT_LINES_MAX);
		for (unsigned int k = 0; k < PLOT_LINES_MAX; k++)
			for (unsigned int other = 0; other < k; other++)
				assert_string_not_equal(lines[k].colour, lines[other].colour);
		board_close(&board);
	}
}

static void the_kernels_listener_is_dark_wherever_it_is(void **state)
{
	const char *const last[] = {"mine", "auto", "listen", NULL};
	struct plot_line lines[PLOT_LINES_MAX];

	(void)state;
	open_board(last);
	plot_cast(&board, has_all, lines);
	assert_string_equal(lines[0].name, "listen");
	assert_string_equal(lines[0].colour, "#222222");
	assert_string_equal(plot_colour("listen"), "#222222");
	board_close(&board);
}

static void names_are_apart_and_in_order(void **state)
{
	double close[] = {0.5, 0.51, 0.1}, top[] = {1, 1, 1}, fine[] = {0.9, 0.2};

	(void)state;
	plot_spread(close, 3, 0.1);
	assert_true(close[0] == 0.5 && fabs(close[1] - 0.6) < 1e-9 && close[2] == 0.1);
	plot_spread(top, 3, 0.1);
	assert_true(fabs(top[2] - 1) < 1e-9 && fabs(top[1] - 0.9) < 1e-9 &&
		    fabs(top[0] - 0.8) < 1e-9);
	plot_spread(fine, 2, 0.1);
	assert_true(fine[0] == 0.9 && fine[1] == 0.2);
}

static void steps_are_1_2_5(void **state)
{
	(void)state;
	assert_true(fabs(plot_step_below(19) - 10) < 1e-9);
	assert_true(fabs(plot_step_below(20) - 20) < 1e-9);
	assert_true(fabs(plot_step_below(999) - 500) < 1e-6);
	assert_true(fabs(plot_step_below(0.03) - 0.02) < 1e-9);
	assert_true(fabs(plot_step_above(19) - 20) < 1e-9);
	assert_true(fabs(plot_step_above(20) - 20) < 1e-9);
	assert_true(fabs(plot_step_above(21) - 50) < 1e-9);
	assert_true(fabs(plot_step_above(501) - 1000) < 1e-6);
	assert_true(fabs(plot_step_above(1000) - 1000) < 1e-6);
}

static char *commands(void)
{
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	assert_non_null(file);
	plot_write(file, &board, "it's here");
	fclose(file);
	return text;
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in:\n%s", part, text);
}

static void names_are_at_the_curves_and_in_no_legend(void **state)
{
	const char *const names[] = {"listen", "it's_mine", NULL};
	char *text;

	(void)state;
	open_board(names);
	text = commands();
	has(text, "set key off");
	has(text, "noenhanced");
	has(text, "set output 'it''s here/latency.svg'");
	has(text, "set label 'listen' at graph");
	has(text, "set label 'it''s_mine' at graph");
	assert_null(strstr(text, "throughput.svg"));
	assert_string_equal(plot_at(&board, 0), "latency");
	assert_null(plot_at(&board, 1));
	free(text);
	board_close(&board);
}

static void bars_have_their_interval_as_soon_as_there_is_one(void **state)
{
	const char *const names[] = {"listen", NULL};
	char *text;

	(void)state;
	open_board(names);
	for (; board.round < 5; board.round++)
		board_record(&board, "listen", "synack.per_s", 1e6 + 1e5 * board.round);
	text = commands();
	has(text, "\n0 1.2000 NaN NaN 1.2000 0x222222 1.20\n");
	free(text);
	board_record(&board, "listen", "synack.per_s", 1e6 + 1e5 * board.round);
	text = commands();
	has(text, "\n0 1.2500 1.0000 1.5000 1.5000 0x222222 1.25\n");
	has(text, "with xerrorbars");
	free(text);
	board_close(&board);
}

static void a_flood_has_its_intervals_too(void **state)
{
	const char *const names[] = {"listen", "auto", NULL};
	char *text;

	(void)state;
	open_board(names);
	for (; board.round < 6; board.round++)
		board_record_share(&board, "auto", "flood.600000.success_pct", 5e17, 1e18);
	text = commands();
	has(text, "set output 'it''s here/flood.svg'");
	has(text, "$curve0 << EOD\n600 50\nEOD\n$error0 << EOD\n600 50 50 50\nEOD\n");
	assert_string_equal(plot_at(&board, 1), "flood");
	free(text);
	board_close(&board);
}

/* Of what was measured: the largest flows were not. */
static void growth_is_drawn_against_the_number_of_flows(void **state)
{
	const char *const names[] = {"listen", "auto", NULL};
	char *text;

	(void)state;
	open_board(names);
	board_record(&board, "auto", "growth.100.per_s", 20000);
	board_record(&board, "auto", "growth.10000.per_s", 18000);
	board_record(&board, "auto", "growth.100.mib", 12);
	board_record_reason(&board, "auto", "growth.1000000.per_s", "too little memory is free");
	text = commands();
	has(text, "set output 'it''s here/growth.svg'");
	has(text, "$curve0 << EOD\n100 20\n10000 18\nEOD\n");
	has(text, "set logscale x\n");
	has(text, "set xrange [99.9:10010]\n");
	has(text, "set output 'it''s here/memory.svg'");
	assert_string_equal(plot_at(&board, 1), "growth");
	assert_string_equal(plot_at(&board, 2), "memory");
	assert_null(plot_at(&board, 3));
	free(text);
	board_close(&board);
}

static void prefixes_and_ports_are_two_lines(void **state)
{
	const char *const names[] = {"listen", "xdp-native", NULL};
	char *text;

	(void)state;
	open_board(names);
	board_record(&board, "xdp-native", "answered.prefixes.1.per_s", 2e6);
	board_record(&board, "xdp-native", "answered.prefixes.4096.per_s", 1e6);
	board_record(&board, "xdp-native", "answered.ports.65536.per_s", 2e6);
	text = commands();
	has(text, "set output 'it''s here/answered.svg'");
	has(text, "$curve0 << EOD\n1 2\n4096 1\nEOD\n");
	has(text, "$curve1 << EOD\n65536 2\nEOD\n");
	has(text, "of xdp-native, by what is answered");
	free(text);
	board_close(&board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plot_has_those_that_most_depends_on),
		cmocka_unit_test(a_plot_has_the_peers),
		cmocka_unit_test(without_them_a_plot_has_the_first_ones),
		cmocka_unit_test(no_two_lines_look_alike),
		cmocka_unit_test(the_kernels_listener_is_dark_wherever_it_is),
		cmocka_unit_test(names_are_apart_and_in_order),
		cmocka_unit_test(steps_are_1_2_5),
		cmocka_unit_test(names_are_at_the_curves_and_in_no_legend),
		cmocka_unit_test(bars_have_their_interval_as_soon_as_there_is_one),
		cmocka_unit_test(a_flood_has_its_intervals_too),
		cmocka_unit_test(growth_is_drawn_against_the_number_of_flows),
		cmocka_unit_test(prefixes_and_ports_are_two_lines),
	};

	return cmocka_run_group_tests_name("bench_plot", tests, NULL, NULL);
}
