/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_report.h"
#include "choose.h"
#include "clock.h"
#include "log.h"
#include "measure.h"
#include "progress.h"

#define BUDGET_QUICK_MS 72000
#define BUDGET_MS 600000
#define OVERRUN_MS 6000 /* beyond the budget nothing new is begun */
#define ROUNDS_QUICK 2
#define ROUNDS 5
#define START_STOP_MS 300
#define SCRATCH_SIZE (1 << 20)

static const uint32_t rates_quick[] = {200000, 500000, 600000, 0};
static const uint32_t rates[] = {50000, 100000, 200000, 350000, 500000, 600000, 0};

const struct contender *bench_contender(const struct bench *bench)
{
	return &bench->contenders[bench->current];
}

struct tallies *bench_tallies(struct bench *bench)
{
	return &bench->tallies[bench->current];
}

static void full_name(char name[SAMPLES_NAME_SIZE], const char *contender, const char *figure)
{
	snprintf(name, SAMPLES_NAME_SIZE, "%s.%s", contender, figure);
}

void bench_record(struct bench *bench, const char *figure, double value)
{
	char name[SAMPLES_NAME_SIZE];

	full_name(name, bench_contender(bench)->name, figure);
	samples_add(&bench->samples, name, value);
}

void bench_record_reason(struct bench *bench, const char *figure, const char *reason)
{
	char name[SAMPLES_NAME_SIZE];

	full_name(name, bench_contender(bench)->name, figure);
	samples_add_reason(&bench->samples, name, reason);
}

int bench_fail(struct bench *bench, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(bench->reason, sizeof(bench->reason), format, args);
	va_end(args);
	return err;
}

const struct samples *bench_find(const struct bench *bench, const char *contender,
				 const char *figure)
{
	char name[SAMPLES_NAME_SIZE];

	full_name(name, contender, figure);
	return samples_find(&bench->samples, name);
}

bool bench_get(const struct bench *bench, const char *contender, const char *figure, double *out)
{
	char name[SAMPLES_NAME_SIZE];

	full_name(name, contender, figure);
	return samples_get_median(&bench->samples, name, out);
}

int bench_find_contender(const struct bench *bench, const char *name)
{
	for (unsigned int i = 0; i < bench->contender_count; i++)
		if (!strcmp(bench->contenders[i].name, name))
			return (int)i;
	return -1;
}

static void record_reasons(struct bench *bench, const struct measure *measure, const char *reason)
{
	for (const struct figure *figure = measure->figures; figure->name; figure++)
		bench_record_reason(bench, figure->name, reason);
}

static bool takes_part(const struct bench *bench, const struct measure *measure)
{
	return measure->kinds & bench_contender(bench)->kind &&
	       choose_has_measure(bench->options, measure->name);
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
		 bench_contender(bench)->name);
	progress_show(bench->done++, bench->total, what, measure->name);
	if (clock_monotonic_ns() > bench->deadline_ns) {
		record_reasons(bench, measure, "the time was used up");
		return 0;
	}
	bench->reason[0] = '\0';
	err = measure->run(bench, bench->plan.slice_ms);
	if (job_is_interrupted())
		return -EINTR;
	if (err)
		record_reasons(bench, measure, bench->reason[0] ? bench->reason : strerror(-err));
	return 0;
}

/* All that it would have been measured for gets the reason. */
static void leave_out(struct bench *bench)
{
	for (const struct measure *measure = measure_table; measure->name; measure++)
		if (takes_part(bench, measure))
			record_reasons(bench, measure, bench_contender(bench)->reason);
}

static int start_current(struct bench *bench)
{
	struct contender *contender = &bench->contenders[bench->current];
	int err;

	bench->running = (struct running){
		.contender = contender, .link_fd = -1, .job = (struct job){.log_fd = -1}};
	if (clock_monotonic_ns() > bench->deadline_ns) {
		snprintf(contender->reason, sizeof(contender->reason), "the time was used up");
		return -ETIME;
	}
	/* A native program sends to a peer that has one, too. */
	err = contender->is_native ? flood_open(&bench->flood, false) : 0;
	return err
		       ?: contender_start(contender, &bench->lab, bench->kern,
					  bench->options->loader, &bench->running);
}

