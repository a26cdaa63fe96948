/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten-loader: options, a look at the host, the job. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "check.h"
#include "loader.h"
#include "log.h"
#include "method.h"
#include "options.h"
#include "probe.h"

/* A standard descriptor that the caller has closed would become a map or a connection, and our text would go there. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static enum log_level level_of(unsigned int verbose)
{
	return verbose > 1 ? LOG_TRACE : verbose ? LOG_DEBUG : LOG_INFO;
}

/* Exit status: 0 done, 1 failed, 2 wrong usage. */
int main(int argc, char **argv)
{
	char error[OPTIONS_ERROR_SIZE];
	struct loader_options options;
	const struct feature *missing;
	bool is_usage;
	int err;

	fill_standard_descriptors();
	err = options_parse(&options, argc, argv, error);
	is_usage = err == -EINVAL;
	log_open("nolisten-loader", level_of(options.verbose));
	if (err) {
		log_error("%s", error);
	} else if (options.is_check) {
		err = check_run(&options);
	} else if ((missing = feature_first_missing(!method_needs_bpf(options.config.method)))) {
		log_error("this host lacks %s, needed for %s; --check lists everything",
			  missing->name, missing->needed_for);
		err = -ENOTSUP;
	} else {
		err = loader_run(&options.config);
	}
	options_free(&options);
	return is_usage ? 2 : err ? 1 : 0;
}
