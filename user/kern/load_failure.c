/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* libbpf's messages, caught and read. What has not the form that it has in libbpf 1.1 is told as it is. */
#include "load_failure.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "log.h"

#define LOG_BEGIN "-- BEGIN PROG LOAD LOG --\n"
#define LOG_END "-- END PROG LOAD LOG --"

/* libbpf's own word in a log, where it went on without a map: why is in an earlier message. */
#define NO_MAP "is referenced but wasn't created"

static struct load_failure *caught; /* NULL: nobody wants to know */
static char first_message
	[LOAD_REASON_SIZE]; /* the nearest to the cause, if it has not a form that tells more */

static bool has_btf(void)
{
	return !access("/sys/kernel/btf/vmlinux", R_OK);
}

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* len bytes, lines joined and what else is not printable as spaces, as a string. */
static void copy_line(char *out, size_t size, const char *text, size_t len)
{
	size_t used = 0;

	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	for (size_t i = 0; i < len && used < size - 2; i++) {
		if (text[i] == '\n')
			out[used++] = ';';
		out[used++] = isprint((unsigned char)text[i]) ? text[i] : ' ';
	}
	while (used && out[used - 1] == ' ')
		used--;
	out[used] = '\0';
}

/* Where the last line of text[0..len) begins; its newline counts as part of it. */
static size_t last_line(const char *text, size_t len)
{
	if (len && text[len - 1] == '\n')
		len--;
	while (len && text[len - 1] != '\n')
		len--;
	return len;
}

/* What the verifier counts at its end, functions that it found good by themselves, and the states that it shows behind "infinite loop detected". */
static bool is_accounting(const char *line)
{
	return *line == '\n' || !*line || starts_with(line, "processed ") ||
	       starts_with(line, "verification time ") || starts_with(line, "stack depth ") ||
	       starts_with(line, "Func#") || starts_with(line, "Validating ") ||
	       starts_with(line, "cur state:") || starts_with(line, "old state:");
}

/* "12: (85) call", "12: R0=0", "from 3 to 12:", "; source". */
static bool is_trace(const char *line)
{
	return *line == ';' || starts_with(line, "from ") ||
	       (isdigit((unsigned char)*line) && line[strspn(line, "0123456789")] == ':');
}

/* Does line say why, and not only where? */
static bool is_telling(const char *line)
{
	return !is_accounting(line) && !is_trace(line);
}

/*
 * The last line that says something, and the one before it if that does too: "invalid access to memory, ...", "R3 min
 * value is outside ...". A trace that just ends says nothing.
 */
static void find_reason(const char *log, size_t len)
{
	size_t start = last_line(log, len), before;

	while (start && is_accounting(log + start)) {
		len = start;
		start = last_line(log, len);
	}
	if (start == len || !is_telling(log + start))
		return;
	before = last_line(log, start);
	if (before < start && is_telling(log + before))
		start = before;
	copy_line(caught->reason, sizeof(caught->reason), log + start, len - start);
	caught->is_rejected = !strstr(caught->reason, NO_MAP);
}

/* Its last lines, as many as are wanted and fit. */
static void keep_log(const char *log, size_t len)
{
	size_t start = len, next;

	for (int lines = 0; start && lines < LOAD_LOG_LINES; lines++) {
		next = last_line(log, start);
		if (len - next >= sizeof(caught->log))
			break;
		start = next;
	}
	memcpy(caught->log, log + start, len - start);
	caught->log[len - start] = '\0';
}

/* Behind "prog 'NAME': ", "map 'NAME': "; NULL: the message does not begin so. */
static const char *skip_name(const char *message, const char *kind, size_t *len)
{
	const char *name = message + strlen(kind), *end;

	if (!starts_with(message, kind))
		return NULL;
	end = strstr(name, "': ");
	*len = end ? end - name : 0;
	return end ? end + 3 : NULL;
}

static void set_name(const char *name, size_t len, bool is_map)
{
	copy_line(caught->name, sizeof(caught->name), name, len);
	caught->is_map = is_map;
	caught->is_rejected = false;
	caught->reason[0] = caught->log[0] = '\0';
}

