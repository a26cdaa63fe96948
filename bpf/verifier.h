/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the verifiers of older kernels have to be told. Each of these was rejected, or silently made something else,
 * by a kernel that tests/kernels boots.
 */
#ifndef NOLISTEN_BPF_VERIFIER_H
#define NOLISTEN_BPF_VERIFIER_H

#include "vmlinux.h"

/*
 * Of a size that is in its bounds already, once more and in one register, for the helper that takes it: clang compares
 * copies and sums, and verifiers before Linux 6.19 do not see that they are the same.
 */
#define bounded(size, min, max)                      \
	({                                           \
		__u64 _size = (size);                \
                                                     \
		asm volatile("if %0 >= %1 goto +1\n" \
			     "%0 = %1\n"             \
			     "if %0 <= %2 goto +1\n" \
			     "%0 = %2\n"             \
			     : "+r"(_size)           \
			     : "i"(min), "i"(max));  \
		_size;                               \
	})

/*
 * A function that is not static is looked at once, for whatever it may be called with, and not again in every state that a caller
 * can be in: loading takes a third of the time. Its pointers may be NULL, which never happens.
 */
#define LOOKED_AT_ONCE __noinline

/*
 * Zero, which the verifier cannot know. Linux before 6.7 looks at one turn of a bpf_loop() only: what no first turn can
 * have changed it takes for constant, and removes as dead code what depends on it. So whatever a walk is to fill starts
 * from here.
 */
__u32 nol_zero;

#endif
