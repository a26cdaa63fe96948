/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An event as a line for people. Seen by events.c only. */
#ifndef NOLISTEN_EVENT_TEXT_H
#define NOLISTEN_EVENT_TEXT_H

#include "event_line.h"
#include "events.h"

void event_text_build(struct event_line *line, const struct event *event);

#endif
