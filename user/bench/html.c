/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Nothing is loaded, and the page says so itself: its Content-Security-Policy allows its own style alone. */
#include "html.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "goals.h"
#include "plot.h"
#include "sheet.h"

static const char page_head[] =
	"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" "
	"content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n<title>nolisten bench</title>\n"
	"<style>\n"
	":root { color-scheme: light dark; --text: #1c1e21; --page: #ffffff; --line: #d5d9de; "
	"--faint: #5c646d; --good: #12702f; --bad: #b3261e; }\n"
	"@media (prefers-color-scheme: dark) { :root { --text: #e4e6e9; --page: #16181b; "
	"--line: #3b4047; --faint: #a3abb4; --good: #63c983; --bad: #ff8d83; } }\n"
	"body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); "
	"max-width: 75rem; margin: 0 auto; padding: 1.5rem; }\n"
	"h1 { font-size: 1.6rem; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .5rem; }\n"
	"code { overflow-wrap: anywhere; }\n"
	".wide { overflow-x: auto; }\n"
	"table { border-collapse: collapse; font-variant-numeric: tabular-nums; }\n"
	"th, td { border-bottom: 1px solid var(--line); padding: .3rem .7rem; text-align: right; "
	"vertical-align: top; white-space: nowrap; }\n"
	"th:first-child, td:first-child, .text { text-align: left; }\n"
	".text { white-space: normal; min-width: 12rem; }\n"
	"small, .text { color: var(--faint); } small { display: block; }\n"
	".met { color: var(--good); } .missed { color: var(--bad); font-weight: 600; }\n"
	"figure { margin: 1.5rem 0; }\n"
	"figure svg { max-width: 100%; height: auto; border-radius: 6px; background: #ffffff; }\n"
	"</style>\n</head>\n<body>\n<h1>nolisten bench</h1>\n";

void html_escape(FILE *file, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", file);
			break;
		case '<':
			fputs("&lt;", file);
			break;
		case '>':
			fputs("&gt;", file);
			break;
		case '"':
			fputs("&quot;", file);
			break;
		case '\'':
			fputs("&#39;", file);
			break;
		default:
			fputc((unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text, file);
		}
	}
}

/* <TAG>text</TAG>; tag may have attributes. */
static void write_element(FILE *file, const char *tag, const char *text)
{
	fprintf(file, "<%s>", tag);
	html_escape(file, text);
	fprintf(file, "</%.*s>", (int)strcspn(tag, " "), tag);
}

static void write_interval(FILE *file, const struct interval *interval, int decimals,
			   const char *unit)
{
	fprintf(file, "%.*f%s", decimals, interval->value, unit);
	if (isfinite(interval->low) && isfinite(interval->high))
		fprintf(file, "<small>[%.*f, %.*f]</small>", decimals, interval->low, decimals,
			interval->high);
}

static void write_value(FILE *file, const struct board *board, const char *name, const char *figure,
			int decimals)
{
	struct interval value;

	fputs("<td>", file);
	if (board_get(board, name, figure, &value))
		write_interval(file, &value, decimals, "");
	else
		fputs("-", file);
	fputs("</td>", file);
}

static void write_ratio(FILE *file, const struct board *board, const struct sheet *sheet,
			const char *name, const char *reference, const char *figure)
{
	struct interval ratio;

	fputs("<td>", file);
	if (board_compare(board, name, sheet->compared, reference, figure, &ratio))
		write_interval(file, &ratio, ratio.value < 0.1 ? 3 : 2, "x");
	else
		fputs("-", file);
	fputs("</td>", file);
}

/* Why the first of the missing figures is. */
static void write_reason(FILE *file, const struct board *board, const struct sheet *sheet,
			 const char *name)
{
	struct interval ignored;
	char text[SAMPLES_REASON_SIZE + 64];

	for (const struct figure *figure = sheet->figures; figure->name; figure++) {
		if (board_get(board, name, figure->name, &ignored))
			continue;
		snprintf(text, sizeof(text), "%s not taken: %s", figure->title,
			 board_reason(board, name, figure->name));
		write_element(file, "td class=\"text\"", text);
		return;
	}
	fputs("<td></td>", file);
}

static void write_row(FILE *file, const struct board *board, const struct sheet *sheet,
		      const struct board_row *row)
{
	fputs("<tr>", file);
	write_element(file, "td", row->name);
	for (const struct figure *figure = sheet->figures; figure->name; figure++)
		write_value(file, board, row->name, figure->name, figure->decimals);
	if (sheet->compared)
		write_ratio(file, board, sheet, row->name, SHEET_KERNEL, sheet->compared);
	if (sheet->limit)
		write_ratio(file, board, sheet, row->name, SHEET_LIMIT, sheet->limit);
	write_reason(file, board, sheet, row->name);
	fputs("</tr>\n", file);
}

static void begin_table(FILE *file, const char *title)
{
	write_element(file, "h2", title);
	fputs("\n<div class=\"wide\"><table>\n", file);
}

static void end_table(FILE *file)
{
	fputs("</table></div>\n", file);
}

static void write_sheet_head(FILE *file, const struct sheet *sheet)
{
	begin_table(file, sheet->title);
	fputs("<tr><th></th>", file);
	for (const struct figure *figure = sheet->figures; figure->name; figure++)
		write_element(file, "th", figure->title);
	fputs(sheet->compared ? "<th>x kernel</th>" : "", file);
	fputs(sheet->limit ? "<th>x limit</th>" : "", file);
	fputs("<th></th></tr>\n", file);
}

