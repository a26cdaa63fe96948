/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* event_examples: events of each kind, with all members that they may have, over IPv4 and IPv6, to standard output. */
#include <stdlib.h>

#include "events.h"

static void tell(struct events *events, const struct event *event)
{
	if (event->kind == EVENT_PAYLOAD)
		events_payload(events, event, "GET / HTTP/1.0\r\n\r\n\0\xff", 20);
	else
		events_emit(events, event);
}

static void tell_all(struct events *events, const struct tuple *tuple)
{
	for (enum event_kind kind = EVENT_SYN; kind < EVENT_KINDS; kind++) {
		const bool is_of_none = kind == EVENT_LOST || kind == EVENT_RST_DROPPED;
		const struct event event = {
			.kind = kind,
			.tuple = is_of_none ? NULL : tuple,
			.created_ns = is_of_none ? 0 : 1,
			.method = is_of_none ? NOL_METHOD_NONE : NOL_METHOD_XDP,
			.rtt_us = kind == EVENT_ESTABLISHED ? 31 : -1,
			.handoff_us = kind == EVENT_HANDED_OFF ? 9 : -1,
			.first_by_us = kind == EVENT_RESET ? 5 : 0,
			.reason = kind == EVENT_CLOSED ? NULL : "some_reason",
			.lost_kind = kind == EVENT_LOST ? "syn" : NULL,
			.count = is_of_none ? 3 : 0,
		};

		tell(events, &event);
	}
}

int main(void)
{
	const struct events_options options = {
		.target = "-", .is_quiet = true, .ifname = "eth0.5", .vlan_id = 5};
	struct events *events;
	struct tuple tuple;

	if (events_new(&events, &options))
		return EXIT_FAILURE;
	endpoint_parse("10.0.0.2:34567", &tuple.local);
	endpoint_parse("10.0.0.1:50814", &tuple.remote);
	tell_all(events, &tuple);
	endpoint_parse("[fd00::2]:65535", &tuple.local);
	endpoint_parse("[2001:db8::1:0]:1", &tuple.remote);
	tell_all(events, &tuple);
	events_free(events);
	return EXIT_SUCCESS;
}
