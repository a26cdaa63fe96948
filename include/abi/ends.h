/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NOLISTEN_ENDS_H
#define NOLISTEN_ENDS_H

/* The programs of nol_ends, in which packets end that the general way has nothing more to say about. */
enum nol_end {
	NOL_END_STRAY,
	NOL_END_SHUT,
	NOL_ENDS,
};

#endif
