/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "bench_lab.h"
#include "bench_report.h"
#include "choose.h"
#include "clock.h"
#include "conditions.h"
#include "goals.h"
#include "log.h"
#include "measure.h"
#include "name_list.h"
#include "output.h"
#include "progress.h"
#include "schedule.h"
#include "sock_diag.h"

#define TIME_QUICK_S 72
#define TIME_S 600
#define OVERRUN_MS 6000 /* beyond the time nothing new is begun */
#define ROUNDS INTERVAL_COUNT_MIN
#define SHARE_OF_ALL \
	0.6 /* of the time, for what everybody takes part in; the rest is for what it did not settle */
#define START_STOP_MS 300
#define ONCE_SLICE_MS 150 /* of what is measured in the first round alone, about */

struct bench {
	const struct bench_options *options;
	struct lab lab;
	struct bench_kern *kern;
	struct cast cast; /* a row of the board each */
	struct board board;
	struct plan plan;
	uint64_t settle_until_ns, deadline_ns;
	unsigned int done, total; /* steps, for the progress bar */
	unsigned int current; /* the contender that runs */
	bool is_settling; /* only what a goal that is not settled rests on is measured */
	struct trial trial;
};

static const uint32_t rates_quick[] = {500000, 600000, 0};
static const uint32_t rates[] = {50000, 100000, 200000, 350000, 500000, 600000, 0};

static const struct contender *current(const struct bench *bench)
{
	return &bench->cast.all[bench->current];
}

/* From now on it is this contender's turn. */
static void choose_current(struct bench *bench, unsigned int index)
{
	bench->current = index;
	bench->trial.contender = current(bench);
	bench->trial.row = &bench->board.rows[index];
}

static void record_reasons(struct bench *bench, const struct measure *measure, const char *reason)
{
	for (const struct figure *figure = measure->sheet->figures; figure->name; figure++)
		trial_record_reason(&bench->trial, figure->name, reason);
}

/* Nobody has asked for it by name. */
static bool is_in_passing(const struct bench *bench, const struct measure *measure)
{
	return !(measure->is_slow && bench->options->is_quick) &&
	       (!measure->unasked || name_list_has(measure->unasked, current(bench)->name));
}

static bool takes_part(const struct bench *bench, const struct measure *measure)
{
	return measure->kinds & current(bench)->kind &&
	       board_has_measure(&bench->board, measure->sheet->name) &&
	       (bench->board.only || is_in_passing(bench, measure));
}

/* Does a goal that is not settled rest on it? */
static bool is_unsettled(const struct bench *bench, const char *contender, const char *measure)
{
	struct goal_result result;

	for (size_t i = 0; i < goal_count(); i++)
		if (goal_rests_on(i, contender, measure) && goal_judge(&bench->board, i, &result) &&
		    result.state == GOAL_UNSETTLED)
			return true;
	return false;
}

/* When in a hurry, and of those that little depends on. */
static bool is_once(const struct bench *bench, const struct measure *measure)
{
	return measure->is_once && !bench->board.only &&
	       (bench->options->is_quick || !name_list_has(MEASURE_CHIEF, current(bench)->name));
}

static bool is_due(const struct bench *bench, const struct measure *measure)
{
	if (!takes_part(bench, measure))
		return false;
	if (bench->is_settling)
		return is_unsettled(bench, current(bench)->name, measure->sheet->name);
	return !is_once(bench, measure) || !bench->board.round;
}

static bool has_due(const struct bench *bench)
{
	for (const struct measure *measure = measure_table; measure->sheet; measure++)
		if (is_due(bench, measure))
			return true;
	return false;
}

static bool is_handoff_due(const struct bench *bench)
{
	return board_has_measure(&bench->board, HANDOFF_MEASURE) &&
	       (!bench->is_settling || is_unsettled(bench, HANDOFF_NAME, HANDOFF_MEASURE));
}

static void show_progress(struct bench *bench, const struct measure *measure)
{
	const uint64_t now_ns = clock_monotonic_ns(), started_ns = bench->board.started_ns;
	char what[64];

	if (bench->is_settling) {
		snprintf(what, sizeof(what), "settling, %s", current(bench)->name);
		progress_show((unsigned int)((now_ns - started_ns) / CLOCK_NS_PER_S),
			      (unsigned int)((bench->deadline_ns - started_ns) / CLOCK_NS_PER_S),
			      what, measure->sheet->name);
		return;
	}
	snprintf(what, sizeof(what), "round %u/%u, %s", bench->board.round + 1, bench->plan.rounds,
		 current(bench)->name);
	progress_show(bench->done++, bench->total, what, measure->sheet->name);
}

