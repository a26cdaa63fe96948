/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The lines of a configuration file; option_settings.h has what they look like. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "option_settings.h"

#define SIZE_MAX_BYTES (1 << 20)
#define ROOM_FIRST 1024
#define BLANKS " \t\r"

/* Room for twice as much, and for the end. */
static int grow(char **text, size_t *room)
{
	const size_t more = *room ? *room * 2 : ROOM_FIRST;
	char *grown = realloc(*text, more + 1);

	if (!grown)
		return -ENOMEM;
	*text = grown;
	*room = more;
	return 0;
}

/* The whole of it, which ends with its '\0': what reads on is seen by a sanitizer. *len without that. -EFBIG: it does not end. */
static int read_all(int fd, char **text, size_t *len)
{
	size_t room = 0;
	ssize_t got;
	char *cut;

	*len = 0;
	do {
		if (*len == room && grow(text, &room))
			return -ENOMEM;
		got = read(fd, *text + *len, room - *len);
		if (got > 0)
			*len += (size_t)got;
	} while ((got > 0 && *len <= SIZE_MAX_BYTES) || (got < 0 && errno == EINTR));
	if (got < 0)
		return -errno;
	if (*len > SIZE_MAX_BYTES)
		return -EFBIG;
	cut = realloc(*text, *len + 1);
	if (!cut)
		return -ENOMEM;
	*text = cut;
	cut[*len] = '\0';
	return 0;
}

static int read_text(struct option_parse *parse, size_t *len)
{
	struct option_settings *settings = parse->settings;
	int fd = open(settings->path, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;

	if (!err)
		err = read_all(fd, &settings->text, len);
	if (fd >= 0)
		close(fd);
	if (err == -ENOMEM)
		return option_fail_memory(parse);
	if (err == -EFBIG)
		return option_fail(parse, "--config: %s: more than %d KiB, no configuration",
				   settings->path, SIZE_MAX_BYTES >> 10);
	if (err)
		return option_fail(parse, "--config: %s: %s", settings->path, strerror(-err));
	return 0;
}

static const struct option_row *find_row(const struct command *command, const char *name)
{
	for (const struct option_row *row = command->options; row->take; row++)
		if (!strcmp(row->name, name))
			return row;
	return NULL;
}

/* What a character behind a backslash stands for; '\0': nothing. */
static char unescape(char mark)
{
	static const char marks[] = "\"\\nrt", meant[] = "\"\\\n\r\t";
	const char *found = mark ? strchr(marks, mark) : NULL;

	return found ? meant[found - marks] : '\0';
}

/* The quotes off, in place. */
static int unquote(struct option_parse *parse, char *value)
{
	const char *from = value + 1;
	char *to = value;

	for (; *from && *from != '"'; from++) {
		*to = *from;
		if (*from == '\\')
			*to = unescape(*++from);
		if (!*to++)
			return option_fail(parse, "in quotes, a \\ goes with \" \\ n r t behind "
						  "it; without them all is taken as it is");
	}
	if (!*from)
		return option_fail(parse, "the closing \" is missing");
	if (from[1])
		return option_fail(parse, "'%s': not understood behind the closing \"", from + 1);
	*to = '\0';
	return 0;
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, BLANKS);
	len = strlen(text);
	while (len && strchr(BLANKS, text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

/* Is it an option that may stand here, and has it an argument if it needs one? */
static int check_line(struct option_parse *parse, const char *name, const char *value,
		      const struct option_row *row)
{
	if (!row && !strncmp(name, "--", 2))
		return option_fail(parse, "'%s': no such option: names stand here without --",
				   name);
	if (!row && strpbrk(name, BLANKS) && !value)
		return option_fail(parse, "'%s': a = is needed between an option and its argument",
				   name);
	if (!row)
		return option_fail(parse, "'%s': no such option (see %s --help)", name,
				   command_title(parse->command));
	if (row->is_request)
		return option_fail(parse, "--%s: goes on the command line only", row->name);
	if (value && !row->arg)
		return option_fail(parse, "--%s: takes no argument", row->name);
	if (!value && row->arg && !row->is_optional)
		return option_fail(parse, "--%s: needs an argument: %s = %s", row->name, row->name,
				   row->arg);
	return 0;
}

static int note_line(struct option_parse *parse, char *text, unsigned int line)
{
	char *value = strchr(text, '='), *name;
	const struct option_row *row;
	int err;

	if (value) {
		*value++ = '\0';
		value = trim(value);
	}
	name = trim(text);
	row = find_row(parse->command, name);
	err = check_line(parse, name, value, row);
	if (!err && value && *value == '"')
		err = unquote(parse, value);
	return err ?: option_settings_add(parse, row, value, line);
}

int option_file_read(struct option_parse *parse)
{
	unsigned int line = 0;
	size_t len = 0;
	int err = read_text(parse, &len);
	char *next = parse->settings->text;
	const char *const end = err ? next : next + len;

	while (!err && next < end) {
		char *text = next + strspn(next, BLANKS), *stop = text + strcspn(text, "\n");

		line++;
		next = stop + 1;
		if (!*stop && stop < end)
			err = option_fail(parse, "a NUL is in it, which no text has");
		*stop = '\0';
		if (!err && *text && *text != '#')
			err = note_line(parse, text, line);
		if (err)
			option_settings_locate(parse, line);
	}
	return err;
}
