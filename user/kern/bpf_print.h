/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* libbpf's own messages, for the small objects: whoever loads one words the failure, so these are for -v only. */
#ifndef NOLISTEN_BPF_PRINT_H
#define NOLISTEN_BPF_PRINT_H

void bpf_print_as_debug(void);

/* Why a BPF program could not be loaded or attached, for people. */
const char *bpf_error_text(int err);

#endif
