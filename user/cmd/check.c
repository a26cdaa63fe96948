/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of probe.h, for people. */
#include "check.h"

#include <errno.h>
#include <stdio.h>

#include "probe.h"

int check_print(void)
{
	int err = 0;

	for (const struct feature *feature = feature_table; feature->name; feature++) {
		const bool is_present = feature->is_present();

		printf("%-8s %-24s %s\n",
		       is_present	      ? "ok"
		       : feature->is_required ? "MISSING"
					      : "absent",
		       feature->name, feature->needed_for);
		if (!is_present && feature->is_required)
			err = -ENOTSUP;
	}
	printf(err ? "this host cannot run nolisten\n" : "this host can run nolisten\n");
	return err;
}
