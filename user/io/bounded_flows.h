/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A flow table of which no source may have more than its share: another one, and the count of what each source holds. */
#ifndef NOLISTEN_BOUNDED_FLOWS_H
#define NOLISTEN_BOUNDED_FLOWS_H

#include "flows.h"
#include "sources.h"

/* inner is borrowed. open() and admit() say -EDQUOT for a source that holds as much as it may. */
int bounded_flows_new(struct flows **out, struct flows *inner,
		      const struct sources_options *options);
void bounded_flows_free(struct flows *flows); /* NULL is legal */

#endif
