/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One loop over keys, signals and the loader's answer, so that a loader that stands still is no reason for the keys to. A loader that
 * goes away is waited for.
 */
#include "top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "ask.h"
#include "clock.h"
#include "log.h"
#include "screen.h"

#define ANSWER_S 3 /* so long a loader has time to answer */
#define HEADER_ROWS 12 /* above the sources */

struct live {
	const struct top_options *options;
	char ifname[ASK_IFNAME_SIZE];
	enum figures_sort sort;
	bool is_paused, has_help, is_over;
	struct reading now, before;
	int fd; /* of a question; -1: none is asked */
	int signal_fd;
	uint64_t asked_ns, next_ns;
	char why[ASK_WHY_SIZE]; /* there is nothing to see; "": there is */
	struct ask_names names;
	struct figures figures;
	struct view view;
};

static const char *const help[] = {
	"",
	"  q        quit",
	"  f h o s  sort sources: by flows, half-open, handed off, or by address",
	"  p space  pause, and go on",
	"  < >      the loader of another interface (arrow keys too)",
	"  ?        this help, and back",
	"",
	"  Rates are of the time between two looks; totals since the loader's start.",
	"  p50 and p99 are bounds that half and 99 of 100 stayed below, in between.",
	"  Sources are counted in 16384 flows at most, a sample of a larger table.",
	NULL,
};

static void draw(struct live *live)
{
	const size_t rows = screen_rows() > HEADER_ROWS ? (size_t)(screen_rows() - HEADER_ROWS) : 1;
	char status[VIEW_LINE_SIZE];

	live->view.count = 0;
	if (live->has_help) {
		view_add(&live->view, VIEW_TITLE, "nolisten top");
		for (const char *const *line = help; *line; line++)
			view_add(&live->view, VIEW_PLAIN, "%s", *line);
	} else if (*live->why) {
		view_add(&live->view, VIEW_TITLE, "nolisten top");
		view_add(&live->view, VIEW_ALARM, "%s%s%s; waiting for one", live->ifname,
			 *live->ifname ? ": " : "", live->why);
	} else if (live->now.status) {
		figures_read(&live->figures, &live->now, &live->before, live->sort);
		view_add_figures(&live->view, &live->figures, live->sort, rows);
	}
	snprintf(status, sizeof(status), "q quit  ? help  f h o s sort  p pause  < > interface%s",
		 live->is_paused ? "  PAUSED" : "");
	screen_draw(&live->view, status);
}

static void forget(struct live *live)
{
	reading_clear(&live->now);
	reading_clear(&live->before);
}

static void miss(struct live *live, const char *why)
{
	if (why != live->why)
		snprintf(live->why, sizeof(live->why), "%s", why);
	forget(live);
}

static void end_question(struct live *live)
{
	if (live->fd >= 0)
		close(live->fd);
	live->fd = -1;
}

/* Without an interface that was asked for: the first one that there is, once the last one is gone. */
static void choose(struct live *live)
{
	ask_list(&live->names, live->ifname);
	if (live->options->ifname || !live->names.count)
		return;
	for (size_t i = 0; i < live->names.count; i++)
		if (!strcmp(live->names.names[i], live->ifname))
			return;
	snprintf(live->ifname, sizeof(live->ifname), "%s", live->names.names[0]);
	forget(live);
}

static void ask(struct live *live)
{
	live->asked_ns = clock_monotonic_ns();
	live->next_ns = live->asked_ns + live->options->delay_s * (uint64_t)CLOCK_NS_PER_S;
	choose(live);
	if (!*live->ifname) {
		miss(live, "no loader runs in this network namespace");
		return;
	}
	live->fd = ask_begin(live->ifname, live->options->ifname, live->why);
	if (live->fd < 0)
		miss(live, live->why);
}

static void take_answer(struct live *live)
{
	struct reading next = {0};
	int err = ask_take(live->fd, &next, live->why);

	live->fd = -1;
	if (err) {
		miss(live, live->why);
		return;
	}
	live->why[0] = '\0';
	reading_clear(&live->before);
	live->before = live->now;
	live->now = next;
}

/* Round and round. */
static void step(struct live *live, bool is_forward)
{
	size_t at = 0;

	choose(live);
	if (live->names.count < 2)
		return;
	while (at < live->names.count && strcmp(live->names.names[at], live->ifname))
		at++;
	at = (at + (is_forward ? 1 : live->names.count - 1)) % live->names.count;
	snprintf(live->ifname, sizeof(live->ifname), "%s", live->names.names[at]);
	end_question(live);
	forget(live);
	live->next_ns = 0;
}

