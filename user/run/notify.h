/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The supervisor's end of the filter: calls that wait for an answer. */
#ifndef NOLISTEN_NOTIFY_H
#define NOLISTEN_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct notify;

/* A system call that somebody has made, and that has not begun. */
struct call {
	uint64_t id;
	pid_t tid; /* the thread */
	int number;
	uint64_t arguments[6];
};

/* fd: of filter_install(); it is ours from now on, whatever comes of it. */
int notify_new(struct notify **out, int fd);
void notify_free(struct notify *notify);
/* Readable: somebody waits. EPOLLHUP: nobody is left under the filter. */
int notify_fd(const struct notify *notify);

/* After notify_fd() was readable: 0, or -errno; -ENOENT: whoever it was has been killed. */
int notify_receive(struct notify *notify, struct call *out);
/* Is it still waiting? What was read of its memory before is its own then, and not another process's of the same number. */
bool notify_is_waiting(const struct notify *notify, const struct call *call);

/* The answers: 0, or -errno, -ENOENT: nobody waits any more. A value below 0 is -errno. */
int notify_return(struct notify *notify, const struct call *call, int value);
/* Let the kernel do it, as if nobody had asked. */
int notify_continue(struct notify *notify, const struct call *call);
/* A copy of fd becomes a descriptor of the caller's, its number what the call returns. -EMFILE: the caller has no room. */
int notify_return_fd(struct notify *notify, const struct call *call, int fd, bool is_cloexec);

/* A copy of fd takes the place of the caller's descriptor. No answer yet. */
int notify_replace_fd(struct notify *notify, const struct call *call, int fd, int place,
		      bool is_cloexec);

#endif
