/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Work for child processes: functions of our own and other programs, each in one place of a lab. All of them die with
 * the parent, and every wait for one of them is bounded and ends early (-EINTR) once an interrupt has come. What
 * a command starts is ended with it.
 */
#ifndef NOLISTEN_JOB_H
#define NOLISTEN_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lab.h"

#define JOB_REASON_SIZE 160
#define JOB_ANY_CPU -1

/* SIGINT, SIGTERM and SIGHUP are taken from now on, and let in only while the parent waits. */
int job_init(void);
bool job_is_interrupted(void);
/* -EINTR if an interrupt came meanwhile. */
int job_sleep(uint32_t ms);
/* Until the descriptor is readable: 0, -ETIMEDOUT, -EINTR. */
int job_await(int fd, uint32_t timeout_ms);

struct job {
	pid_t pid; /* 0: none */
	int pid_fd;
	int log_fd; /* of a command: what it says; -1 of a function */
};

/* Runs in the child; what it leaves in *result (shared with the parent) counts if it returns 0. */
typedef int (*job_fn)(const void *argument, void *result);

struct job_function {
	job_fn fn;
	const void *argument;
	void *result; /* from job_share() */
	enum lab_place place;
	int cpu; /* JOB_ANY_CPU */
};

struct job_command {
	char *const *argv; /* the first is looked for in PATH */
	const char *input; /* NULL: none */
	enum lab_place place;
	int cpu; /* used if is_pinned */
	bool is_pinned;
};

/* Zeroed memory that children share; never freed one by one. NULL and errno. */
void *job_share(size_t size);

/* lab: NULL for a job that stays where the caller is, here and below. */
int job_start(const struct lab *lab, const struct job_function *function, struct job *out);
int job_start_command(const struct lab *lab, const struct job_command *command, struct job *out);
/*
 * Until it ends: 0, the function's -errno, -EINTR, -ETIMEDOUT (then it was killed), -ECHILD if a signal ended it, or
 * the command's exit status, which is positive. *job is empty then, but for log_fd.
 */
int job_wait(struct job *job, uint32_t timeout_ms);
bool job_is_alive(const struct job *job);
/* SIGTERM twice, and after a while SIGKILL. The log is closed. Legal for an empty job. */
void job_stop(struct job *job);
/* The last line of the command's output, cut; "" if there is none. */
void job_last_line(const struct job *job, char reason[JOB_REASON_SIZE]);
/* Has the command said this, at the end of what it said? */
bool job_has_said(const struct job *job, const char *text);
/* Until it has: 0, -ECHILD if it ended without, -ETIMEDOUT, -EINTR. */
int job_await_text(const struct job *job, const char *text, uint32_t timeout_ms);

/* Start and wait. */
int job_run(const struct lab *lab, const struct job_function *function, uint32_t timeout_ms);
/* 0, or -errno and why. */
int job_run_command(const struct lab *lab, const struct job_command *command,
		    char reason[JOB_REASON_SIZE]);

#endif