/* A contender that a flood has filled is replaced by a new one. */
static int prepare(struct bench *bench, const struct measure *measure)
{
	if (!measure->needs_fresh || !bench->flood.has_run)
		return 0;
	contender_stop(&bench->running, &bench->lab);
	flood_close(&bench->flood);
	return start_current(bench);
}

static int run_measures(struct bench *bench)
{
	int err = 0;

	for (const struct measure *measure = measure_table; !err && measure->name; measure++) {
		if (!is_due(bench, measure))
			continue;
		err = prepare(bench, measure) ?: run_measure(bench, measure);
	}
	return err;
}

static int run_contender(struct bench *bench)
{
	int err = bench_contender(bench)->is_out ? -ENODEV : start_current(bench);

	if (!err)
		err = run_measures(bench);
	if (err && err != -EINTR)
		leave_out(bench);
	contender_stop(&bench->running, &bench->lab);
	flood_close(&bench->flood);
	return err == -EINTR ? err : 0;
}

static int run_rounds(struct bench *bench)
{
	const unsigned int count = bench->contender_count;
	int err = 0;

	for (bench->round = 0; !err && bench->round < bench->plan.rounds; bench->round++) {
		if (choose_has_measure(bench->options, HANDOFF_MEASURE))
			err = measure_handoff(bench, bench->plan.slice_ms);
		for (unsigned int i = 0; !err && i < count; i++) {
			bench->current = (i + bench->round) % count;
			err = run_contender(bench);
		}
	}
	return err;
}

static unsigned int count_rates(const struct bench *bench)
{
	unsigned int count = 0;

	while (bench->flood_rates[count])
		count++;
	return count;
}

/* What the current contender adds to the work of a round. */
static void add_work(struct bench *bench, struct plan_work *work)
{
	for (const struct measure *measure = measure_table; measure->name; measure++) {
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

	for (bench->current = 0; bench->current < bench->contender_count; bench->current++)
		add_work(bench, &work);
	if (choose_has_measure(bench->options, HANDOFF_MEASURE))
		work.slices += HANDOFF_SLICES;
	bench->plan = plan_make(&work);
	bench->total *= bench->plan.rounds;
	bench->started_ns = clock_monotonic_ns();
	bench->deadline_ns = bench->started_ns + (work.budget_ms + OVERRUN_MS) * CLOCK_NS_PER_MS;
}

static int open_bench(struct bench *bench)
{
	struct flood_result *flood = job_share(sizeof(*flood));
	struct load_failure failure;
	char why[LOAD_TEXT_SIZE];
	int err;

	bench->scratch = job_share(SCRATCH_SIZE);
	bench->tallies = calloc(bench->contender_count, sizeof(*bench->tallies));
	if (!flood || !bench->scratch || !bench->tallies)
		return -ENOMEM;
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
	flood_init(&bench->flood, &bench->lab, bench->kern, flood);
	return 0;
}

static void close_bench(struct bench *bench)
{
	bench_kern_close(bench->kern);
	lab_close(&bench->lab);
	samples_free(&bench->samples);
	free(bench->tallies);
}

/* Does one of them need a loader, and there is none? */
static int check_loader(const struct bench *bench)
{
	if (bench->options->loader)
		return 0;
	for (size_t i = 0; i < bench->contender_count; i++) {
		if (bench->contenders[i].kind != CONTENDER_LOADER)
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

	bench = (struct bench){.options = options,
			       .lab = LAB_NONE,
			       .flood_rates = options->is_quick ? rates_quick : rates};
	err = choose_contenders(&bench);
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
	measure_finish(&bench);
	bench_report_print(&bench);
	if (options->out_dir)
		err = bench_report_write(&bench, options->out_dir);
out:
	if (err == -EINTR)
		log_error("bench: interrupted, nothing is left behind");
	close_bench(&bench);
	return err;
}
