/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "accepted_flows.h"

#include <errno.h>
#include <stdlib.h>

#include "container.h"

struct accepted_flows {
	struct flows flows;
	struct sources *sources;
};

struct visit {
	flow_fn fn;
	void *context;
};

static struct sources *sources_of(struct flows *flows)
{
	return container_of(flows, struct accepted_flows, flows)->sources;
}

static int open_flow(struct flows *flows, const struct tuple *tuple, uint64_t now_ns,
		     struct nol_flow *old)
{
	const int held = sources_hold(sources_of(flows), tuple);

	*old = (struct nol_flow){.method = flows->method, .created_ns = now_ns};
	return held < 0 ? held : !held;
}

static int close_flow(struct flows *flows, const struct tuple *tuple)
{
	sources_release(sources_of(flows), tuple);
	return -ENOENT;
}

static int get_flow(struct flows *flows, const struct tuple *tuple, struct nol_flow *out)
{
	(void)flows, (void)tuple, (void)out;
	return -ENOENT;
}

static void forget_flow(struct flows *flows, const struct tuple *tuple, bool only_closed)
{
	if (!only_closed)
		sources_release(sources_of(flows), tuple);
}

static bool visit_held(void *context, const struct tuple *tuple)
{
	static const struct nol_flow flow = {.state = NOL_FLOW_HANDED_OFF,
					     .method = NOL_METHOD_ACCEPT};
	const struct visit *visit = context;

	return visit->fn(visit->context, tuple, &flow);
}

static int visit_flows(struct flows *flows, flow_fn fn, void *context)
{
	struct visit visit = {fn, context};

	return sources_visit(sources_of(flows), visit_held, &visit);
}

static const struct flows_ops ops = {
	.open = open_flow,
	.close = close_flow,
	.get = get_flow,
	.forget = forget_flow,
	.visit = visit_flows,
};

int accepted_flows_new(struct flows **out, const struct sources_options *options)
{
	struct accepted_flows *accepted = calloc(1, sizeof(*accepted));
	int err;

	if (!accepted)
		return -ENOMEM;
	accepted->flows = (struct flows){.ops = &ops, .method = NOL_METHOD_ACCEPT};
	err = sources_new(&accepted->sources, options);
	if (err)
		free(accepted);
	else
		*out = &accepted->flows;
	return err;
}

void accepted_flows_free(struct flows *flows)
{
	struct accepted_flows *accepted;

	if (!flows)
		return;
	accepted = container_of(flows, struct accepted_flows, flows);
	sources_free(accepted->sources);
	free(accepted);
}
