/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten-loader: a look at the host, the job. */
#include "loader_run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "dry_run.h"
#include "loader.h"
#include "loader_options.h"
#include "log.h"
#include "methods.h"
#include "probe.h"

static int run(const struct loader_options *options)
{
	const struct feature *missing;

	if (options->is_check)
		return check_run(options);
	missing = feature_first_missing(!method_needs_bpf(options->config.method));
	if (!missing && options->is_dry_run)
		return dry_run(options);
	if (!missing)
		return loader_run(options);
	log_error("this host lacks %s, needed for %s; --check lists everything", missing->name,
		  missing->needed_for);
	return -ENOTSUP;
}

static int print_config(const struct loader_options *options)
{
	option_settings_print(&loader_command, &options->settings, stdout);
	if (!fflush(stdout))
		return STATUS_DONE;
	log_error("--print-config: %s", strerror(errno));
	return STATUS_FAILED;
}

int loader_command_run(void *context)
{
	const struct loader_options *options = context;

	if (options->settings.is_printed)
		return print_config(options);
	loader_options_set_log(options);
	return run(options) ? STATUS_FAILED : STATUS_DONE;
}