static int run_measure(struct bench *bench, const struct measure *measure)
{
	int err;

	show_progress(bench, measure);
	if (clock_monotonic_ns() > bench->deadline_ns) {
		record_reasons(bench, measure, "the time was used up");
		return 0;
	}
	bench->trial.reason[0] = '\0';
	err = measure->run(&bench->trial, bench->plan.slice_ms);
	if (job_is_interrupted())
		return -EINTR;
	if (err)
		record_reasons(bench, measure,
			       bench->trial.reason[0] ? bench->trial.reason : strerror(-err));
	return 0;
}

/* All that it would have been measured for gets the reason. */
static void leave_out(struct bench *bench)
{
	for (const struct measure *measure = measure_table; measure->sheet; measure++)
		if (takes_part(bench, measure))
			record_reasons(bench, measure, current(bench)->reason);
}

static int start_current(struct bench *bench)
{
	struct contender *contender = &bench->cast.all[bench->current];
	int err;

	bench->trial.running = (struct running){
		.contender = contender, .link_fd = -1, .job = (struct job){.log_fd = -1}};
	if (clock_monotonic_ns() > bench->deadline_ns) {
		snprintf(contender->reason, sizeof(contender->reason), "the time was used up");
		return -ETIME;
	}
	/* A native program sends to a peer that has one, too. */
	err = contender->is_native ? flood_open(&bench->trial.flood, false) : 0;
	if (!err)
		err = contender_start(contender, &bench->lab, bench->kern, bench->options->loader,
				      &bench->trial.running);
	bench->trial.row->is_unknown = contender->is_unknown;
	return err;
}

/*
 * A crowd of 100,000 would be sending its last segments for a minute, to remotes that are mute. Where the kernel cannot end them, the next
 * contender meets them. Not while a flood is open: so many RSTs at once bring a veth pair with native programs to a stop.
 */
static void end_orphans(const struct lab *lab)
{
	int err = lab_enter(lab, LAB_SERVER), count;

	if (err)
		return;
	count = sock_diag_end_orphans();
	if (count < 0)
		log_debug("what the contender has left to be closed stays: %s", strerror(-count));
	lab_enter(lab, LAB_HOME);
}

static void stop_current(struct bench *bench)
{
	flood_close(&bench->trial.flood);
	contender_stop(&bench->trial.running, &bench->lab);
	end_orphans(&bench->lab);
}

/* A contender that a flood has filled is replaced by a new one. */
static int prepare(struct bench *bench, const struct measure *measure)
{
	if (!measure->needs_fresh || !bench->trial.flood.has_run)
		return 0;
	stop_current(bench);
	return start_current(bench);
}

static int run_measures(struct bench *bench)
{
	int err = 0;

	for (const struct measure *measure = measure_table; !err && measure->sheet; measure++) {
		if (!is_due(bench, measure))
			continue;
		err = prepare(bench, measure) ?: run_measure(bench, measure);
	}
	return err;
}

static int run_contender(struct bench *bench)
{
	int err = current(bench)->is_out ? -ENODEV : start_current(bench);

	if (!err)
		err = run_measures(bench);
	if (err && err != -EINTR)
		leave_out(bench);
	stop_current(bench);
	return err == -EINTR ? err : 0;
}

/* Each with another one at its head. */
static int run_round(struct bench *bench)
{
	const unsigned int count = bench->cast.count;
	int err = 0;

	if (is_handoff_due(bench))
		err = measure_handoff(&bench->trial, bench->plan.slice_ms);
	for (unsigned int i = 0; !err && i < count; i++) {
		choose_current(bench, (i + bench->board.round) % count);
		if (has_due(bench))
			err = run_contender(bench);
	}
	bench->board.round++;
	return err;
}

static bool has_unsettled(const struct bench *bench)
{
	struct goal_result result;

	for (size_t i = 0; i < goal_count(); i++)
		if (goal_judge(&bench->board, i, &result) && result.state == GOAL_UNSETTLED)
			return true;
	return false;
}

static int run_rounds(struct bench *bench)
{
	int err = 0;

	while (!err && bench->board.round < bench->plan.rounds)
		err = run_round(bench);
	bench->is_settling = true;
	while (!err && has_unsettled(bench) && clock_monotonic_ns() < bench->settle_until_ns)
		err = run_round(bench);
	bench->board.rounds = bench->board.round;
	bench->board.is_over = true;
	return err;
}

static unsigned int count_rates(const struct bench *bench)
{
	unsigned int count = 0;

	while (bench->board.flood_rates[count])
		count++;
	return count;
}

/* What the current contender adds to the work of a round. */
static void add_work(struct bench *bench, struct plan_work *work)
{
	for (const struct measure *measure = measure_table; measure->sheet; measure++) {
		uint32_t slices, fixed_ms;

		if (!takes_part(bench, measure))
			continue;
		bench->total++;
		slices = measure->run == measure_flood ? count_rates(bench) : measure->slices;
		fixed_ms = measure->fixed_ms + (measure->needs_fresh ? START_STOP_MS : 0);
		if (is_once(bench, measure)) {
			work->first_round_ms += fixed_ms + slices * ONCE_SLICE_MS;
		} else {
			work->slices += slices;
			work->round_ms += fixed_ms;
		}
	}
	work->round_ms += START_STOP_MS;
}

