/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "html.h"
#include "log.h"
#include "plot.h"
#include "results.h"

/* Without gnuplot it has no plots. */
static int write_report(const struct board *board, const char *dir)
{
	const bool has_plots = !plot_draw(board, dir);
	int err = html_write(board, dir, has_plots);

	if (err)
		log_error("bench: %s/report.html: %s", dir, strerror(-err));
	return err;
}

int output_write(const struct board *board, const char *dir)
{
	char *path;
	int err;

	if (mkdir(dir, 0777) && errno != EEXIST) {
		err = -errno;
		log_error("bench: %s: cannot make the folder: %s", dir, strerror(-err));
		return err;
	}
	if (asprintf(&path, "%s/results.json", dir) < 0)
		return -ENOMEM;
	err = results_write(board, path);
	if (err)
		log_error("bench: %s: %s", path, strerror(-err));
	free(path);
	return err ?: write_report(board, dir);
}
