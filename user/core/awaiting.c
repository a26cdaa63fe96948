/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Frames in the order in which they came. Each is a bare ACK or the first data of a connection, and brings the cookie: for the rest the
 * remote asks again. One that comes again is not kept twice. A cookie is good for a minute at least, and who waits longer than that
 * gets a RST.
 */
#include "awaiting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "replay.h"
#include "segment.h"

#define FRAMES_MAX 8192
#define ROUND_MAX 256

struct frame {
	struct frame *next;
	struct tuple tuple;
	uint32_t len, l3_offset, l4_offset;
	uint64_t held_ns;
	uint8_t bytes[];
};

struct awaiting {
	struct kern *kern;
	struct link_info link;
	struct replay *replay; /* made with the first frame that goes back */
	struct loop_source *source;
	void (*come)(void *context, const struct endpoint *local);
	void *context;
	struct frame *first, **last;
	uint32_t count;
};

static bool is_known(const struct awaiting *awaiting, const struct tuple *tuple, uint32_t len)
{
	const struct frame *one = awaiting->first;

	while (one && (one->len != len || !tuple_is_equal(&one->tuple, tuple)))
		one = one->next;
	return one;
}

static void take_record(void *context, const struct nol_record *record, const uint8_t *bytes)
{
	struct awaiting *awaiting = context;
	struct segment segment;
	struct frame *frame;

	if (record->l3_offset >= record->snap_len ||
	    segment_parse(bytes + record->l3_offset, record->snap_len - record->l3_offset,
			  &segment) != SEGMENT_OK ||
	    awaiting->count == FRAMES_MAX || is_known(awaiting, &segment.tuple, record->snap_len))
		return;
	frame = malloc(sizeof(*frame) + record->snap_len);
	if (!frame)
		return;
	*frame = (struct frame){
		.tuple = segment.tuple,
		.len = record->snap_len,
		.l3_offset = record->l3_offset,
		.l4_offset = record->l4_offset,
		.held_ns = record->held_ns,
	};
	memcpy(frame->bytes, bytes, record->snap_len);
	*awaiting->last = frame;
	awaiting->last = &frame->next;
	awaiting->count++;
	awaiting->come(awaiting->context, &frame->tuple.local);
}

static void receive(void *context, uint32_t events)
{
	struct awaiting *awaiting = context;

	(void)events;
	kern_ring_consume(kern_ring(awaiting->kern, 0), ROUND_MAX, take_record, awaiting);
}

int awaiting_new(struct awaiting **out, struct kern *kern, const struct link_info *link,
		 struct loop *loop, void (*come)(void *context, const struct endpoint *local),
		 void *context)
{
	struct awaiting *awaiting = calloc(1, sizeof(*awaiting));
	int err;

	if (!awaiting)
		return -ENOMEM;
	*awaiting = (struct awaiting){
		.kern = kern,
		.link = *link,
		.come = come,
		.context = context,
		.last = &awaiting->first,
	};
	err = loop_add(loop, kern_ring_fd(kern_ring(kern, 0)), EPOLLIN, receive, awaiting,
		       &awaiting->source);
	if (err)
		awaiting_free(awaiting);
	else
		*out = awaiting;
	return err;
}

static void remove_first(struct awaiting *awaiting, struct frame **link)
{
	struct frame *frame = *link;

	*link = frame->next;
	if (awaiting->last == &frame->next)
		awaiting->last = link;
	awaiting->count--;
	free(frame);
}

void awaiting_free(struct awaiting *awaiting)
{
	if (!awaiting)
		return;
	loop_remove(awaiting->source);
	while (awaiting->first)
		remove_first(awaiting, &awaiting->first);
	replay_free(awaiting->replay);
	free(awaiting);
}

static int open_replay(struct awaiting *awaiting)
{
	const struct replay_options options = {
		.ifindex = awaiting->link.ifindex,
		.has_link_header = awaiting->link.has_link_header,
		.is_loopback = awaiting->link.is_loopback,
		.mtu = awaiting->link.mtu,
		.tag = kern_config(awaiting->kern)->replay_tag,
	};

	return awaiting->replay ? 0 : replay_new(&awaiting->replay, &options);
}

static void put_back(struct awaiting *awaiting, const struct frame *frame)
{
	const struct held_packet packet = {
		.frame = frame->bytes,
		.frame_len = frame->len,
		.l3_offset = frame->l3_offset,
		.l4_offset = frame->l4_offset,
		.is_whole = true,
		.held_ns = frame->held_ns,
	};
	int err = open_replay(awaiting);

	if (!err)
		err = replay_packet(awaiting->replay, &packet);
	if (err)
		log_warning("a connection that waited is lost: %s", strerror(-err));
}

void awaiting_release(struct awaiting *awaiting,
		      bool (*is_waiting)(void *context, const struct endpoint *local))
{
	struct frame **link = &awaiting->first;

	/* What is on its way to us is to go back too, and in order. */
	receive(awaiting, 0);
	while (*link) {
		if (is_waiting(awaiting->context, &(*link)->tuple.local)) {
			link = &(*link)->next;
			continue;
		}
		put_back(awaiting, *link);
		remove_first(awaiting, link);
	}
}
