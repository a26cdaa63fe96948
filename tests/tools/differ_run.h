/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Cases on their way, many at once: each sends its next step as soon as its last one is answered, whatever the others
 * wait for. A step is answered when a fence behind it is back, nothing has come for a while (ACKs may be delayed by 40 ms),
 * and both sides have said alike; if they do not, after a deadline.
 */
#ifndef NOLISTEN_TESTS_DIFFER_RUN_H
#define NOLISTEN_TESTS_DIFFER_RUN_H

#include <poll.h>

#include "tools/differ_cases.h"
#include "tools/differ_fence.h"

#define QUIET_MS 100
#define DEADLINE_MS 700
#define TICK_MS 5
#define RUNS_MAX 256
#define RTO_MS 900 /* the first of a SYN-ACK is 1 s (RFC 6298, 2.1) and may be rounded down */
#define PROMPT_MS 300 /* what comes later may be of a timer */
#define AT_ONCE 64 /* the kernel's RSTs share one send buffer, which has room for some 250 */

struct run {
	const struct differ_case *one;
	struct conversation conversations[SIDES];
	unsigned int step; /* the next */
	unsigned int fence; /* which one has to be back */
	uint64_t sent_ms, heard_ms;
	uint64_t sent_realtime_ms;
	bool may_differ; /* nobody waits for it to become alike */
	bool has_ended;
};

static struct run runs[RUNS_MAX];
static size_t run_count, run_begun, run_ended;

/* The step with that number, without its '~'; false: there are not so many. */
static bool find_step(const char *script, unsigned int index, char *out, size_t size, bool *is_sum)
{
	const char *end;

	for (; index; index--) {
		script = strchr(script, ';');
		if (!script)
			return false;
		script++;
	}
	script += strspn(script, " ");
	*is_sum = *script == '~';
	script += *is_sum;
	end = strchrnul(script, ';');
	snprintf(out, size, "%.*s", (int)(end - script), script);
	return true;
}

static void run_next_step(struct run *run, uint64_t now_ms)
{
	char step[1024];
	bool is_sum;

	run->has_ended = !find_step(run->one->script, run->step++, step, sizeof(step), &is_sum);
	if (run->has_ended) {
		run_ended++;
		return;
	}
	run->sent_realtime_ms = clock_ms(CLOCK_REALTIME);
	for (int s = 0; s < SIDES; s++) {
		answer_text_begin(&run->conversations[s].text, is_sum, strchr(step, '&'));
		side_send(&sides[s], &run->conversations[s], step);
	}
	run->sent_ms = run->heard_ms = now_ms;
	run->fence = fence.sent + 1;
}

static bool is_step_answered(const struct run *run, uint64_t now_ms)
{
	if (fence.back < run->fence || now_ms - run->heard_ms < QUIET_MS)
		return false;
	return run->may_differ || now_ms - run->sent_ms >= DEADLINE_MS ||
	       answer_text_is_alike(&run->conversations[0].text, &run->conversations[1].text);
}

/* The server's timer has sent it again, not what we sent: this program was kept from going on for so long. */
static bool is_of_timer(const struct run *run, const struct conversation *conversation,
			const struct wire_answer *answer)
{
	const uint64_t at_ms = answer->received_ms;

	return (answer->flags & (WIRE_SYN | WIRE_ACK)) == (WIRE_SYN | WIRE_ACK) &&
	       answer->seq == conversation->state.iss && at_ms >= conversation->heard_ms + RTO_MS &&
	       (at_ms < run->sent_realtime_ms || at_ms >= run->sent_realtime_ms + PROMPT_MS);
}

static void run_take(int s, const struct wire_answer *answer, uint64_t now_ms)
{
	for (size_t i = 0; i < run_begun; i++) {
		struct conversation *conversation = &runs[i].conversations[s];

		if (runs[i].has_ended || conversation->port != answer->local_port ||
		    is_of_timer(&runs[i], conversation, answer))
			continue;
		if (!conversation->heard_ms)
			conversation->heard_ms = answer->received_ms;
		answer_text_add(&conversation->text, &conversation->state, answer);
		runs[i].heard_ms = now_ms;
	}
}

static void run_receive(uint64_t now_ms)
{
	struct wire_answer answer;
	bool is_answer;

	for (int s = 0; s < SIDES; s++)
		while (side_receive(&sides[s], &answer, &is_answer)) {
			if (!is_answer)
				continue;
			fence_take(s, &answer);
			run_take(s, &answer, now_ms);
		}
}

/* false: all have ended. */
static bool run_advance(uint64_t now_ms)
{
	bool wants_fence = false;

	for (size_t i = 0; i < run_begun; i++) {
		struct run *run = &runs[i];

		if (!run->has_ended && is_step_answered(run, now_ms)) {
			for (int s = 0; s < SIDES; s++)
				answer_text_end(&run->conversations[s].text);
			run_next_step(run, now_ms);
		}
		wants_fence |= !run->has_ended && run->fence > fence.sent;
	}
	while (run_begun < run_count && run_begun - run_ended < AT_ONCE)
		run_next_step(&runs[run_begun++], now_ms);
	if (wants_fence && !fence_is_out())
		fence_send(now_ms);
	return run_ended < run_count;
}

static void run_add(const struct differ_case *one, uint16_t port, bool may_differ)
{
	struct run *run = &runs[run_count++];

	memset(run, 0, sizeof(*run));
	run->one = one;
	run->may_differ = may_differ;
	for (int s = 0; s < SIDES; s++) {
		run->conversations[s].port = port;
		run->conversations[s].state.sent_tsval = SCRIPT_TSVAL;
	}
}

/* All that were added, to their ends. */
static void run_all(void)
{
	struct pollfd pollers[SIDES] = {{sides[0].fd, POLLIN, 0}, {sides[1].fd, POLLIN, 0}};

	while (run_advance(now_ms())) {
		fence_watch(now_ms());
		poll(pollers, SIDES, TICK_MS);
		run_receive(now_ms());
	}
}

#endif
