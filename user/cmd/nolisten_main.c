/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten: the sub-commands as one table. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "log.h"
#include "version.h"

static const struct command {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *usage;
	const char *summary;
} commands[] = {
	{"flows", flows_main, "flows [-j] [IFACE]", "the live flow table"},
	{"status", status_main, "status [-j] [IFACE]", "what each loader does, and its counters"},
	{"self", self_main, "self ADDR PORT", "a socket connects to itself (--watch: by accident)"},
	{"meet", meet_main, "meet LOCAL REMOTE",
	 "two ends connect to each other, and neither listens"},
	{"explain", explain_main, "explain IFACE | --demo",
	 "what the kernel did with each handshake packet, and why"},
	{"bench", bench_main, "bench [OPTION...]", "ways to accept a connection, side by side"},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int print_help(void)
{
	printf("Usage: nolisten COMMAND [ARGUMENT...]\n"
	       "TCP connections without a listening socket: look, connect, explain.\n\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("  %-22s %s\n", commands[i].usage, commands[i].summary);
	printf("\n  -j                     JSON instead of a table\n"
	       "  -V, --version          print the version\n"
	       "  -?, --help             print this help\n");
	return STATUS_DONE;
}

static int print_version(void)
{
	printf("nolisten %s\n", NOLISTEN_VERSION);
	return STATUS_DONE;
}

static int run(int argc, char **argv)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(argv[0], commands[i].name) == 0)
			return commands[i].main(argc, argv);
	log_error("'%s': no such command (see nolisten --help)", argv[0]);
	return STATUS_USAGE;
}

static bool is_one_of(const char *text, const char *a, const char *b)
{
	return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

int main(int argc, char **argv)
{
	log_open("nolisten", LOG_INFO);
	if (argc < 2) {
		log_error("which command? (see nolisten --help)");
		return STATUS_USAGE;
	}
	if (is_one_of(argv[1], "-?", "--help") || is_one_of(argv[1], "-h", "help"))
		return print_help();
	if (is_one_of(argv[1], "-V", "--version"))
		return print_version();
	return run(argc - 1, argv + 1);
}