static void read_program_message(const char *name, size_t len, const char *text)
{
	const char *end;

	if (starts_with(text, "BPF program load failed: ")) {
		set_name(name, len, false);
	} else if (starts_with(text, LOG_BEGIN)) {
		text += strlen(LOG_BEGIN);
		end = strstr(text, LOG_END);
		len = end ? (size_t)(end - text) : strlen(text);
		keep_log(text, len);
		find_reason(text, len);
	}
}

static void read_message(const char *message)
{
	const char *text;
	size_t len;

	if (starts_with(message, "libbpf: "))
		message += strlen("libbpf: ");
	text = skip_name(message, "prog '", &len);
	if (text)
		read_program_message(message + strlen("prog '"), len, text);
	text = skip_name(message, "map '", &len);
	if (text && starts_with(text, "failed to create: "))
		set_name(message + strlen("map '"), len, true);
	if (!first_message[0])
		copy_line(first_message, sizeof(first_message), message, strcspn(message, "\n"));
}

/* A failed load's log is told in one piece by who asked for it; all of it with -vv. */
static void relay(enum libbpf_print_level level, const char *message)
{
	if (level == LIBBPF_DEBUG || strstr(message, LOG_BEGIN))
		log_print(LOG_TRACE, "%s", message);
	else
		log_print(LOG_DEBUG, "%s", message);
}

static int take_message(enum libbpf_print_level level, const char *format, va_list args)
{
	const int saved_errno = errno;
	char *message;

	if (level == LIBBPF_DEBUG && log_level() < LOG_TRACE)
		return 0;
	if (vasprintf(&message, format, args) < 0)
		return 0;
	if (caught && level == LIBBPF_WARN)
		read_message(message);
	relay(level, message);
	free(message);
	errno = saved_errno;
	return 0;
}

void load_log_open(void)
{
	libbpf_set_print(take_message);
}

void load_log_begin(struct load_failure *out)
{
	load_log_open();
	*out = (struct load_failure){0};
	first_message[0] = '\0';
	caught = out;
}

/* Where the verifier has not had the last word. */
static const char *error_text(const struct load_failure *failure, int err)
{
	if (failure->log[0])
		return strerror(-err);
	if (failure->name[0] || !first_message[0] || err == -EPERM || err == -EACCES)
		return load_error_text(err);
	return has_btf() ? first_message : load_error_text(-ENOENT);
}

static void finish(struct load_failure *out, int err)
{
	out->err = err;
	if (strstr(out->reason, NO_MAP)) {
		out->name[0] = out->log[0] = '\0';
		if (!starts_with(first_message, "prog '"))
			memcpy(out->reason, first_message, sizeof(first_message));
	} else if (!out->is_rejected) {
		snprintf(out->reason, sizeof(out->reason), "%s", error_text(out, err));
	}
}

int load_log_end(int err)
{
	struct load_failure *out = caught;

	caught = NULL;
	if (err)
		finish(out, err);
	else
		*out = (struct load_failure){0};
	return err;
}

int load_failure_set(struct load_failure *out, int err, const char *what)
{
	*out = (struct load_failure){.err = err};
	snprintf(out->reason, sizeof(out->reason), "cannot %s: %s", what, strerror(-err));
	return err;
}

int load_failure_say(struct load_failure *out, int err, const char *why)
{
	*out = (struct load_failure){.err = err};
	snprintf(out->reason, sizeof(out->reason), "%s", why);
	return err;
}

void load_failure_format(const struct load_failure *failure, char text[LOAD_TEXT_SIZE])
{
	const char *what = failure->is_rejected ? "is rejected by the verifier"
			   : failure->is_map	? "cannot be made"
						: "cannot be loaded";

	if (failure->name[0])
		snprintf(text, LOAD_TEXT_SIZE, "%s %s: %s", failure->name, what, failure->reason);
	else
		snprintf(text, LOAD_TEXT_SIZE, "%s", failure->reason);
}

void load_failure_log(const struct load_failure *failure)
{
	if (failure->log[0])
		log_debug("the end of the verifier's log of %s:\n%s", failure->name, failure->log);
}

const char *load_error_text(int err)
{
	switch (err) {
	case -EPERM:
	case -EACCES:
		return "not permitted: bpf() needs root, or CAP_BPF with CAP_NET_ADMIN and CAP_PERFMON";
	case -ESRCH:
	case -ENOENT:
		return has_btf() ? strerror(-err) : "the kernel has no BTF (CONFIG_DEBUG_INFO_BTF)";
	}
	return strerror(-err);
}
