/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Messages for people: one line each on standard error, "program: text". */
#ifndef NOLISTEN_LOG_H
#define NOLISTEN_LOG_H

#include <stdarg.h>

enum log_level {
	LOG_ERROR,
	LOG_WARNING,
	LOG_INFO,
	LOG_DEBUG,
	LOG_TRACE, /* what libraries have to say */
};

/* Without log_open() the program is "nolisten" and the level LOG_INFO. The name is kept, not copied. */
void log_open(const char *program, enum log_level level);
enum log_level log_level(void);
/* The last error of this thread, for who tells it in another way as well; "": there was none. */
const char *log_last_error(void);

/* Each line of the text becomes a message; empty ones are left out. errno is kept. */
void log_print(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_vprint(enum log_level level, const char *format, va_list args);

#define log_error(...) log_print(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_print(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_print(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_print(LOG_DEBUG, __VA_ARGS__)

#endif
