/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of probe.h, for people. */
#include "check.h"

#include <errno.h>
#include <stdio.h>

#include "probe.h"

static void print_feature(const struct feature *feature, bool is_present, bool is_required)
{
	const char *word = is_present ? "ok" : is_required ? "MISSING" : "absent";

	printf("%-8s %-24s %s\n", word, feature->name, feature->needed_for);
}

int check_print(bool without_bpf)
{
	bool is_missing = false, is_missing_for_all = false;

	for (const struct feature *feature = feature_table; feature->name; feature++) {
		const bool is_required =
			feature->is_required && (!without_bpf || feature->is_for_all);
		const bool is_present = feature->is_present();

		print_feature(feature, is_present, is_required);
		is_missing |= is_required && !is_present;
		is_missing_for_all |= feature->is_for_all && !is_present;
	}
	if (!is_missing)
		printf("this host can run nolisten\n");
	else if (is_missing_for_all)
		printf("this host cannot run nolisten\n");
	else
		printf("this host cannot run methods with BPF; nfqueue, filter and raw do without\n");
	return is_missing ? -ENOTSUP : 0;
}
