/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef NOLISTEN_DESCRIPTORS_H
#define NOLISTEN_DESCRIPTORS_H

/* Every connection is a descriptor: as many as the host allows this process. */
void descriptors_raise_limit(void);

#endif
