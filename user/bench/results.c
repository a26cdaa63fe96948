/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * results.json: every figure with its rounds and the 95 % interval of their median, or the reason why it has none;
 * distributions as [microseconds, share of latencies up to there]; goals.
 */
#include "results.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "goals.h"
#include "sheet.h"

/* [low, high]; null: not known. */
static json_t *interval_json(const struct interval *interval)
{
	if (!isfinite(interval->low) || !isfinite(interval->high))
		return json_null();
	return json_pack("[f, f]", interval->low, interval->high);
}

/* A place for each round up to the last; null where it was not measured. */
static json_t *rounds_json(const struct samples *samples)
{
	json_t *rounds = json_array();

	for (unsigned int i = 0; i < samples->count; i++) {
		while (json_array_size(rounds) < samples->all[i].round)
			json_array_append_new(rounds, json_null());
		json_array_append_new(rounds, json_real(samples->all[i].value));
	}
	return rounds;
}

static json_t *figure_json(const struct samples *samples)
{
	json_t *object = json_object();
	struct interval interval;

	if (samples_interval(samples, &interval)) {
		json_object_set_new(object, "value", json_real(interval.value));
		json_object_set_new(object, "interval", interval_json(&interval));
		json_object_set_new(object, "rounds", rounds_json(samples));
	} else {
		json_object_set_new(object, "value", json_null());
	}
	if (*samples->reason)
		json_object_set_new(object, "reason", json_string(samples->reason));
	return object;
}

/* All figures whose name begins with that of the contender. */
static json_t *figures_json(const struct board *board, const char *contender)
{
	const size_t len = strlen(contender);
	json_t *object = json_object();

	for (unsigned int i = 0; i < board->samples.count; i++) {
		const struct samples *samples = &board->samples.all[i];

		if (!strncmp(samples->name, contender, len) && samples->name[len] == '.')
			json_object_set_new(object, samples->name + len + 1, figure_json(samples));
	}
	return object;
}

static json_t *distribution_json(const struct histogram *histogram)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t upto;

		if (!histogram->buckets[i])
			continue;
		upto = histogram_count_to(histogram, i);
		json_array_append_new(array, json_pack("[f, f]", histogram_middle(i) / 1000,
						       (double)upto / (double)histogram->count));
	}
	return array;
}

static json_t *distributions_json(const struct board *board, unsigned int index)
{
	const struct tallies *tallies = &board->rows[index].tallies;
	json_t *object = json_object();
	char name[64];

	if (tallies->idle.connect.count)
		json_object_set_new(object, "connect", distribution_json(&tallies->idle.connect));
	for (unsigned int i = 0; board->flood_rates[i]; i++) {
		if (!tallies->under_flood[i].connect.count)
			continue;
		snprintf(name, sizeof(name), "flood.%u.connect", board->flood_rates[i]);
		json_object_set_new(object, name,
				    distribution_json(&tallies->under_flood[i].connect));
	}
	return object;
}

static json_t *contender_json(const struct board *board, unsigned int index)
{
	const struct board_row *row = &board->rows[index];
	json_t *object = json_pack("{s:s, s:s, s:o, s:o}", "name", row->name, "text", row->text,
				   "figures", figures_json(board, row->name), "distributions",
				   distributions_json(board, index));

	if (row->is_unknown)
		json_object_set_new(object, "is_built", json_false());
	return object;
}

static json_t *goals_json(const struct board *board)
{
	static const char *const states[] = {[GOAL_MET] = "met",
					     [GOAL_MISSED] = "missed",
					     [GOAL_UNSETTLED] = "not settled",
					     [GOAL_UNKNOWN] = "not taken"};
	json_t *array = json_array(), *object;
	struct goal_result result;

	for (size_t i = 0; i < goal_count(); i++) {
		if (!goal_judge(board, i, &result))
			continue;
		object = json_pack("{s:s, s:s, s:s}", "goal", result.text, "limit", result.limit,
				   "state", states[result.state]);
		if (result.state == GOAL_UNKNOWN)
			json_object_set_new(object, "reason", json_string(result.reason));
		else
			json_object_update_new(
				object, json_pack("{s:f, s:o, s:i}", "value", result.interval.value,
						  "interval", interval_json(&result.interval),
						  "count", (int)result.interval.count));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *machine_json(const struct machine *machine)
{
	json_t *warnings = json_array();
	char text[MACHINE_TEXT_SIZE];

	for (size_t i = 0; machine_warning(machine, i, text); i++)
		json_array_append_new(warnings, json_string(text));
	return json_pack("{s:b, s:s, s:b, s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "is_virtual",
			 machine->is_virtual, "hypervisor", machine->hypervisor, "has_two_cpus",
			 machine->has_two_cpus, "syscall_ns", machine->syscall_ns, "wakeup_us",
			 machine->wakeup_us, "drift_pct", machine->drift_pct, "stolen_pct",
			 machine->stolen_pct, "others_pct", machine->others_pct, "load",
			 machine->load, "warnings", warnings);
}

int results_write(const struct board *board, const char *path)
{
	json_t *contenders = json_array(), *root;
	int err;

	for (unsigned int i = 0; i < board->row_count; i++)
		json_array_append_new(contenders, contender_json(board, i));
	root = json_pack("{s:s, s:o, s:b, s:i, s:i, s:o, s:o, s:o}", "conditions",
			 board->conditions, "machine", machine_json(&board->machine), "quick",
			 board->is_quick, "rounds", (int)board->rounds, "slice_ms",
			 (int)board->slice_ms, "contenders", contenders, "hand_off",
			 figures_json(board, HANDOFF_NAME), "goals", goals_json(board));
	if (!root)
		return -ENOMEM;
	if (board->command)
		json_object_set_new(root, "command", json_string(board->command));
	err = json_dump_file(root, path, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) ? -EIO : 0;
	json_decref(root);
	return err;
}
