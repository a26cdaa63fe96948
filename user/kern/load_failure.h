/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Why the kernel did not take an object. libbpf tells it by its print callback alone, in several messages, the verifier's
 * log among them, which has the reason at its end: they are caught while an object is loaded, and cut down to what
 * people need. Of one thread at a time.
 */
#ifndef NOLISTEN_LOAD_FAILURE_H
#define NOLISTEN_LOAD_FAILURE_H

#include <stdbool.h>

#define LOAD_LOG_LINES 20 /* of the verifier's log, the last ones */
#define LOAD_LOG_SIZE 8192
#define LOAD_NAME_SIZE 64
#define LOAD_REASON_SIZE 320
#define LOAD_TEXT_SIZE (LOAD_NAME_SIZE + LOAD_REASON_SIZE + 32)

struct load_failure {
	int err; /* -errno; 0: none */
	bool is_rejected; /* by the verifier: reason is its last word */
	bool is_map; /* name is a map's, not a program's */
	char name[LOAD_NAME_SIZE]; /* "": neither's fault */
	char reason[LOAD_REASON_SIZE]; /* one line */
	char log[LOAD_LOG_SIZE]; /* whole lines; "": the verifier had nothing to say */
};

/* From now on libbpf's messages go to our log (-v, its debug messages -vv), wherever they come from. */
void load_log_open(void);

/* Catch them for *out, until load_log_end(), with what the load came to (0: *out is empty). Answers err. */
void load_log_begin(struct load_failure *out);
int load_log_end(int err);

/* A failure of our own: what cannot be done. Answers err. */
int load_failure_set(struct load_failure *out, int err, const char *what);
/* The same in words that need no error's text behind them. */
int load_failure_say(struct load_failure *out, int err, const char *why);

/* One line: "nol_tc_egress is rejected by the verifier: R1 invalid mem access 'scalar'". */
void load_failure_format(const struct load_failure *failure, char text[LOAD_TEXT_SIZE]);
/* The end of the verifier's log, for -v. */
void load_failure_log(const struct load_failure *failure);

/* Why a BPF program could not be loaded or attached, where there is no log, for people. */
const char *load_error_text(int err);

#endif
