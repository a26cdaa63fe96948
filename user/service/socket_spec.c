/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A path, and whose it is. Names are looked up at once: what nobody has is an error of the command line. */
#include "socket_spec.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"

#define ID_MAX (UINT32_MAX - 1)
#define MODE_MAX 0777

static int parse_user(const char *text, struct socket_spec *out, const char **error)
{
	const struct passwd *user = getpwnam(text);
	uint64_t id;

	if (user)
		out->user = user->pw_uid;
	else if (number_parse(text, 0, ID_MAX, &id))
		out->user = (uid_t)id;
	else
		*error = "no such user";
	return *error ? -EINVAL : 0;
}

static int parse_group(const char *text, struct socket_spec *out, const char **error)
{
	const struct group *group = getgrnam(text);
	uint64_t id;

	if (group)
		out->group = group->gr_gid;
	else if (number_parse(text, 0, ID_MAX, &id))
		out->group = (gid_t)id;
	else
		*error = "no such group";
	return *error ? -EINVAL : 0;
}

static int parse_mode(const char *text, struct socket_spec *out, const char **error)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (*text < '0' || *text > '7' || *end || mode > MODE_MAX) {
		*error = "a mode is octal, as in mode=660";
		return -EINVAL;
	}
	out->mode = (mode_t)mode;
	return 0;
}

/* "user=www-data" */
static int parse_setting(char *setting, struct socket_spec *out, bool *has_mode, const char **error)
{
	char *value = strchr(setting, '=');

	*error = NULL;
	if (value)
		*value++ = '\0';
	if (value && *value && !strcmp(setting, "user"))
		return parse_user(value, out, error);
	if (value && *value && !strcmp(setting, "mode")) {
		*has_mode = true;
		return parse_mode(value, out, error);
	}
	if (value && *value && !strcmp(setting, "group")) {
		if (!*has_mode)
			out->mode |= 0060;
		return parse_group(value, out, error);
	}
	if (value && !strcmp(setting, "connect") &&
	    (!strcmp(value, "yes") || !strcmp(value, "no"))) {
		out->may_connect = *value == 'y';
		return 0;
	}
	if (!value && !strcmp(setting, "transient")) {
		out->is_transient = true;
		return 0;
	}
	*error = "behind the path only user=NAME, group=NAME, mode=OCTAL, connect=yes or no, and "
		 "transient are known";
	return -EINVAL;
}

int socket_spec_parse(const char *argument, struct socket_spec *out, const char **error)
{
	const size_t len = strcspn(argument, ",");
	char *settings, *rest, *setting;
	bool has_mode = false;
	int err = 0;

	*out = (struct socket_spec){.mode = 0600};
	if (*argument != '/' && *argument != '@') {
		*error = "socket needs an absolute path, as in socket:/run/nolisten.sock, or @NAME";
		return -EINVAL;
	}
	if (len >= sizeof(out->path)) {
		*error = "the path is too long for a socket: 107 bytes at most";
		return -EINVAL;
	}
	memcpy(out->path, argument, len);
	settings = rest = strdup(argument + len + (argument[len] == ','));
	if (!settings)
		return -ENOMEM;
	while (argument[len] && !err && (setting = strsep(&rest, ",")))
		err = parse_setting(setting, out, &has_mode, error);
	free(settings);
	return err;
}

bool socket_spec_of_service(const char *service, struct socket_spec *out)
{
	static const char prefix[] = "socket:";
	const char *error;

	return !strncmp(service, prefix, sizeof(prefix) - 1) &&
	       !socket_spec_parse(service + sizeof(prefix) - 1, out, &error);
}
