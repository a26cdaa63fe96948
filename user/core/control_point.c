/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control_point.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "control.h"
#include "log.h"
#include "rehearsal.h"
#include "top_sources.h"

struct flow_list {
	struct control_answer *answer;
	uint64_t now_ns;
	int err;
};

/* Takes the reference. */
static int answer_json(struct control_answer *answer, json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int err = text ? control_answer_add(answer, text) : -ENOMEM;

	free(text);
	json_decref(object);
	return err;
}

static bool answer_flow(void *context, const struct tuple *tuple, const struct nol_flow *flow)
{
	struct flow_list *list = context;

	list->err = answer_json(list->answer, snapshot_flow_to_json(tuple, flow, list->now_ns));
	return !list->err;
}

static int answer_flows(struct core *core, struct control_answer *answer)
{
	struct flow_list list = {.answer = answer, .now_ns = clock_monotonic_ns()};
	int count = core_visit_flows(core, answer_flow, &list);

	return count < 0 ? count : list.err;
}

static bool count_flow(void *context, const struct tuple *tuple, const struct nol_flow *flow)
{
	(void)tuple;
	(void)flow;
	++*(uint64_t *)context;
	return true;
}

static uint64_t count_flows(struct core *core)
{
	uint64_t count = 0;

	core_visit_flows(core, count_flow, &count);
	return count;
}

static int answer_status(struct core *core, struct control_answer *answer)
{
	struct snapshot *snapshot = malloc(sizeof(*snapshot));
	int err;

	if (!snapshot)
		return -ENOMEM;
	core_snapshot(core, snapshot);
	snapshot->flows = count_flows(core);
	err = answer_json(answer, snapshot_to_json(snapshot));
	free(snapshot);
	return err;
}

/* The same, but of flows no more than can be looked through each second. */
static int answer_top(struct core *core, struct control_answer *answer)
{
	struct snapshot *snapshot = malloc(sizeof(*snapshot));
	json_t *object, *sources;
	int err;

	if (!snapshot)
		return -ENOMEM;
	core_snapshot(core, snapshot);
	sources = top_sources_to_json(core, core_visit_flows, snapshot);
	object = sources ? snapshot_to_json(snapshot) : NULL;
	if (object)
		json_object_set(object, "sources", sources);
	json_decref(sources);
	err = answer_json(answer, object);
	free(snapshot);
	return err;
}

/* A control_answer_fn: "flows": one object a flow; "status" and "top": one object. */
static int answer_command(void *context, const char *command, struct control_answer *answer)
{
	if (!strcmp(command, "flows"))
		return answer_flows(context, answer);
	if (!strcmp(command, "status"))
		return answer_status(context, answer);
	if (!strcmp(command, "top"))
		return answer_top(context, answer);
	return -ENOENT;
}

static int fail(const char *ifname, const char *what, int err)
{
	log_error("%s: %s: %s", ifname, what, strerror(-err));
	return err;
}

int control_point_open(struct control_server **out, struct core *core, const struct config *config,
		       struct loop *loop)
{
	const char *ifname = config->ifname;
	int fd, err;

	if (config->is_rehearsal)
		return rehearsal_lock(ifname);
	fd = control_listen(ifname);
	if (fd == -EADDRINUSE) {
		log_error("%s: " CONTROL_TAKEN, ifname);
		return fd;
	}
	if (fd < 0)
		return fail(ifname, "cannot open the control socket", fd);
	err = control_server_new(out, fd, loop, answer_command, core);
	return err ? fail(ifname, "cannot serve the control socket", err) : 0;
}
