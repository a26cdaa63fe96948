/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A command is known by its session, of which it is the leader. */
#include "orphans.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

int orphans_adopt(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1) ? -errno : 0;
}

static void end_one(pid_t pid)
{
	const pid_t session = getsid(pid);

	if (session == pid)
		kill(-pid, SIGHUP);
	else if (session == getsid(0))
		kill(pid, SIGKILL); /* it was about to become one, and ignores SIGHUP */
}

/* None of them goes from the list while we read: nobody else waits for them. */
void orphans_end(void)
{
	char path[64];
	FILE *children;
	pid_t pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	children = fopen(path, "re");
	while (children && fscanf(children, "%d", &pid) == 1)
		end_one(pid);
	if (children)
		fclose(children);
}
