/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A small event loop over epoll: descriptors with callbacks, one-shot and periodic timers, signals. */
#ifndef NOLISTEN_LOOP_H
#define NOLISTEN_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>

struct loop;
struct loop_source;

/* events: EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR as epoll_wait() gave them. */
typedef void (*loop_fn)(void *context, uint32_t events);

int loop_new(struct loop **out);
void loop_free(struct loop *loop);

/*
 * Watch fd (not owned). The source may be removed from inside any callback, its own included, and is not called
 * after that. Remove it before fd is closed. out: NULL if it stays until loop_free().
 */
int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn fn, void *context,
	     struct loop_source **out);
int loop_change(struct loop_source *source, uint32_t events);
void loop_remove(struct loop_source *source); /* NULL is legal */
/* The same, when fd is closed at once: that ends the watching as well, with a system call less. */
void loop_forget(struct loop_source *source);

/* A timerfd every period_ms (-EINVAL: 0); a callback that removes its source makes it one-shot. */
int loop_add_timer(struct loop *loop, uint64_t period_ms, loop_fn fn, void *context,
		   struct loop_source **out);

/*
 * Call fn for SIGINT, SIGTERM or what else is in the list (ended by 0), which become blocked and stay so; events is
 * the signal's number; LOOP_HANG_UP in place of SIGHUP if the kernel has sent that, since the terminal is gone.
 */
#define LOOP_HANG_UP 0x100u
int loop_add_signals(struct loop *loop, const int *signals, loop_fn fn, void *context,
		     struct loop_source **out);

/* Run callbacks of what is ready; wait up to timeout_ms for something (-1: for ever, 0: do not wait). Number of callbacks, or -errno; a signal's EINTR is 0. */
int loop_wait(struct loop *loop, int timeout_ms);

#endif
