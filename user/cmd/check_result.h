/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What --check has found. Seen by check.c and check_json.c only. */
#ifndef NOLISTEN_CHECK_RESULT_H
#define NOLISTEN_CHECK_RESULT_H

#include <stdbool.h>
#include <stddef.h>

#include "load_failure.h"
#include "probe.h"

/* Methods with BPF and those without need different things; required: by the options. */
struct check_need {
	bool with_bpf, without_bpf, is_required;
};

struct check_feature {
	const struct feature *feature;
	struct check_need need;
	bool is_present;
};

struct check_load {
	const char *object, *variant, *needed_for, *instead; /* as in struct loadable */
	struct check_need need;
	struct load_failure failure; /* err is 0: it loaded */
};

#define CHECK_MAX 24

struct check_result {
	struct check_feature features[CHECK_MAX];
	struct check_load loads[CHECK_MAX];
	size_t feature_count, load_count;
	bool can_with_bpf, can_without_bpf, can_as_asked;
};

/* As JSON on standard output; has_log: the ends of the verifier's logs too. 0 or -ENOMEM. */
int check_print_json(const struct check_result *result, bool has_log);

#endif
