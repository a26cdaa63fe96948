/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --pin: what goes over from one loader to the next. */
#ifndef NOLISTEN_KEEPING_H
#define NOLISTEN_KEEPING_H

#include <stdbool.h>

#include "method.h"
#include "workers.h"

/* Attached, and the workers work: what has waited is taken. Nothing happens if no loader has left anything. */
void keeping_take_over(const struct method *method, struct workers *workers);
/* Will what is attached stay when we go? */
bool keeping_is_on(const struct method *method);
/* Finish what is begun, a second at most; what comes from now on waits for the next loader. */
void keeping_let_go(const struct method *method, struct workers *workers);
/* -ENOLINK, logged: somebody has detached a program. */
int keeping_check(const struct method *method);
/* It was attached, and cannot begin: gone with us, unless there was something to go on. */
void keeping_fail(const struct method *method);
/* What is left of it is of no use to anybody. */
void keeping_end(const struct method *method);

#endif
