/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Conversations of both ends on lo are two, one for each end's view; a socket connected to itself is one. A place is
 * taken from the conversation that has been quiet for longest.
 */
#include "conversations.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "segment.h"

#define CONVERSATIONS_MAX 256
#define ORPHANS_MAX 16

struct conversation_table {
	struct conversation *conversations[CONVERSATIONS_MAX];
	/* Steps of sockets that have no port yet: connect() changes the state first. */
	struct nol_step orphans[ORPHANS_MAX];
	size_t next_orphan;
};

int conversation_table_new(struct conversation_table **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void conversation_table_free(struct conversation_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < CONVERSATIONS_MAX; i++)
		free(table->conversations[i]);
	free(table);
}

static struct conversation *find(struct conversation_table *table, const struct nol_flow_key *key)
{
	for (size_t i = 0; i < CONVERSATIONS_MAX; i++) {
		struct conversation *one = table->conversations[i];

		if (one && !one->is_past && memcmp(&one->key, key, sizeof(*key)) == 0)
			return one;
	}
	return NULL;
}

/* An empty place, or else the quietest one's. */
static struct conversation **find_place(struct conversation_table *table)
{
	struct conversation **place = &table->conversations[0];

	for (size_t i = 0; i < CONVERSATIONS_MAX; i++) {
		struct conversation **one = &table->conversations[i];

		if (!*one)
			return one;
		if ((*one)->last_ns < (*place)->last_ns)
			place = one;
	}
	return place;
}

static struct conversation *make(struct conversation_table *table, const struct nol_flow_key *key)
{
	struct conversation **place = find_place(table);

	if (!*place)
		*place = malloc(sizeof(**place));
	if (!*place)
		return NULL;
	memset(*place, 0, sizeof(**place));
	(*place)->key = *key;
	return *place;
}

static void append(struct conversation *conversation, const struct nol_step *step)
{
	if (conversation->count == CONVERSATION_STEPS_MAX)
		conversation->overflow++;
	else
		conversation->steps[conversation->count++] = *step;
}

/* A socket that closes has given its port back already. One that opens may be a new one in an old one's place. */
static struct conversation *find_closing(struct conversation_table *table,
					 const struct nol_step *step)
{
	for (size_t i = 0; i < CONVERSATIONS_MAX; i++) {
		struct conversation *one = table->conversations[i];

		if (one && one->sk == step->sk && one->key.remote_port == step->key.remote_port &&
		    (step->kind != NOL_STEP_STATE || step->new_state == TCP_CLOSE))
			return one;
	}
	return NULL;
}

/* Of a drop without a device only the packet's identity tells whose it is. */
static struct conversation *find_unplaced(struct conversation_table *table,
					  const struct nol_step *step)
{
	struct conversation *conversation = find(table, &step->key);

	return conversation && conversation->last_skb == step->skb ? conversation : NULL;
}

static void adopt_orphans(struct conversation_table *table, struct conversation *conversation,
			  uint64_t sk)
{
	for (size_t i = 0; sk && i < ORPHANS_MAX; i++) {
		struct nol_step *orphan = &table->orphans[i];

		if (orphan->sk != sk)
			continue;
		orphan->key = conversation->key;
		append(conversation, orphan);
		memset(orphan, 0, sizeof(*orphan));
	}
}

static bool is_packet(const struct nol_step *step)
{
	return step->kind == NOL_STEP_PACKET_IN || step->kind == NOL_STEP_PACKET_OUT ||
	       (step->kind == NOL_STEP_DROP && !step->is_inbound);
}

static bool is_ending(const struct nol_step *step)
{
	if (step->kind == NOL_STEP_PACKET_IN || step->kind == NOL_STEP_PACKET_OUT)
		return step->flags & TCP_RST;
	return step->kind == NOL_STEP_DESTROYED ||
	       (step->kind == NOL_STEP_STATE && step->new_state == TCP_CLOSE);
}

/* What can only be the start of a connection. */
static bool is_opening(const struct nol_step *step)
{
	if (step->kind == NOL_STEP_PACKET_IN || step->kind == NOL_STEP_PACKET_OUT)
		return (step->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
	return step->kind == NOL_STEP_STATE && step->new_state == TCP_SYN_SENT;
}

static void take(struct conversation_table *table, struct conversation *conversation,
		 const struct nol_step *step)
{
	adopt_orphans(table, conversation, step->sk);
	conversation->last_ns = step->time_ns;
	if (step->sk && step->socket == NOL_SOCKET_TCP)
		conversation->sk = step->kind == NOL_STEP_DESTROYED ? 0 : step->sk;
	if (step->kind == NOL_STEP_PACKET_IN)
		conversation->last_skb = step->skb;
	if (is_packet(step) && !conversation->first_packet_ns)
		conversation->first_packet_ns = step->time_ns;
	conversation->is_ended |= is_ending(step);
	append(conversation, step);
}

static struct conversation *find_known(struct conversation_table *table,
				       const struct nol_step *step)
{
	struct conversation *known;

	if (step->is_unplaced)
		return find_unplaced(table, step);
	if (!step->key.local_port)
		return find_closing(table, step);
	known = find(table, &step->key);
	if (!known || !known->is_ended || !is_opening(step))
		return known;
	known->is_past = true;
	return NULL;
}

/* A drop that ends the packet before it has a device may belong to another interface. */
static bool can_begin(const struct nol_step *step)
{
	return step->kind != NOL_STEP_DROP || (!step->is_inbound && step->ifindex);
}

struct conversation *conversation_add(struct conversation_table *table, const struct nol_step *step)
{
	struct conversation *conversation;

	conversation = find_known(table, step);
	if (!conversation && !step->key.local_port)
		table->orphans[table->next_orphan++ % ORPHANS_MAX] = *step;
	else if (!conversation && can_begin(step))
		conversation = make(table, &step->key);
	if (!conversation)
		return NULL;
	take(table, conversation, step);
	return conversation->first_packet_ns ? conversation : NULL;
}

bool conversation_has_socket(const struct conversation_table *table)
{
	for (size_t i = 0; i < CONVERSATIONS_MAX; i++)
		if (table->conversations[i] && table->conversations[i]->sk)
			return true;
	return false;
}

static struct conversation *find_oldest_after(struct conversation_table *table, uint64_t after_ns)
{
	struct conversation *oldest = NULL;

	for (size_t i = 0; i < CONVERSATIONS_MAX; i++) {
		struct conversation *one = table->conversations[i];

		if (one && one->count && one->first_packet_ns > after_ns &&
		    (!oldest || one->first_packet_ns < oldest->first_packet_ns))
			oldest = one;
	}
	return oldest;
}

void conversation_visit(struct conversation_table *table, conversation_fn fn, void *context)
{
	struct conversation *one = find_oldest_after(table, 0);

	while (one) {
		const uint64_t first_ns = one->first_packet_ns;

		fn(context, one);
		one = find_oldest_after(table, first_ns);
	}
}