static void write_sheet(FILE *file, const struct board *board, const struct sheet *sheet)
{
	bool has_head = false;

	for (unsigned int i = 0; i < board->row_count; i++) {
		const struct board_row *row = &board->rows[i];

		if (row->is_unknown || !board_find(board, row->name, sheet->figures[0].name))
			continue;
		if (!has_head)
			write_sheet_head(file, sheet);
		has_head = true;
		write_row(file, board, sheet, row);
	}
	if (has_head)
		end_table(file);
}

static void write_handoff(FILE *file, const struct board *board)
{
	bool has_head = false;
	char figure[32];

	for (unsigned int threads = 1; threads <= HANDOFF_THREADS_MAX; threads *= 2) {
		snprintf(figure, sizeof(figure), "handoff.%u.per_s", threads);
		if (!board_find(board, HANDOFF_NAME, figure))
			continue;
		if (!has_head) {
			begin_table(file, "hand-offs a second");
			fputs("<tr><th>threads</th><th>per s</th></tr>\n", file);
		}
		has_head = true;
		fprintf(file, "<tr><td>%u</td>", threads);
		write_value(file, board, HANDOFF_NAME, figure, 0);
		fputs("</tr>\n", file);
	}
	if (has_head)
		end_table(file);
}

static void write_goal(FILE *file, const struct goal_result *result)
{
	static const char *const cells[] = {[GOAL_MET] = "td class=\"met\"",
					    [GOAL_MISSED] = "td class=\"missed\"",
					    [GOAL_UNSETTLED] = "td",
					    [GOAL_UNKNOWN] = "td"};

	fputs("<tr>", file);
	write_element(file, "td", result->text);
	write_element(file, "td", result->limit);
	fputs("<td>", file);
	if (result->state == GOAL_UNKNOWN)
		fputs("-", file);
	else
		write_interval(file, &result->interval, 2, "");
	fprintf(file, "</td><td>%u</td>", result->interval.count);
	write_element(file, cells[result->state], goal_verdict(result->state));
	write_element(file, "td class=\"text\"",
		      result->state == GOAL_UNKNOWN ? result->reason : "");
	fputs("</tr>\n", file);
}

static void write_goals(FILE *file, const struct board *board)
{
	struct goal_result result;
	bool has_head = false;

	for (size_t i = 0; i < goal_count(); i++) {
		if (!goal_judge(board, i, &result))
			continue;
		if (!has_head) {
			begin_table(file, "goals");
			fputs("<tr><th></th><th>limit</th><th>median</th><th>rounds</th>"
			      "<th>verdict</th><th></th></tr>\n",
			      file);
		}
		has_head = true;
		write_goal(file, &result);
	}
	if (has_head)
		end_table(file);
}

static void write_machine(FILE *file, const struct board *board)
{
	char text[MACHINE_TEXT_SIZE];

	if (board->command) {
		fputs("<p>", file);
		write_element(file, "code", board->command);
		fputs("</p>\n", file);
	}
	write_element(file, "p", board->conditions);
	machine_describe(&board->machine, text);
	write_element(file, "p", text);
	fprintf(file,
		"\n<p>%u rounds. In brackets the 95 %% interval of the median, of shares that "
		"of the mean; fewer than %d rounds have none.</p>\n<ul>\n",
		board->rounds, INTERVAL_COUNT_MIN);
	for (size_t i = 0; machine_warning(&board->machine, i, text); i++)
		write_element(file, "li", text);
	fputs("</ul>\n", file);
}

/* From its element on: a declaration of XML has no place within HTML. */
static int inline_plot(FILE *file, const char *dir, const char *name)
{
	char *path, *line = NULL;
	size_t size = 0;
	bool is_in = false;
	FILE *plot;
	int err = 0;

	if (asprintf(&path, "%s/%s.svg", dir, name) < 0)
		return -ENOMEM;
	plot = fopen(path, "re");
	if (!plot)
		err = -errno;
	while (plot && getline(&line, &size, plot) >= 0) {
		is_in = is_in || !strncmp(line, "<svg", strlen("<svg"));
		if (is_in)
			fputs(line, file);
	}
	if (plot)
		fclose(plot);
	free(line);
	free(path);
	return err;
}

static int write_plots(FILE *file, const struct board *board, const char *dir)
{
	const char *name;
	int err = 0;

	for (size_t i = 0; !err && (name = plot_at(board, i)); i++) {
		fputs("<figure>\n", file);
		err = inline_plot(file, dir, name);
		fputs("</figure>\n", file);
	}
	return err;
}

static int write_page(FILE *file, const struct board *board, const char *dir, bool has_plots)
{
	int err = 0;

	fputs(page_head, file);
	write_machine(file, board);
	write_goals(file, board);
	if (has_plots)
		err = write_plots(file, board, dir);
	for (const struct sheet *sheet = sheet_table; sheet->name; sheet++)
		write_sheet(file, board, sheet);
	write_handoff(file, board);
	fputs("</body>\n</html>\n", file);
	return err;
}

int html_write(const struct board *board, const char *dir, bool has_plots)
{
	FILE *file = NULL;
	char *path;
	int err;

	if (asprintf(&path, "%s/report.html", dir) < 0)
		return -ENOMEM;
	file = fopen(path, "we");
	err = file ? 0 : -errno;
	free(path);
	if (!file)
		return err;
	err = write_page(file, board, dir, has_plots);
	if (ferror(file) && !err)
		err = -EIO;
	if (fclose(file) && !err)
		err = -errno;
	return err;
}
