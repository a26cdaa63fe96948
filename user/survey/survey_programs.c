/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Other programs on the interface: before ours, behind it, or in its place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attached.h"
#include "survey.h"

#define TEXT_SIZE 128

/* "foo (id 12, link 3)" */
static void format_one(const struct attached *one, char text[TEXT_SIZE])
{
	if (!one->id)
		snprintf(text, TEXT_SIZE, "a filter of kind %s (priority %u)", one->name,
			 one->priority);
	else if (one->link_id)
		snprintf(text, TEXT_SIZE, "%s (id %u, link %u)", one->name, one->id, one->link_id);
	else
		snprintf(text, TEXT_SIZE, "%s (id %u)", one->name, one->id);
}

static bool is_xdp(const struct attached *one)
{
	return one->where <= ATTACHED_XDP_OFFLOADED;
}

static bool is_ours(const struct attached *one)
{
	return !strncmp(one->name, "nol_", 4);
}

static void tell_xdp(struct survey *survey, const struct survey_target *target,
		     const struct attached *one)
{
	char text[TEXT_SIZE], way[TEXT_SIZE];

	format_one(one, text);
	if (one->link_id)
		snprintf(way, sizeof(way),
			 "end the program that has the link, or: bpftool link detach id %u",
			 one->link_id);
	else
		snprintf(way, sizeof(way), "ip link set dev %s xdp off", target->ifname);
	survey_add(survey, target->accepts ? SURVEY_NOTE : SURVEY_BLOCKS, "xdp", way,
		   "%s is attached (%s), and an interface has room for one: %s", text,
		   attached_where_text(one->where),
		   target->accepts ? "TC answers the SYNs" : "nolisten will not start");
}

static const char *effect_of(const struct attached *one)
{
	switch (one->where) {
	case ATTACHED_TCX_EGRESS:
		return "before the guard: what it drops or redirects of SYN-ACKs, and of packets on "
		       "their way back into the stack, is lost";
	case ATTACHED_TC_EGRESS:
		return "behind TCX programs: it sees what the guard lets go, and what it drops or "
		       "redirects of SYN-ACKs is lost";
	default:
		return "on packets that come in, and on those that are put back: what it drops or "
		       "redirects of them is lost";
	}
}

static void tell_tc(struct survey *survey, const struct attached *one)
{
	char text[TEXT_SIZE];

	format_one(one, text);
	survey_add(survey, SURVEY_MAY, "tc", "", "%s is attached (%s) and runs %s", text,
		   attached_where_text(one->where), effect_of(one));
}

void survey_programs(struct survey *survey, const struct survey_target *target)
{
	struct attached *all;
	int count;

	if (!target->has_bpf)
		return;
	count = attached_list(target->link->ifindex, &all);
	if (count < 0) {
		survey_add(survey, SURVEY_NOTE, "programs", "",
			   "what is attached to %s could not be looked at: %s", target->ifname,
			   strerror(-count));
		return;
	}
	for (int i = 0; i < count; i++) {
		if (target->is_running && is_ours(&all[i]))
			continue;
		if (is_xdp(&all[i]))
			tell_xdp(survey, target, &all[i]);
		else if (!is_ours(&all[i]))
			tell_tc(survey, &all[i]);
	}
	free(all);
}
