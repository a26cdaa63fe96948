/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"

static int fail(int err, const char *text, char why[ASK_WHY_SIZE])
{
	snprintf(why, ASK_WHY_SIZE, "%s", text);
	return err;
}

int ask_begin(const char *ifname, bool is_named, char why[ASK_WHY_SIZE])
{
	int fd = is_named ? control_connect(ifname, "top") : control_connect_found(ifname, "top");

	return fd < 0 ? fail(fd, control_connect_error(fd), why) : fd;
}

/* Takes the reference. */
static int take_object(json_t *object, struct reading *out, char why[ASK_WHY_SIZE])
{
	const char *error = json_string_value(json_object_get(object, "error"));

	if (!json_is_object(object) || error) {
		const int err = error ? fail(-EREMOTEIO, "", why) : -EPROTO;

		snprintf(why, ASK_WHY_SIZE, "%s%.60s",
			 error ? "the loader answers: " : "the loader's answer is not understood",
			 error ? error : "");
		json_decref(object);
		return err;
	}
	reading_clear(out);
	*out = (struct reading){object, clock_monotonic_ns()};
	return 0;
}

int ask_take(int fd, struct reading *out, char why[ASK_WHY_SIZE])
{
	char *message = NULL;
	int len = control_read(fd, &message);

	close(fd);
	if (len == 0)
		return fail(-ECONNRESET, "the loader has gone away", why);
	if (len < 0)
		return fail(len,
			    len == -EAGAIN ? "the loader's answer does not come" : strerror(-len),
			    why);
	len = take_object(json_loads(message, 0, NULL), out, why);
	free(message);
	return len;
}

int ask_once(const char *ifname, bool is_named, struct reading *out, char why[ASK_WHY_SIZE])
{
	int fd = ask_begin(ifname, is_named, why);

	return fd < 0 ? fd : ask_take(fd, out, why);
}

static void take_name(void *context, const char *ifname)
{
	struct ask_names *names = context;

	if (names->count < ASK_IFNAMES_MAX &&
	    ((names->known && !strcmp(ifname, names->known)) || control_is_believed(ifname)))
		snprintf(names->names[names->count++], ASK_IFNAME_SIZE, "%s", ifname);
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

void ask_list(struct ask_names *out, const char *known)
{
	*out = (struct ask_names){.known = known};
	control_visit(take_name, out);
	qsort(out->names, out->count, sizeof(out->names[0]), compare);
}
