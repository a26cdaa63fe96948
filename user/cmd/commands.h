/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sub-commands of nolisten, one a file. argv[0] is the sub-command's name; the result is the exit status:
 * 0 done, 1 failed, 2 wrong usage.
 */
#ifndef NOLISTEN_COMMANDS_H
#define NOLISTEN_COMMANDS_H

#define STATUS_DONE 0
#define STATUS_FAILED 1
#define STATUS_USAGE 2

int bench_main(int argc, char **argv);
int explain_main(int argc, char **argv);
int flows_main(int argc, char **argv);
int status_main(int argc, char **argv);
int self_main(int argc, char **argv);
int meet_main(int argc, char **argv);

#endif
