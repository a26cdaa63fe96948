/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who has most of the flows, looked up each second: of a large table a sample, so that it costs the same for half a million flows. The
 * kernel's table is in the order of a keyed hash, so what comes first is a fair sample of all.
 */
#ifndef NOLISTEN_TOP_SOURCES_H
#define NOLISTEN_TOP_SOURCES_H

#include "core.h"

#define TOP_SOURCES_SAMPLE 16384 /* flows */
#define TOP_SOURCES_SHOWN 64

/*
 * {"sampled": n, "is_all": true, "states": {...}, "methods": {...}, "list": [{"source": "10.0.0.1", "flows": n, "half_open": n,
 * "handed_off": n}, ...]}, sources as in --source-prefix, most flows first; NULL: no memory. Sets snapshot->flows, to what the counters
 * say if the sample is not all.
 */
typedef int (*top_visit_fn)(struct core *core, flow_fn fn, void *context); /* core_visit_flows() */
json_t *top_sources_to_json(struct core *core, top_visit_fn visit, struct snapshot *snapshot);

#endif
