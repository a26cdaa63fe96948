/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 160
#define NUMBER_SIZE 32

/* Names of interfaces and services are somebody's own: what is no printable ASCII might be an order to the terminal. */
static void make_plain(char *text)
{
	for (; *text; text++)
		if (!isascii((unsigned char)*text) || !isprint((unsigned char)*text))
			*text = '?';
}

void view_add(struct view *view, enum view_style style, const char *format, ...)
{
	struct view_line *line = &view->lines[view->count];
	va_list args;

	if (view->count == VIEW_LINES_MAX)
		return;
	view->count++;
	line->style = style;
	va_start(args, format);
	vsnprintf(line->text, sizeof(line->text), format, args);
	va_end(args);
	make_plain(line->text);
}

static void join_texts(const json_t *texts, char *out, size_t size)
{
	const json_t *one;
	size_t index, len = 0;

	snprintf(out, size, "none");
	json_array_foreach(texts, index, one) if (len < size) len += (size_t)snprintf(
		out + len, size - len, "%s%s", index ? ", " : "", json_string_value(one));
}

/* "handed_off 12, closed 3" */
static void join_counts(const json_t *counts, char *out, size_t size)
{
	const char *name;
	json_t *count;
	size_t len = 0;

	snprintf(out, size, "none");
	json_object_foreach((json_t *)counts, name, count) if (len < size) len +=
		(size_t)snprintf(out + len, size - len, "%s%s %lld", len ? ", " : "", name,
				 (long long)json_integer_value(count));
}

static const char *format_rate(double per_s, char text[NUMBER_SIZE])
{
	if (per_s < 0)
		snprintf(text, NUMBER_SIZE, "-");
	else
		snprintf(text, NUMBER_SIZE, per_s < 10 && per_s > 0 ? "%.1f" : "%.0f", per_s);
	return text;
}

static const char *format_bound(int64_t us, char text[NUMBER_SIZE])
{
	if (!us)
		snprintf(text, NUMBER_SIZE, "-");
	else if (us < 0)
		snprintf(text, NUMBER_SIZE, ">10s");
	else if (us < 1000)
		snprintf(text, NUMBER_SIZE, "<=%lldus", (long long)us);
	else if (us < 1000000)
		snprintf(text, NUMBER_SIZE, "<=%lldms", (long long)us / 1000);
	else
		snprintf(text, NUMBER_SIZE, "<=%llds", (long long)us / 1000000);
	return text;
}

