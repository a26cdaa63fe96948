/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Colours are for terminals that have them, unless NO_COLOR is set; bold and reverse for those without. A crash leaves by what is safe
 * in a signal handler: the settings of the terminal and the strings that undo the rest are kept from the start.
 */
#include "screen.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <curses.h>

#define ESCAPE_MS 25
#define UNDO_SIZE 128
#define KEYS_WITHOUT_END 64 /* nothing was read so often though there was something: the end */

enum {
	PAIR_TITLE = 1,
	PAIR_ALARM,
};

static SCREEN *screen;
static bool has_colours;
static struct termios before;
static char undo[UNDO_SIZE];
static int last_read_errors;

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

static void restore_and_die(int signal)
{
	ssize_t ignored = write(STDOUT_FILENO, undo, strlen(undo));

	(void)ignored;
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	raise(signal); /* the handler was for once */
}

static void append(const char *capability)
{
	/* Neither these strings' delays nor their parameters matter. */
	const char *text = tigetstr((char *)capability);
	const size_t len = strlen(undo);

	if (text && text != (const char *)-1)
		snprintf(undo + len, sizeof(undo) - len, "%s", text);
}

static void prepare_for_crashes(void)
{
	struct sigaction action = {.sa_handler = restore_and_die, .sa_flags = SA_RESETHAND};

	undo[0] = '\0';
	append("sgr0");
	append("cnorm");
	append("rmcup");
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &action, NULL);
}

static void choose_colours(void)
{
	const char *none = getenv("NO_COLOR");

	has_colours = !(none && *none) && has_colors() && start_color() != ERR;
	if (!has_colours)
		return;
	use_default_colors();
	init_pair(PAIR_TITLE, COLOR_CYAN, -1);
	init_pair(PAIR_ALARM, COLOR_RED, -1);
}

int screen_open(void)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before))
		return -ENOTTY;
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return -ENODEV;
	set_term(screen);
	prepare_for_crashes();
	set_escdelay(ESCAPE_MS);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	choose_colours();
	return 0;
}

void screen_close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		signal(crashes[i], SIG_DFL);
}

void screen_resize(void)
{
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	clearok(stdscr, TRUE);
}

int screen_rows(void)
{
	return LINES;
}

static attr_t attributes_of(enum view_style style)
{
	switch (style) {
	case VIEW_TITLE:
		return A_BOLD | (has_colours ? COLOR_PAIR(PAIR_TITLE) : 0);
	case VIEW_HEAD:
		return A_REVERSE;
	case VIEW_ALARM:
		return A_BOLD | (has_colours ? COLOR_PAIR(PAIR_ALARM) : 0);
	case VIEW_PLAIN:
		break;
	}
	return A_NORMAL;
}

static void draw_line(int row, enum view_style style, const char *text)
{
	attrset(attributes_of(style));
	mvaddnstr(row, 0, text, COLS);
	/* The whole row of a table's head. */
	for (int column = (int)strlen(text); style == VIEW_HEAD && column < COLS; column++)
		mvaddch(row, column, ' ');
	attrset(A_NORMAL);
}

void screen_draw(const struct view *view, const char *status)
{
	const int rows = *status ? LINES - 1 : LINES;

	erase();
	for (int row = 0; row < rows && row < (int)view->count; row++)
		draw_line(row, view->lines[row].style, view->lines[row].text);
	if (*status && LINES > 0)
		draw_line(LINES - 1, VIEW_HEAD, status);
	refresh();
}

int screen_read_key(enum screen_key *key, int *letter)
{
	const int read = getch();

	*key = SCREEN_KEY_NONE;
	*letter = 0;
	if (read == ERR)
		return ++last_read_errors > KEYS_WITHOUT_END ? -EIO : 0;
	last_read_errors = 0;
	*key = read == KEY_LEFT	   ? SCREEN_KEY_LEFT
	       : read == KEY_RIGHT ? SCREEN_KEY_RIGHT
	       : read < KEY_MIN	   ? SCREEN_KEY_OTHER
				   : SCREEN_KEY_NONE;
	*letter = read;
	return 0;
}
