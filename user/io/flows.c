/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Questions that every flow table answers. */
#include "flows.h"

bool flows_is_handed_off(struct flows *flows, const struct tuple *tuple)
{
	struct nol_flow flow;

	return !flows->ops->get(flows, tuple, &flow) && flow.state == NOL_FLOW_HANDED_OFF;
}

struct nol_flow flows_find(struct flows *flows, const struct tuple *tuple)
{
	struct nol_flow flow;

	if (flows->ops->get(flows, tuple, &flow))
		flow = (struct nol_flow){.method = flows->method};
	return flow;
}
