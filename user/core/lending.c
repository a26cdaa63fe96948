/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lending.h"

#include "worker.h"

struct lending {
	int *fds;
	uint32_t count;
	int err;
};

static void lend(struct worker *worker, void *context)
{
	struct lending *lending = context;

	if (!lending->err)
		lending->err = session_lend(worker_session(worker), &lending->fds[lending->count]);
	lending->count += !lending->err;
}

static void take_back(struct worker *worker, void *context)
{
	struct lending *lending = context;
	int err = session_take_back(worker_session(worker), lending);

	if (lending && !lending->err)
		lending->err = err;
}

int lending_begin(struct workers *workers, int *fds, uint32_t *count)
{
	struct lending lending = {.fds = fds};

	workers_call(workers, lend, &lending);
	*count = lending.count;
	return lending.err;
}

void lending_end(struct workers *workers)
{
	workers_call(workers, take_back, NULL);
}

int lending_share(struct workers *workers)
{
	struct lending lending = {0};

	workers_call(workers, take_back, &lending);
	return lending.err;
}
