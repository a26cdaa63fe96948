/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The user database is asked once, by the options: nothing of it is needed when a process becomes somebody. */
#include "run_as.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "numbers.h"

#define NOBODY 65534 /* of the kernel, for whoever it cannot tell: owns nothing */
#define NUMBER_MAX (UINT32_MAX - 1) /* the last one means nobody at all to setresuid(2) */

#define GROUPS_MAX 1024 /* of a user, for files; more are not seen */

/* Of this thread, while files are another user's. */
static __thread struct before {
	bool is_other;
	gid_t *groups;
	int count; /* -1: not known, and not changed */
} before = {.count = -1};

static bool find_group(const char *text, gid_t *out)
{
	const struct group *group = getgrnam(text);
	uint64_t number;

	if (group)
		*out = group->gr_gid;
	else if (number_parse(text, 0, NUMBER_MAX, &number))
		*out = (gid_t)number;
	else
		return false;
	return true;
}

static bool find_user(const char *text, struct run_as *out, bool *has_group)
{
	const struct passwd *user = getpwnam(text);
	uint64_t number;

	if (!user) {
		if (!number_parse(text, 0, NUMBER_MAX, &number))
			return false;
		out->uid = (uid_t)number;
		user = getpwuid(out->uid);
	}
	*has_group = user;
	if (!user)
		return true;
	out->uid = user->pw_uid;
	out->gid = user->pw_gid;
	snprintf(out->name, sizeof(out->name), "%s", user->pw_name);
	return true;
}

bool run_as_parse(const char *text, struct run_as *out, const char **why)
{
	const size_t len = strcspn(text, ":");
	const char *group = text[len] ? text + len + 1 : NULL;
	struct run_as found = {.is_set = true};
	char user[RUN_AS_NAME_SIZE];
	bool has_group;

	*why = "no such user";
	if (!len || len >= sizeof(user))
		return false;
	memcpy(user, text, len);
	user[len] = '\0';
	if (!find_user(user, &found, &has_group))
		return false;
	*why = group ? "no such group" : "which group? The user database does not know that user";
	if (group ? !find_group(group, &found.gid) : !has_group)
		return false;
	*out = found;
	return true;
}

struct run_as run_as_nobody(void)
{
	return (struct run_as){.is_set = true, .uid = NOBODY, .gid = NOBODY};
}

/* Whoever is that user already may not be allowed to say so once more. */
static bool is_already(const struct run_as *who)
{
	uid_t real_uid, uid, saved_uid;
	gid_t real_gid, gid, saved_gid;

	if (getresuid(&real_uid, &uid, &saved_uid) || getresgid(&real_gid, &gid, &saved_gid))
		return false;
	return real_uid == who->uid && uid == who->uid && saved_uid == who->uid &&
	       real_gid == who->gid && gid == who->gid && saved_gid == who->gid;
}

static int set_groups(const struct run_as *who)
{
	const int err = *who->name ? initgroups(who->name, who->gid) : setgroups(0, NULL);

	return err ? -errno : 0;
}

/* Of a process that is to die with its parent. The kernel forgets that when it becomes somebody, also for files alone. */
struct tie {
	int signal; /* 0: it is not */
	pid_t parent;
};

static struct tie find_tie(void)
{
	struct tie tie = {.parent = getppid()};

	prctl(PR_GET_PDEATHSIG, &tie.signal);
	return tie;
}

static void tie_again(const struct tie *tie)
{
	if (!tie->signal)
		return;
	prctl(PR_SET_PDEATHSIG, tie->signal);
	if (getppid() != tie->parent)
		raise(tie->signal);
}

int run_as_become(const struct run_as *who, bool keeps_permitted)
{
	struct tie tie;
	int err;

	if (!who->is_set || is_already(who))
		return 0;
	tie = find_tie();
	if (keeps_permitted && prctl(PR_SET_KEEPCAPS, 1))
		return -errno;
	err = set_groups(who);
	if (!err &&
	    (setresgid(who->gid, who->gid, who->gid) || setresuid(who->uid, who->uid, who->uid)))
		err = -errno;
	prctl(PR_SET_KEEPCAPS, 0);
	tie_again(&tie);
	return err;
}

/* setgroups(3) would set those of all threads. Without the right to it they stay. */
static void set_thread_groups(const gid_t *groups, int count)
{
	syscall(SYS_setgroups, (size_t)count, groups);
}

static void take_groups_of(const struct run_as *who)
{
	gid_t groups[GROUPS_MAX];
	int count = *who->name ? GROUPS_MAX : 0;

	if (*who->name && getgrouplist(who->name, who->gid, groups, &count) < 0)
		count = count > GROUPS_MAX ? GROUPS_MAX : 0; /* 0: for want of memory */
	set_thread_groups(groups, count);
}

static bool save_groups(void)
{
	const int count = getgroups(0, NULL);

	if (count < 0)
		return false;
	before.groups = malloc((count ?: 1) * sizeof(*before.groups));
	before.count = before.groups ? getgroups(count, before.groups) : -1;
	return before.count >= 0;
}

/* The kernel takes away meanwhile what only root may with other users' files. */
void run_as_files_begin(const struct run_as *who)
{
	struct tie tie;

	if (!who->is_set || (who->uid == geteuid() && who->gid == getegid()))
		return;
	tie = find_tie();
	before.is_other = true;
	if (save_groups())
		take_groups_of(who);
	setfsgid(who->gid);
	setfsuid(who->uid);
	tie_again(&tie);
}

void run_as_files_end(const struct run_as *who)
{
	struct tie tie;

	if (!who->is_set || !before.is_other)
		return;
	tie = find_tie();
	setfsuid(geteuid());
	setfsgid(getegid());
	tie_again(&tie);
	if (before.count >= 0)
		set_thread_groups(before.groups, before.count);
	free(before.groups);
	before = (struct before){.count = -1};
}
