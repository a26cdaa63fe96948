/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten-loader: options, a look at the host, the job. */
#include <errno.h>

#include "check.h"
#include "loader.h"
#include "log.h"
#include "options.h"
#include "probe.h"

/* Exit status: 0 done, 1 failed, 2 wrong usage (options_parse() has said what is wrong). */
int main(int argc, char **argv)
{
	struct loader_options options;
	const struct feature *missing;
	int err;

	if (!options_parse(&options, argc, argv))
		return 2;
	log_open("nolisten-loader", options.log_level);
	if (options.is_check) {
		err = check_print();
	} else if ((missing = feature_first_missing())) {
		log_error("this host lacks %s, needed for %s; --check lists everything",
			  missing->name, missing->needed_for);
		err = -ENOTSUP;
	} else {
		err = loader_run(&options);
	}
	options_free(&options);
	return err ? 1 : 0;
}
