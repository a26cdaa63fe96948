/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten meet: two hosts connect() to each other, and neither listens (RFC 9293, 3.5). */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "join.h"
#include "log.h"
#include "meet_command.h"
#include "meet_open.h"
#include "meet_options.h"
#include "meet_reason.h"
#include "meet_socket.h"

static int print_help(void)
{
	printf("Usage: nolisten meet LOCAL:PORT REMOTE:PORT [OPTION...] [-- COMMAND [ARGUMENT...]]\n"
	       "Connect two hosts by simultaneous open: run it on both, in any order, or on one\n"
	       "against a plain peer that calls connect() again and again.\n\n"
	       "  -c, --crossed          let both SYNs truly cross\n"
	       "  -t, --timeout=S        give up after so many seconds [30]\n\n"
	       "The connection is joined to standard input and output, or handed to COMMAND.\n");
	return STATUS_DONE;
}

/* They were blocked for the loop; from here on Ctrl-C ends us as it ends anybody. */
static void restore_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int use_connection(const struct meet_options *options, int fd)
{
	int err;

	meet_socket_settle(fd);
	if (options->command) {
		err = meet_command_exec(options->command, fd, &options->tuple);
		log_error("meet: cannot run '%s': %s", options->command[0], strerror(-err));
		return err;
	}
	err = join_socket(fd);
	if (err)
		log_error("meet: the connection ended: %s", strerror(-err));
	return err;
}

int meet_main(int argc, char **argv)
{
	struct meet_options options;
	struct meet_result result;
	int err;

	if (meet_options_parse(&options, argc, argv))
		return STATUS_USAGE;
	if (options.is_help)
		return print_help();
	err = meet_open(&options, &result);
	restore_signals();
	if (err) {
		meet_tell_failure(&options, &result, err);
		return STATUS_FAILED;
	}
	meet_tell_success(&options, &result);
	err = use_connection(&options, result.fd);
	close(result.fd);
	return err ? STATUS_FAILED : STATUS_DONE;
}
