/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bench_report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "clock.h"
#include "log.h"
#include "measure.h"

#define NAME_WIDTH 14
#define COLUMN_WIDTH 13

static void read_processor(char *text, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256], *colon;

	snprintf(text, size, "unknown processor");
	while (file && fgets(line, sizeof(line), file)) {
		colon = strchr(line, ':');
		if (!colon || strncmp(line, "model name", strlen("model name")))
			continue;
		colon[strcspn(colon, "\n")] = '\0';
		snprintf(text, size, "%s", colon + 2);
		break;
	}
	if (file)
		fclose(file);
}

void bench_report_conditions(const struct bench *bench, char text[CONDITIONS_SIZE])
{
	struct utsname host;
	char processor[100];

	uname(&host);
	read_processor(processor, sizeof(processor));
	snprintf(
		text, CONDITIONS_SIZE,
		"%s, Linux %.60s, veth, server on CPU %d, client on CPU %d; %u rounds of %u ms slices",
		processor, host.release, bench->lab.cpus[LAB_SERVER], bench->lab.cpus[LAB_CLIENT],
		bench->plan.rounds, bench->plan.slice_ms);
}

const char *bench_report_reason(const struct bench *bench, const char *contender,
				const char *figure)
{
	const struct samples *samples = bench_find(bench, contender, figure);
	const int index = bench_find_contender(bench, contender);

	if (samples && *samples->reason)
		return samples->reason;
	if (index >= 0 && bench->contenders[index].reason[0])
		return bench->contenders[index].reason;
	return "it did not take part";
}

static bool is_shown(const struct bench *bench, const struct measure *measure,
		     const struct contender *contender)
{
	return measure->kinds & contender->kind && !contender->is_unknown &&
	       bench_find(bench, contender->name, measure->figures[0].name);
}

static void print_ratio(const struct bench *bench, const char *contender, const char *figure,
			const char *reference, const char *reference_figure)
{
	double value, base;

	if (bench_get(bench, contender, figure, &value) &&
	    bench_get(bench, reference, reference_figure, &base) && base > 0)
		printf(" %9.*fx", value / base < 0.1 ? 3 : 2, value / base);
	else
		printf(" %10s", "-");
}

/* Which of the row's figures are missing, and why the first of them is. */
static void print_missing(const struct bench *bench, const struct measure *measure,
			  const struct contender *contender)
{
	const struct figure *first = NULL;
	bool has_any = false;
	double value;

	for (const struct figure *figure = measure->figures; figure->name; figure++) {
		if (bench_get(bench, contender->name, figure->name, &value))
			has_any = true;
		else if (!first)
			first = figure;
	}
	if (first)
		printf("  %s%snot taken: %s", has_any ? first->title : "", has_any ? " " : "",
		       bench_report_reason(bench, contender->name, first->name));
}

static void print_row(const struct bench *bench, const struct measure *measure,
		      const struct contender *contender)
{
	double value;

	printf("  %-*s", NAME_WIDTH, contender->name);
	for (const struct figure *figure = measure->figures; figure->name; figure++) {
		if (bench_get(bench, contender->name, figure->name, &value))
			printf(" %*.*f", COLUMN_WIDTH, figure->decimals, value);
		else
			printf(" %*s", COLUMN_WIDTH, "-");
	}
	if (measure->compared)
		print_ratio(bench, contender->name, measure->compared, CONTENDER_KERNEL,
			    measure->compared);
	if (measure->limit)
		print_ratio(bench, contender->name, measure->compared, CONTENDER_LIMIT,
			    measure->limit);
	print_missing(bench, measure, contender);
	printf("\n");
}

static void print_head(const struct measure *measure)
{
	printf("\n%s\n  %-*s", measure->title, NAME_WIDTH, "");
	for (const struct figure *figure = measure->figures; figure->name; figure++)
		printf(" %*s", COLUMN_WIDTH, figure->title);
	printf("%s%s\n", measure->compared ? "   x kernel" : "",
	       measure->limit ? "    x limit" : "");
}

static void print_measure(const struct bench *bench, const struct measure *measure)
{
	bool has_head = false;

	for (unsigned int i = 0; i < bench->contender_count; i++) {
		if (!is_shown(bench, measure, &bench->contenders[i]))
			continue;
		if (!has_head)
			print_head(measure);
		has_head = true;
		print_row(bench, measure, &bench->contenders[i]);
	}
}

static void print_handoff(const struct bench *bench)
{
	bool has_head = false;
	char figure[32];
	double value;

	for (unsigned int threads = 1; threads <= HANDOFF_THREADS_MAX; threads *= 2) {
		snprintf(figure, sizeof(figure), "handoff.%u.per_s", threads);
		if (!bench_find(bench, HANDOFF_NAME, figure))
			continue;
		if (!has_head)
			printf("\nhand-offs a second, by threads\n");
		has_head = true;
		if (bench_get(bench, HANDOFF_NAME, figure, &value))
			printf("  %-*u %*.0f\n", NAME_WIDTH, threads, COLUMN_WIDTH, value);
		else
			printf("  %-*u %*s  - not taken: %s\n", NAME_WIDTH, threads, COLUMN_WIDTH,
			       "-", bench_report_reason(bench, HANDOFF_NAME, figure));
	}
}

static void print_goals(const struct bench *bench)
{
	struct goal_result result;
	bool has_head = false;

	for (size_t i = 0; i < goal_count(); i++) {
		if (!goal_judge(bench, i, &result))
			continue;
		if (!has_head)
			printf("\ngoals\n");
		has_head = true;
		printf("  %-64s %-14s", result.text, result.limit);
		if (result.state == GOAL_UNKNOWN)
			printf(" %10s  not taken: %s\n", "-", result.reason);
		else
			printf(" %10.2f  %s\n", result.value,
			       result.state == GOAL_MET ? "met" : "NOT MET");
	}
}

static void print_left_out(const struct bench *bench)
{
	bool has_any = false;

	for (unsigned int i = 0; i < bench->contender_count; i++) {
		if (!bench->contenders[i].is_unknown)
			continue;
		printf("%s%s", has_any ? ", " : "\nnot in this build: ", bench->contenders[i].name);
		has_any = true;
	}
	printf("%s", has_any ? "\n" : "");
}

void bench_report_print(const struct bench *bench)
{
	char conditions[CONDITIONS_SIZE];

	bench_report_conditions(bench, conditions);
	printf("%s\n", conditions);
	for (const struct measure *measure = measure_table; measure->name; measure++)
		print_measure(bench, measure);
	print_handoff(bench);
	print_left_out(bench);
	print_goals(bench);
	printf("\ntook %.0f s\n",
	       (double)(clock_monotonic_ns() - bench->started_ns) / CLOCK_NS_PER_S);
	fflush(stdout);
}

int bench_report_write(const struct bench *bench, const char *dir)
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
	err = bench_report_write_json(bench, path);
	if (err)
		log_error("bench: %s: %s", path, strerror(-err));
	free(path);
	if (!err)
		bench_report_plot(bench, dir);
	return err;
}
