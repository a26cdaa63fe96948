/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The terminal, by ncurses: lines of text, keys, and what it was before, whatever ends the program but SIGKILL. */
#ifndef NOLISTEN_SCREEN_H
#define NOLISTEN_SCREEN_H

#include <stdbool.h>

#include "view.h"

enum screen_key {
	SCREEN_KEY_NONE,
	SCREEN_KEY_LEFT,
	SCREEN_KEY_RIGHT,
	SCREEN_KEY_OTHER, /* a letter */
};

/* -ENOTTY: standard input or output is no terminal; -ENODEV: it is of a type that is not known, or cannot do it. */
int screen_open(void);
void screen_close(void);
/* Of the terminal as it is now. */
void screen_resize(void);
int screen_rows(void);
/* What does not fit is cut off. status: the last row, "" if there is none. */
void screen_draw(const struct view *view, const char *status);
/* The next key that has been pressed, if any; *letter of SCREEN_KEY_OTHER. -EIO: there will be no more. */
int screen_read_key(enum screen_key *key, int *letter);

#endif