static void make_plan(struct bench *bench)
{
	const uint32_t time_s = bench->options->time_s	   ? bench->options->time_s
				: bench->options->is_quick ? TIME_QUICK_S
							   : TIME_S;
	struct plan_work work = {.budget_ms = (uint32_t)(time_s * 1000 * SHARE_OF_ALL),
				 .rounds = ROUNDS,
				 .slice_max_ms = bench->options->slice_ms};

	for (bench->current = 0; bench->current < bench->cast.count; bench->current++)
		add_work(bench, &work);
	if (board_has_measure(&bench->board, HANDOFF_MEASURE))
		work.slices += HANDOFF_SLICES;
	bench->plan = plan_make(&work);
	bench->board.slice_ms = bench->plan.slice_ms;
	conditions_describe(&bench->lab, &bench->plan, bench->board.conditions);
	bench->total *= bench->plan.rounds;
	bench->board.started_ns = clock_monotonic_ns();
	bench->settle_until_ns = bench->board.started_ns + time_s * CLOCK_NS_PER_S;
	bench->deadline_ns = bench->settle_until_ns + OVERRUN_MS * CLOCK_NS_PER_MS;
}

static int open_board(struct bench *bench)
{
	const struct bench_options *options = bench->options;
	struct board *board = &bench->board;
	int err = board_open(board, bench->cast.count);

	board->only = options->only;
	board->is_quick = options->is_quick;
	board->flood_rates = options->is_quick ? rates_quick : rates;
	for (unsigned int i = 0; !err && i < bench->cast.count; i++) {
		const struct contender *contender = &bench->cast.all[i];

		board->rows[i].name = contender->name;
		board->rows[i].text = contender->text;
		board->rows[i].reason = contender->reason;
	}
	return err;
}

static int open_trial(struct bench *bench)
{
	struct flood_result *flood = job_share(sizeof(*flood));
	struct trial *trial = &bench->trial;

	*trial = (struct trial){.lab = &bench->lab,
				.loader = bench->options->loader,
				.kern = bench->kern,
				.board = &bench->board,
				.scratch = job_share(TRIAL_SCRATCH_SIZE),
				.is_quick = bench->options->is_quick};
	if (!flood || !trial->scratch)
		return -ENOMEM;
	flood_init(&trial->flood, &bench->lab, bench->kern, flood);
	return 0;
}

static int open_bench(struct bench *bench)
{
	struct load_failure failure;
	char why[LOAD_TEXT_SIZE];
	int err = open_board(bench);

	if (err)
		return err;
	/* Who closes the pipe that the report goes to still gets results.json. */
	signal(SIGPIPE, SIG_IGN);
	conditions_allow_descriptors();
	err = job_init() ?: lab_open(&bench->lab, &bench_lab_plan);
	if (err)
		return err;
	err = bench_kern_open(&bench->kern, &failure);
	if (err) {
		load_failure_format(&failure, why);
		log_error("bench: cannot load the benchmark's programs: %s", why);
		return err;
	}
	return open_trial(bench);
}

static void close_bench(struct bench *bench)
{
	bench_kern_close(bench->kern);
	lab_close(&bench->lab);
	board_close(&bench->board);
}

/* Does one of them need a loader, and there is none? */
static int check_loader(const struct bench *bench)
{
	if (bench->options->loader)
		return 0;
	for (size_t i = 0; i < bench->cast.count; i++) {
		if (bench->cast.all[i].kind != CONTENDER_LOADER)
			continue;
		log_error("bench: %s; --loader=PATH names another", bench->options->no_loader);
		return -ENOENT;
	}
	return 0;
}

int bench_run(const struct bench_options *options)
{
	static struct bench bench;
	int err;

	bench = (struct bench){.options = options, .lab = LAB_NONE};
	bench.board.command = conditions_read_command(); /* before the names of peers are cut off */
	err = choose_contenders(&bench.cast, options);
	if (!err)
		err = check_loader(&bench);
	if (!err)
		err = open_bench(&bench);
	if (err)
		goto out;
	conditions_look(&bench.lab, &bench.board.machine);
	make_plan(&bench);
	err = run_rounds(&bench);
	progress_clear();
	if (err)
		goto out;
	measure_finish(&bench.board);
	bench_report_print(&bench.board);
	if (options->out_dir)
		err = output_write(&bench.board, options->out_dir);
out:
	if (err == -EINTR)
		log_error("bench: interrupted, nothing is left behind");
	close_bench(&bench);
	return err;
}
