/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Functions of the kernel that BPF programs may call by name, if it has them. */
#ifndef NOLISTEN_KERNEL_FUNCTION_H
#define NOLISTEN_KERNEL_FUNCTION_H

#include <stdbool.h>

/* In the kernel, or in that module (NULL: none) if it is loaded. */
bool kernel_has_function(const char *name, const char *module);

#endif
