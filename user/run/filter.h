/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The seccomp filter that COMMAND and all its children run under. A supervisor is asked about bind(), listen(), connect(),
 * getsockname() and one option of getsockopt(), and where sockets are put in about accept() and accept4(). Never about what is called for each piece of
 * data: the kernel remembers that the filter always lets these pass, and does not run it.
 *
 * Two calls fail at once: socket() for MPTCP, whose listeners the kernel makes out of two sockets (Go asks for them, and falls
 * back to TCP), and io_uring_setup(), since what goes through a ring passes no filter.
 *
 * Calls of another architecture than ours (32-bit programs) pass: what those listen at is listened at.
 */
#ifndef NOLISTEN_FILTER_H
#define NOLISTEN_FILTER_H

#include <stdbool.h>

/*
 * For this process and its children, for ever. Needs CAP_SYS_ADMIN, or else no_new_privs is set. The descriptor at which the supervisor is
 * asked, or -errno: -EBUSY: another supervisor has this process already.
 */
int filter_install(bool asks_accept);

#endif
