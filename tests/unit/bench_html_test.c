/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The report as a page: what is in it, that nothing in it is taken for markup, and that it needs no other file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_setup.h"

#include "html.h"

#define PAGE_SIZE 65536

static const uint32_t rates[] = {500000, 0};

static char dir[] = "/tmp/bench_html_test.XXXXXX";

/* Rows listen and a peer, six rounds of SYN-ACKs, and a goal that was not taken. */
static void open_board(struct board *board)
{
	*board = (struct board){.flood_rates = rates,
				.conditions = "a <fast> processor",
				.command = strdup("nolisten bench '--peer=a:b \"&\"'"),
				.machine = {.has_two_cpus = true, .load = 7},
				.rounds = 6};
	assert_int_equal(board_open(board, 2), 0);
	board->rows[0] = (struct board_row){.name = "listen", .text = "", .reason = ""};
	board->rows[1] = (struct board_row){.name = "<i>peer", .text = "", .reason = ""};
	for (; board->round < 6; board->round++) {
		board_record(board, "listen", "synack.per_s", 1000 + 10 * board->round);
		board_record(board, "nolisten", "handoff.1.per_s", 90000);
	}
	board_record_reason(board, "<i>peer", "synack.per_s", "it said <script>'no'</script>");
}

static void path_of(char path[64], const char *name)
{
	snprintf(path, 64, "%s/%s", dir, name);
}

static void write_file(const char *name, const char *text)
{
	char path[64];
	FILE *file;

	path_of(path, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* report.html of that board. */
static const char *page_of(bool has_plots)
{
	static char page[PAGE_SIZE];
	struct board board;
	char path[64];
	FILE *file;
	size_t len;

	open_board(&board);
	assert_int_equal(html_write(&board, dir, has_plots), 0);
	board_close(&board);
	path_of(path, "report.html");
	file = fopen(path, "r");
	assert_non_null(file);
	len = fread(page, 1, PAGE_SIZE - 1, file);
	page[len] = '\0';
	fclose(file);
	return page;
}

static void has(const char *page, const char *part)
{
	if (!strstr(page, part))
		fail_msg("'%s' is not in:\n%s", part, page);
}

static void has_not(const char *page, const char *part)
{
	if (strstr(page, part))
		fail_msg("'%s' is in:\n%s", part, page);
}

static void has_the_machine_the_command_line_and_its_warnings(void **state)
{
	const char *page = page_of(false);

	(void)state;
	has(page, "a &lt;fast&gt; processor");
	has(page, "<code>nolisten bench &#39;--peer=a:b &quot;&amp;&quot;&#39;</code>");
	has(page, "<li>the load average is 7.0");
}

static void has_each_figure_with_its_interval_or_the_reason(void **state)
{
	const char *page = page_of(false);

	(void)state;
	has(page, "<h2>SYN-ACKs at saturation</h2>");
	has(page, "<tr><td>listen</td><td>1025<small>[1000, 1050]</small></td>");
	has(page, "1.00x<small>[1.00, 1.00]</small>");
	has(page, "<tr><td>&lt;i&gt;peer</td><td>-</td>");
	has(page, "per s not taken: it said &lt;script&gt;&#39;no&#39;&lt;/script&gt;");
	has(page, "<h2>hand-offs a second</h2>");
	has_not(page, "<h2>connect(), idle");
}

static void has_the_goals_with_verdicts(void **state)
{
	const char *page = page_of(false);

	(void)state;
	has(page, "<td>hand-offs a second on one thread</td><td>at least 80000</td><td>90000.00");
	has(page, "<td>6</td><td class=\"met\">met</td>");
}

static void nothing_that_it_was_told_is_markup(void **state)
{
	const char *page = page_of(false);

	(void)state;
	has_not(page, "<i>");
	has_not(page, "<script");
	has_not(page, "<fast>");
}

static void has_the_plots_without_their_declaration(void **state)
{
	const char *page;

	(void)state;
	write_file("latency.svg", "<svg>left from before</svg>\n");
	write_file("throughput.svg",
		   "<?xml version=\"1.0\"?>\n<!DOCTYPE svg>\n<svg>\n<g/></svg>\n");
	page = page_of(true);
	has(page, "<figure>\n<svg>\n<g/></svg>\n</figure>");
	has_not(page, "<?xml");
	has_not(page, "DOCTYPE svg");
	has_not(page, "left from before");
	has_not(page_of(false), "<figure>");
}

static void loads_nothing_and_is_readable_in_the_dark(void **state)
{
	const char *page = page_of(false);

	(void)state;
	has(page, "content=\"default-src 'none'; style-src 'unsafe-inline'\"");
	has(page, "prefers-color-scheme: dark");
	has_not(page, "http:");
	has_not(page, "https:");
	has_not(page, "src=");
	has_not(page, "url(");
	has_not(page, "<link");
}

static void a_plot_or_folder_that_is_missing_is_an_error(void **state)
{
	struct board board;
	char path[64];

	(void)state;
	path_of(path, "throughput.svg");
	unlink(path);
	open_board(&board);
	assert_int_equal(html_write(&board, dir, true), -ENOENT);
	assert_int_equal(html_write(&board, "/nonexistent", false), -ENOENT);
	board_close(&board);
}

static int make_dir(void **state)
{
	(void)state;
	return !mkdtemp(dir);
}

static int remove_dir(void **state)
{
	static const char *const names[] = {"report.html", "latency.svg", "throughput.svg"};
	char path[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(path, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_the_machine_the_command_line_and_its_warnings),
		cmocka_unit_test(has_each_figure_with_its_interval_or_the_reason),
		cmocka_unit_test(has_the_goals_with_verdicts),
		cmocka_unit_test(nothing_that_it_was_told_is_markup),
		cmocka_unit_test(has_the_plots_without_their_declaration),
		cmocka_unit_test(loads_nothing_and_is_readable_in_the_dark),
		cmocka_unit_test(a_plot_or_folder_that_is_missing_is_an_error),
	};

	return cmocka_run_group_tests_name("bench_html", tests, make_dir, remove_dir);
}