static void take_letter(struct live *live, int letter)
{
	switch (letter) {
	case 'q':
	case 3: /* Ctrl-C, where the terminal makes no signal of it */
		live->is_over = true;
		break;
	case 'f':
		live->sort = SORT_FLOWS;
		break;
	case 'h':
		live->sort = SORT_HALF_OPEN;
		break;
	case 'o':
		live->sort = SORT_HANDED_OFF;
		break;
	case 's':
		live->sort = SORT_SOURCE;
		break;
	case 'p':
	case ' ':
		live->is_paused = !live->is_paused;
		break;
	case '<':
	case '>':
		step(live, letter == '>');
		break;
	case '?':
		live->has_help = !live->has_help;
		break;
	}
}

static void take_keys(struct live *live)
{
	enum screen_key key;
	int letter;

	do {
		if (screen_read_key(&key, &letter))
			live->is_over = true;
		if (key == SCREEN_KEY_LEFT || key == SCREEN_KEY_RIGHT)
			step(live, key == SCREEN_KEY_RIGHT);
		else if (key == SCREEN_KEY_OTHER)
			take_letter(live, letter);
	} while (key != SCREEN_KEY_NONE && !live->is_over);
}

static void take_signal(struct live *live)
{
	struct signalfd_siginfo info;

	if (read(live->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH)
		screen_resize();
	else
		live->is_over = true;
}

static int ms_until(uint64_t then_ns)
{
	const uint64_t now_ns = clock_monotonic_ns();

	return then_ns > now_ns ? (int)((then_ns - now_ns) / CLOCK_NS_PER_MS) + 1 : 0;
}

static void wait_and_take(struct live *live)
{
	struct pollfd fds[] = {
		{.fd = live->signal_fd, .events = POLLIN},
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = live->fd, .events = POLLIN},
	};
	const uint64_t until_ns =
		live->fd < 0 ? live->next_ns : live->asked_ns + ANSWER_S * (uint64_t)CLOCK_NS_PER_S;

	if (poll(fds, 3, live->is_paused && live->fd < 0 ? -1 : ms_until(until_ns)) < 0)
		return;
	if (fds[0].revents)
		take_signal(live);
	if (fds[2].revents)
		take_answer(live);
	if (fds[1].revents & (POLLERR | POLLNVAL))
		live->is_over = true;
	else if (fds[1].revents)
		take_keys(live);
}

static void look(struct live *live)
{
	if (live->fd >= 0 &&
	    clock_monotonic_ns() >= live->asked_ns + ANSWER_S * (uint64_t)CLOCK_NS_PER_S) {
		end_question(live);
		miss(live, "the loader does not answer");
	}
	if (live->fd < 0 && !live->is_paused && clock_monotonic_ns() >= live->next_ns)
		ask(live);
}

static int open_signals(sigset_t *old)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, old);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Where nobody is there at the start, it is more use to say so than to wait in a full screen. */
static int check(const struct top_options *options)
{
	struct reading reading = {0};
	struct ask_names names;
	char why[ASK_WHY_SIZE];
	int err = 0;

	ask_list(&names, NULL);
	if (options->ifname)
		err = ask_once(options->ifname, true, &reading, why);
	else if (!names.count)
		err = -ECONNREFUSED;
	if (err && options->ifname)
		log_error("%s: %s", options->ifname, why);
	else if (err)
		log_error("no loader runs in this network namespace");
	reading_clear(&reading);
	return err;
}

static int open_terminal(void)
{
	const char *type = getenv("TERM");
	int err = screen_open();

	if (err == -ENOTTY)
		log_error("top: this is no terminal: use --once or --batch");
	else if (err)
		log_error("top: the terminal's type %s is not known: use --once or --batch",
			  type && *type ? type : "(TERM)");
	return err;
}

static void run(struct live *live)
{
	while (!live->is_over) {
		look(live);
		draw(live);
		wait_and_take(live);
	}
}

int top_live(const struct top_options *options)
{
	struct live *live;
	sigset_t old;
	int err = check(options);

	if (err)
		return err;
	live = calloc(1, sizeof(*live));
	if (!live)
		return -ENOMEM;
	live->options = options;
	live->sort = options->sort;
	live->fd = -1;
	snprintf(live->ifname, sizeof(live->ifname), "%s", options->ifname ? options->ifname : "");
	live->signal_fd = open_signals(&old);
	err = live->signal_fd < 0 ? -errno : open_terminal();
	if (!err)
		run(live);
	screen_close();
	end_question(live);
	forget(live);
	if (live->signal_fd >= 0)
		close(live->signal_fd);
	sigprocmask(SIG_SETMASK, &old, NULL);
	free(live);
	return err;
}
