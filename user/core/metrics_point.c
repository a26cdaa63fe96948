/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "metrics_point.h"

#include <stdlib.h>

#include "rehearsal.h"
#include "snapshot.h"

/* A metrics_fn. */
static json_t *tell(void *context)
{
	struct snapshot *snapshot = malloc(sizeof(*snapshot));
	json_t *status = NULL;

	if (snapshot) {
		core_snapshot(context, snapshot);
		status = snapshot_to_json(snapshot);
	}
	free(snapshot);
	return status ? json_pack("[o]", status) : NULL;
}

int metrics_point_open(struct metrics_server **out, struct core *core, const struct config *config,
		       struct loop *loop)
{
	int err;

	if (config->is_rehearsal)
		return rehearsal_metrics(config->metrics);
	if (!config->metrics)
		return 0;
	run_as_files_begin(&config->privileges.user);
	err = metrics_server_new(out, config->metrics, loop, tell, core);
	run_as_files_end(&config->privileges.user);
	return err;
}
