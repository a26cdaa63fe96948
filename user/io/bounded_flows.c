/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A flow counts from open() or admit() on, until its socket is gone or it is forgotten without one. */
#include "bounded_flows.h"

#include <errno.h>
#include <stdlib.h>

#include "container.h"

struct bounded_flows {
	struct flows flows;
	struct flows *inner;
	struct sources *sources;
};

static struct bounded_flows *from_flows(struct flows *flows)
{
	return container_of(flows, struct bounded_flows, flows);
}

/* A flow that is replaced on its 4-tuple hands its place on. */
static int open_flow(struct flows *flows, const struct tuple *tuple, uint64_t now_ns,
		     struct nol_flow *old)
{
	struct bounded_flows *bounded = from_flows(flows);
	const int held = sources_hold(bounded->sources, tuple);
	int result;

	if (held < 0)
		return held;
	result = bounded->inner->ops->open(bounded->inner, tuple, now_ns, old);
	if (result < 0 && held)
		sources_release(bounded->sources, tuple);
	return result;
}

static int admit_flow(struct flows *flows, const struct tuple *tuple)
{
	const int held = sources_hold(from_flows(flows)->sources, tuple);

	return held < 0 ? held : 0;
}

static int hand_off_flow(struct flows *flows, const struct tuple *tuple, uint32_t held)
{
	struct flows *inner = from_flows(flows)->inner;

	return inner->ops->hand_off(inner, tuple, held);
}

static void force_flow(struct flows *flows, const struct tuple *tuple)
{
	struct flows *inner = from_flows(flows)->inner;

	inner->ops->force(inner, tuple);
}

static int shut_flow(struct flows *flows, const struct tuple *tuple, const struct nol_flow *flow)
{
	struct flows *inner = from_flows(flows)->inner;

	return inner->ops->shut(inner, tuple, flow);
}

static int end_shut_flow(struct flows *flows, const struct tuple *tuple)
{
	struct bounded_flows *bounded = from_flows(flows);
	const int err = bounded->inner->ops->end_shut(bounded->inner, tuple);

	if (!err)
		sources_release(bounded->sources, tuple);
	return err;
}

static int close_flow(struct flows *flows, const struct tuple *tuple)
{
	struct bounded_flows *bounded = from_flows(flows);
	const int err = bounded->inner->ops->close(bounded->inner, tuple);

	if (!err)
		sources_release(bounded->sources, tuple);
	return err;
}

static int get_flow(struct flows *flows, const struct tuple *tuple, struct nol_flow *out)
{
	struct flows *inner = from_flows(flows)->inner;

	return inner->ops->get(inner, tuple, out);
}

/* What is closed counts no more: a new connection in its place may. */
static void forget_flow(struct flows *flows, const struct tuple *tuple, bool only_closed)
{
	struct bounded_flows *bounded = from_flows(flows);

	bounded->inner->ops->forget(bounded->inner, tuple, only_closed);
	if (!only_closed)
		sources_release(bounded->sources, tuple);
}

static int visit_flows(struct flows *flows, flow_fn fn, void *context)
{
	struct flows *inner = from_flows(flows)->inner;

	return inner->ops->visit(inner, fn, context);
}

static const struct flows_ops ops = {
	.open = open_flow,
	.admit = admit_flow,
	.hand_off = hand_off_flow,
	.force = force_flow,
	.shut = shut_flow,
	.end_shut = end_shut_flow,
	.close = close_flow,
	.get = get_flow,
	.forget = forget_flow,
	.visit = visit_flows,
};

/* Whether there is a force() says something of the table. */
static const struct flows_ops ops_without_force = {
	.open = open_flow,
	.admit = admit_flow,
	.hand_off = hand_off_flow,
	.shut = shut_flow,
	.end_shut = end_shut_flow,
	.close = close_flow,
	.get = get_flow,
	.forget = forget_flow,
	.visit = visit_flows,
};

int bounded_flows_new(struct flows **out, struct flows *inner,
		      const struct sources_options *options)
{
	struct bounded_flows *bounded = calloc(1, sizeof(*bounded));
	int err;

	if (!bounded)
		return -ENOMEM;
	bounded->flows = (struct flows){
		.ops = inner->ops->force ? &ops : &ops_without_force,
		.method = inner->method,
	};
	bounded->inner = inner;
	err = sources_new(&bounded->sources, options);
	if (err)
		free(bounded);
	else
		*out = &bounded->flows;
	return err;
}

void bounded_flows_free(struct flows *flows)
{
	struct bounded_flows *bounded;

	if (!flows)
		return;
	bounded = from_flows(flows);
	sources_free(bounded->sources);
	free(bounded);
}
