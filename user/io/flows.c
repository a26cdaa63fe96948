/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Questions that every flow table answers. */
#include "flows.h"

bool flows_is_handed_off(struct flows *flows, const struct tuple *tuple)
{
	struct nol_flow flow;

	return !flows->ops->get(flows, tuple, &flow) && flow.state == NOL_FLOW_HANDED_OFF;
}

enum nol_method flows_method_of(struct flows *flows, const struct tuple *tuple)
{
	struct nol_flow flow;

	return flows->ops->get(flows, tuple, &flow) ? flows->method : flow.method;
}
