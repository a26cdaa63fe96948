/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "time_slice.h"

#include <errno.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc has no functions for these calls yet. */
int time_slice_set(uint64_t slice_ns)
{
	struct sched_attr attr = {.size = sizeof(attr)};

	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0))
		return -errno;
	if (attr.sched_policy != SCHED_NORMAL)
		return 0;
	attr.sched_runtime = slice_ns;
	return syscall(SYS_sched_setattr, 0, &attr, 0) ? -errno : 0;
}
