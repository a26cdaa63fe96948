/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench_lab.h"
#include "bench_report.h"
#include "choose.h"
#include "clock.h"
#include "conditions.h"
#include "log.h"
#include "measure.h"
#include "plot.h"
#include "progress.h"
#include "results.h"
#include "schedule.h"

#define BUDGET_QUICK_MS 72000
#define BUDGET_MS 600000
#define OVERRUN_MS 6000 /* beyond the budget nothing new is begun */
#define ROUNDS_QUICK 2
#define ROUNDS 5
#define START_STOP_MS 300

struct bench {
	const struct bench_options *options;
	struct lab lab;
	struct bench_kern *kern;
	struct cast cast; /* a row of the board each */
	struct board board;
	struct plan plan;
	uint64_t deadline_ns;
	unsigned int done, total; /* steps, for the progress bar */
	unsigned int current, round; /* the contender that runs */
	struct trial trial;
};

static const uint32_t rates_quick[] = {200000, 500000, 600000, 0};
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

static bool takes_part(const struct bench *bench, const struct measure *measure)
{
	return measure->kinds & current(bench)->kind &&
	       board_has_measure(&bench->board, measure->sheet->name);
}

static bool is_due(const struct bench *bench, const struct measure *measure)
{
	return takes_part(bench, measure) &&
	       !(measure->is_once && bench->options->is_quick && bench->round);
}

static int run_measure(struct bench *bench, const struct measure *measure)
{
	char what[64];
	int err;

	snprintf(what, sizeof(what), "round %u/%u, %s", bench->round + 1, bench->plan.rounds,
		 current(bench)->name);
	progress_show(bench->done++, bench->total, what, measure->sheet->name);
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

/* A contender that a flood has filled is replaced by a new one. */
static int prepare(struct bench *bench, const struct measure *measure)
{
	if (!measure->needs_fresh || !bench->trial.flood.has_run)
		return 0;
	contender_stop(&bench->trial.running, &bench->lab);
	flood_close(&bench->trial.flood);
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
	contender_stop(&bench->trial.running, &bench->lab);
	flood_close(&bench->trial.flood);
	return err == -EINTR ? err : 0;
}

static int run_rounds(struct bench *bench)
{
	const unsigned int count = bench->cast.count;
	int err = 0;

	for (bench->round = 0; !err && bench->round < bench->plan.rounds; bench->round++) {
		if (board_has_measure(&bench->board, HANDOFF_MEASURE))
			err = measure_handoff(&bench->trial, bench->plan.slice_ms);
		for (unsigned int i = 0; !err && i < count; i++) {
			choose_current(bench, (i + bench->round) % count);
			err = run_contender(bench);
		}
	}
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
		const bool is_once = measure->is_once && bench->options->is_quick;

		if (!takes_part(bench, measure))
			continue;
		bench->total++;
		work->slices +=
			measure->run == measure_flood ? count_rates(bench) : measure->slices;
		*(is_once ? &work->first_round_ms : &work->round_ms) += measure->fixed_ms;
		work->round_ms += measure->needs_fresh ? START_STOP_MS : 0;
	}
	work->round_ms += START_STOP_MS;
}

static void make_plan(struct bench *bench)
{
	const bool is_quick = bench->options->is_quick;
	struct plan_work work = {.budget_ms = is_quick ? BUDGET_QUICK_MS : BUDGET_MS,
				 .rounds = is_quick ? ROUNDS_QUICK : ROUNDS,
				 .slice_max_ms = bench->options->slice_ms};

	for (bench->current = 0; bench->current < bench->cast.count; bench->current++)
		add_work(bench, &work);
	if (board_has_measure(&bench->board, HANDOFF_MEASURE))
		work.slices += HANDOFF_SLICES;
	bench->plan = plan_make(&work);
	bench->board.rounds = bench->plan.rounds;
	bench->board.slice_ms = bench->plan.slice_ms;
	conditions_describe(&bench->lab, &bench->plan, bench->board.conditions);
	bench->total *= bench->plan.rounds;
	bench->board.started_ns = clock_monotonic_ns();
	bench->deadline_ns =
		bench->board.started_ns + (work.budget_ms + OVERRUN_MS) * CLOCK_NS_PER_MS;
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

static int write_results(const struct board *board, const char *dir)
{
	char *path;
	int err;

	if (mkdir(dir, 0777) && errno != EEXIST) {
		err = -errno;
		log_error("bench: %s: cannot make the folder: %s", dir, strerror(-err));
		return err;
	}
	if (asprintf(&path, "%s/results.json", dir) < 0)
		return -ENOMEM;
	err = results_write(board, path);
	if (err)
		log_error("bench: %s: %s", path, strerror(-err));
	free(path);
	if (!err)
		plot_draw(board, dir);
	return err;
}

int bench_run(const struct bench_options *options)
{
	static struct bench bench;
	int err;

	bench = (struct bench){.options = options, .lab = LAB_NONE};
	err = choose_contenders(&bench.cast, options);
	if (!err)
		err = check_loader(&bench);
	if (!err)
		err = open_bench(&bench);
	if (err)
		goto out;
	make_plan(&bench);
	err = run_rounds(&bench);
	progress_clear();
	if (err)
		goto out;
	measure_finish(&bench.board);
	bench_report_print(&bench.board);
	if (options->out_dir)
		err = write_results(&bench.board, options->out_dir);
out:
	if (err == -EINTR)
		log_error("bench: interrupted, nothing is left behind");
	close_bench(&bench);
	return err;
}