static void format_up(int64_t up_s, char text[NUMBER_SIZE])
{
	const long long s = (long long)up_s;

	if (s < 3600)
		snprintf(text, NUMBER_SIZE, "%lldm%02llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, NUMBER_SIZE, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		snprintf(text, NUMBER_SIZE, "%lldd%02lldh", s / 86400, s / 3600 % 24);
}

static void add_header(struct view *view, const struct figures *figures)
{
	char up[NUMBER_SIZE], addresses[TEXT_SIZE];

	format_up(figures->up_s, up);
	join_texts(figures->addresses, addresses, sizeof(addresses));
	view_add(view, VIEW_TITLE, "%s: method %s, xdp %s, guard %s, up %s, pid %lld, workers %lld",
		 figures->ifname, figures->method, figures->xdp, figures->tc, up,
		 (long long)figures->pid, (long long)figures->workers);
	view_add(view, VIEW_PLAIN, "answers ports %s with %s on %s", figures->ports,
		 figures->service, addresses);
}

static void add_rates(struct view *view, const struct figures *figures)
{
	static const char *const names[FIGURE_RATES] = {
		[FIGURE_SYN] = "SYN",
		[FIGURE_ESTABLISHED] = "established",
		[FIGURE_HANDED_OFF] = "handed off",
		[FIGURE_CLOSED] = "closed",
		[FIGURE_REFUSED] = "refused",
		[FIGURE_RST_DROPPED] = "RST dropped",
		[FIGURE_EVENTS_LOST] = "events lost",
	};
	char halves[2][TEXT_SIZE / 2], rate[NUMBER_SIZE];

	view_add(view, VIEW_HEAD, "%-11s %10s %14s     %-11s %10s %14s", "", "A SECOND", "TOTAL",
		 "", "A SECOND", "TOTAL");
	for (size_t i = 0; i < FIGURE_RATES; i += 2) {
		bool is_alarm = false;

		memset(halves, 0, sizeof(halves));
		for (size_t j = i; j < i + 2 && j < FIGURE_RATES; j++) {
			const struct figure *one = &figures->rates[j];

			is_alarm |=
				one->per_s > 0 && (j == FIGURE_REFUSED || j == FIGURE_EVENTS_LOST);
			snprintf(halves[j - i], sizeof(halves[0]), "%-11s %10s %14lld", names[j],
				 format_rate(one->per_s, rate), (long long)one->total);
		}
		view_add(view, is_alarm ? VIEW_ALARM : VIEW_PLAIN, "%s%s%s", halves[0],
			 *halves[1] ? "     " : "", halves[1]);
	}
}

static void add_times(struct view *view, const struct figures *figures)
{
	char texts[4][NUMBER_SIZE];

	view_add(view, VIEW_PLAIN, "handshake p50 %s p99 %s   hand-off p50 %s p99 %s",
		 format_bound(figures->handshake.p50_us, texts[0]),
		 format_bound(figures->handshake.p99_us, texts[1]),
		 format_bound(figures->handoff.p50_us, texts[2]),
		 format_bound(figures->handoff.p99_us, texts[3]));
	view_add(view, VIEW_PLAIN, "flows %lld, half-open %lld, served %lld",
		 (long long)figures->flows, (long long)figures->half_open,
		 (long long)figures->connections);
}

static void add_drops(struct view *view, const struct figures *figures)
{
	char text[VIEW_LINE_SIZE] = "", rate[NUMBER_SIZE];
	bool is_alarm = false;
	size_t len = 0;

	for (size_t i = 0; i < figures->drop_count && len < sizeof(text); i++) {
		const struct figure *drop = &figures->drops[i];

		is_alarm |= drop->per_s > 0;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %s/s (%lld)",
					i ? ", " : "", drop->name, format_rate(drop->per_s, rate),
					(long long)drop->total);
	}
	view_add(view, is_alarm ? VIEW_ALARM : VIEW_PLAIN, "drops: %s", len ? text : "none");
}

static void add_sources(struct view *view, const struct figures *figures, enum figures_sort sort,
			size_t rows)
{
	char states[TEXT_SIZE], methods[TEXT_SIZE];
	const char *mark = "*";

	join_counts(figures->states, states, sizeof(states));
	join_counts(figures->methods, methods, sizeof(methods));
	view_add(view, VIEW_PLAIN, "states: %s   methods: %s%s", states, methods,
		 figures->is_sample ? "   (of a sample)" : "");
	view_add(view, VIEW_HEAD, "%-39s %9s%s %9s%s %10s%s %6s",
		 sort == SORT_SOURCE ? "SOURCE*" : "SOURCE", "FLOWS",
		 sort == SORT_FLOWS ? mark : " ", "HALF-OPEN", sort == SORT_HALF_OPEN ? mark : " ",
		 "HANDED-OFF", sort == SORT_HANDED_OFF ? mark : " ", "SHARE");
	for (size_t i = 0; i < figures->source_count && i < rows; i++) {
		const struct figure_source *source = &figures->sources[i];

		view_add(view, VIEW_PLAIN, "%-39s %9lld  %9lld  %10lld  %5.1f%%", source->source,
			 (long long)source->flows, (long long)source->half_open,
			 (long long)source->handed_off,
			 figures->sampled ? 100.0 * (double)source->flows / (double)figures->sampled
					  : 0.0);
	}
	if (!figures->source_count)
		view_add(view, VIEW_PLAIN, "no flow");
}

void view_add_figures(struct view *view, const struct figures *figures, enum figures_sort sort,
		      size_t rows)
{
	add_header(view, figures);
	add_rates(view, figures);
	add_times(view, figures);
	add_drops(view, figures);
	add_sources(view, figures, sort, rows);
}
