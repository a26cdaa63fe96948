/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the lab's relay does to packets, and in which order they leave. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_setup.h"

#include "relay_queue.h"

static struct relay_rules rules;

static int forget(void **state)
{
	(void)state;
	for (size_t port = 0; port < sizeof(rules.flows) / sizeof(rules.flows[0]); port++)
		free(rules.flows[port]);
	memset(&rules, 0, sizeof(rules));
	return 0;
}

static const struct relay_segment syn = {.flags = RELAY_SYN},
				  data = {.flags = RELAY_ACK, .payload_len = 64};

static enum relay_verdict judge(uint16_t port, enum relay_side side,
				const struct relay_segment *segment)
{
	uint64_t late_us;

	assert_non_null(relay_flow_get(&rules, port));
	return relay_judge(&rules, port, side, segment, &late_us);
}

static void tell(const char *command)
{
	char line[100];

	strcpy(line, command);
	assert_int_equal(relay_command(&rules, line), 0);
}

static void a_rule_is_for_the_nth_of_its_kind(void **state)
{
	(void)state;
	tell("rule 5 client data 2 drop");
	assert_int_equal(judge(5, RELAY_CLIENT, &data), RELAY_PASS);
	assert_int_equal(judge(5, RELAY_CLIENT, &syn), RELAY_PASS);
	assert_int_equal(judge(6, RELAY_CLIENT, &data), RELAY_PASS);
	assert_int_equal(judge(5, RELAY_SERVER, &data), RELAY_PASS);
	assert_int_equal(judge(5, RELAY_CLIENT, &data), RELAY_DROP);
	assert_int_equal(judge(5, RELAY_CLIENT, &data), RELAY_PASS);
}

static void what_is_no_command_is_refused(void **state)
{
	char unknown[] = "frob 5", side[] = "rule 5 nobody data 2 drop";

	(void)state;
	assert_int_equal(relay_command(&rules, unknown), -EINVAL);
	assert_int_equal(relay_command(&rules, side), -EINVAL);
	tell("# a comment");
	tell("");
}

/* Which of the first packets of connections 1000 to 1999 are lost. */
static unsigned int lose(uint64_t seed, bool lost[1000])
{
	unsigned int count = 0;

	forget(NULL);
	rules.loss = (struct relay_loss){.first_port = 1000, .per_million = 20000, .seed = seed};
	for (unsigned int i = 0; i < 1000; i++) {
		lost[i] = judge((uint16_t)(1000 + i), RELAY_CLIENT, &syn) == RELAY_DROP;
		count += lost[i];
	}
	return count;
}

static void loss_is_the_same_for_the_same_seed(void **state)
{
	bool first[1000], again[1000], other[1000];

	(void)state;
	assert_in_range(lose(1, first), 10, 32);
	lose(1, again);
	assert_in_range(lose(2, other), 10, 32);
	assert_memory_equal(first, again, sizeof(first));
	assert_memory_not_equal(first, other, sizeof(first));
}

static void a_retransmission_has_a_fate_of_its_own(void **state)
{
	unsigned int lost = 0;

	(void)state;
	rules.loss = (struct relay_loss){.first_port = 1000, .per_million = 500000};
	for (unsigned int i = 0; i < 1000; i++)
		lost += judge(1000, RELAY_CLIENT, &syn) == RELAY_DROP;
	assert_in_range(lost, 400, 600);
}

static void below_the_first_port_nothing_is_lost(void **state)
{
	(void)state;
	rules.loss = (struct relay_loss){.first_port = 1000, .per_million = 1000000};
	assert_int_equal(judge(999, RELAY_CLIENT, &syn), RELAY_PASS);
	assert_int_equal(judge(1000, RELAY_CLIENT, &syn), RELAY_DROP);
}

static void take(struct relay_queue *queue, uint64_t number, uint64_t due_us,
		 enum relay_verdict verdict)
{
	struct relay_packet *packet = calloc(1, sizeof(*packet));

	assert_non_null(packet);
	packet->number = number;
	packet->due_us = due_us;
	packet->verdict = verdict;
	packet->flow = relay_flow_get(&rules, 5);
	assert_int_equal(relay_queue_take(queue, packet), 0);
}

static void leaves(struct relay_queue *queue, uint64_t number)
{
	struct relay_packet *packet = TAILQ_FIRST(queue);

	assert_non_null(packet);
	assert_int_equal(packet->number, number);
	TAILQ_REMOVE(queue, packet, entry);
	free(packet);
}

static void packets_leave_when_they_are_due(void **state)
{
	struct relay_queue queue = TAILQ_HEAD_INITIALIZER(queue);

	(void)state;
	take(&queue, 1, 300, RELAY_LATE);
	take(&queue, 2, 100, RELAY_DUP);
	take(&queue, 3, 100, RELAY_PASS);
	leaves(&queue, 2);
	leaves(&queue, 2);
	leaves(&queue, 3);
	leaves(&queue, 1);
	assert_true(TAILQ_EMPTY(&queue));
}

static void a_swapped_packet_goes_behind_the_next(void **state)
{
	struct relay_queue queue = TAILQ_HEAD_INITIALIZER(queue);

	(void)state;
	take(&queue, 1, 100, RELAY_SWAP);
	assert_true(TAILQ_EMPTY(&queue));
	take(&queue, 2, 200, RELAY_PASS);
	leaves(&queue, 2);
	leaves(&queue, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_rule_is_for_the_nth_of_its_kind, forget),
		cmocka_unit_test_teardown(what_is_no_command_is_refused, forget),
		cmocka_unit_test_teardown(loss_is_the_same_for_the_same_seed, forget),
		cmocka_unit_test_teardown(a_retransmission_has_a_fate_of_its_own, forget),
		cmocka_unit_test_teardown(below_the_first_port_nothing_is_lost, forget),
		cmocka_unit_test_teardown(packets_leave_when_they_are_due, forget),
		cmocka_unit_test_teardown(a_swapped_packet_goes_behind_the_next, forget),
	};

	return cmocka_run_group_tests_name("relay rules", tests, NULL, NULL);
}
