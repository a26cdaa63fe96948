/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Can this host run it? Each feature probed by trying it, with what it is needed for. */
#ifndef NOLISTEN_PROBE_H
#define NOLISTEN_PROBE_H

#include <stdbool.h>

struct feature {
	const char *name; /* "kernel BTF" */
	const char *needed_for; /* "loading any program (CO-RE)" */
	bool is_required; /* false: there is another way, named in needed_for */
	bool (*is_present)(void);
	bool is_for_all; /* methods without BPF need it as well */
	bool is_for_netfilter; /* methods nfqueue and filter need it, and no other */
};

/* All of them, ended by a NULL name; capabilities included. */
extern const struct feature feature_table[];

/* The first required one that is missing, or NULL; without_bpf: of those that every method needs. */
const struct feature *feature_first_missing(bool without_bpf);

/* Of them, the link at TC (Linux 6.6). */
bool probe_has_tcx(void);

#endif
