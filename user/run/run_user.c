/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "run_user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "numbers.h"

bool run_user_find(const char *name, struct run_user *out, const char **why)
{
	const struct passwd *entry = getpwnam(name);
	uint64_t number;

	if (!entry && number_parse(name, 0, UINT32_MAX - 1, &number))
		entry = getpwuid((uid_t)number);
	if (!entry) {
		*why = "no such user";
		return false;
	}
	out->user = entry->pw_uid;
	out->group = entry->pw_gid;
	out->group_count = RUN_USER_GROUPS;
	if (getgrouplist(entry->pw_name, entry->pw_gid, out->groups, &out->group_count) < 0) {
		*why = "too many groups";
		return false;
	}
	return true;
}

int run_user_become(const struct run_user *user)
{
	int err = 0;

	if (!user)
		return 0;
	if (setgroups((size_t)user->group_count, user->groups) ||
	    setresgid(user->group, user->group, user->group) ||
	    setresuid(user->user, user->user, user->user)) {
		err = -errno;
		log_error("run: --user: cannot become user %u: %s", user->user, strerror(-err));
	}
	return err;
}
