/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What came out of it, as one page that needs no other file. */
#ifndef NOLISTEN_HTML_H
#define NOLISTEN_HTML_H

#include <stdio.h>

#include "board.h"

/* DIR/report.html, with the plots that are in DIR if has_plots. -errno. */
int html_write(const struct board *board, const char *dir, bool has_plots);

/* Text in which nothing is markup, in an element or an attribute. */
void html_escape(FILE *file, const char *text);

#endif
