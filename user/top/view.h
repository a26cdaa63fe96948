/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The figures as lines of text, the same for a terminal and for a file. Nothing in them moves a cursor. */
#ifndef NOLISTEN_VIEW_H
#define NOLISTEN_VIEW_H

#include "figures.h"

#define VIEW_LINES_MAX 120
#define VIEW_LINE_SIZE 256

enum view_style {
	VIEW_PLAIN,
	VIEW_TITLE,
	VIEW_HEAD, /* of a table */
	VIEW_ALARM, /* something is lost */
};

struct view_line {
	enum view_style style;
	char text[VIEW_LINE_SIZE];
};

struct view {
	struct view_line lines[VIEW_LINES_MAX];
	size_t count;
};

/* Adds them. rows: of sources, at most. */
void view_add_figures(struct view *view, const struct figures *figures, enum figures_sort sort,
		      size_t rows);
void view_add(struct view *view, enum view_style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
