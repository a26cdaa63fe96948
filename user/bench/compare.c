/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "compare.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define FIGURE_WIDTH 32
#define VALUE_WIDTH 12
#define RATIO_WIDTH 28
#define RATIO_SIZE 64

struct comparison {
	json_t *old, *new;
	unsigned int verdicts[COMPARE_VERDICTS];
	int err;
};

enum compare_verdict compare_judge(enum sheet_aim aim, const struct change *change)
{
	const struct interval *by = &change->difference;

	if (!isfinite(by->low) || !isfinite(by->high))
		return COMPARE_TOO_FEW;
	if (by->low <= 0 && by->high >= 0)
		return COMPARE_SAME;
	if (aim == SHEET_NO_AIM)
		return COMPARE_DIFFERENT;
	return (by->low > 0) == (aim == SHEET_HIGHER) ? COMPARE_BETTER : COMPARE_WORSE;
}

/* The figures of that contender, or of the hand-offs; NULL: it did not take part. */
static json_t *find_figures(const json_t *root, const char *name)
{
	json_t *contender;
	size_t index;

	json_array_foreach(json_object_get(root, "contenders"), index, contender)
	{
		const char *its_name = json_string_value(json_object_get(contender, "name"));

		if (its_name && !strcmp(its_name, name))
			return json_object_get(contender, "figures");
	}
	return strcmp(name, HANDOFF_NAME) ? NULL : json_object_get(root, "hand_off");
}

/* Those that were measured; to be freed. */
static int read_rounds(const json_t *figure, double **values, unsigned int *count)
{
	const json_t *rounds = json_object_get(figure, "rounds"), *round;
	size_t index;

	*count = 0;
	*values = malloc((json_array_size(rounds) + 1) * sizeof(**values));
	if (!*values)
		return -ENOMEM;
	json_array_foreach(rounds, index, round) if (json_is_number(round))(*values)[(*count)++] =
		json_number_value(round);
	return 0;
}

/* -ENOENT: one of them has no value. */
static int find_change(const char *name, const json_t *old, const json_t *new, struct change *out)
{
	double *old_values = NULL, *new_values = NULL;
	unsigned int old_count = 0, new_count = 0;
	int err = read_rounds(old, &old_values, &old_count)
			  ?: read_rounds(new, &new_values, &new_count);

	if (!err && (!old_count || !new_count))
		err = -ENOENT;
	if (!err)
		err = interval_of_change(&(struct change_rounds){old_values, old_count},
					 &(struct change_rounds){new_values, new_count},
					 sheet_is_share(name), out);
	free(old_values);
	free(new_values);
	return err;
}

static void print_value(double value)
{
	const double size = fabs(value);

	printf(" %*.*f", VALUE_WIDTH, size < 100 ? 2 : size < 10000 ? 1 : 0, value);
}

static void print_ratio(const struct interval *ratio)
{
	char text[RATIO_SIZE] = "-";

	if (isfinite(ratio->value) && isfinite(ratio->low))
		snprintf(text, sizeof(text), "%.3fx [%.3f, %.3f]", ratio->value, ratio->low,
			 ratio->high);
	else if (isfinite(ratio->value))
		snprintf(text, sizeof(text), "%.3fx", ratio->value);
	printf(" %*s", RATIO_WIDTH, text);
}

static const char *const verdict_texts[COMPARE_VERDICTS] = {[COMPARE_BETTER] = "better",
							    [COMPARE_WORSE] = "worse",
							    [COMPARE_DIFFERENT] = "different",
							    [COMPARE_SAME] = "no change",
							    [COMPARE_TOO_FEW] = "too few rounds"};

static void print_change(struct comparison *comparison, const char *figure,
			 const struct change *change)
{
	enum compare_verdict verdict;
	enum sheet_aim aim;

	sheet_aim(figure, &aim);
	verdict = compare_judge(aim, change);
	comparison->verdicts[verdict]++;
	printf("  %-*s", FIGURE_WIDTH, figure);
	print_value(change->old_value);
	print_value(change->new_value);
	print_ratio(&change->ratio);
	printf("  %s\n", verdict_texts[verdict]);
}

static void print_head(const char *name)
{
	printf("\n%-*s %*s %*s %*s  verdict\n", FIGURE_WIDTH + 2, name, VALUE_WIDTH, "old",
	       VALUE_WIDTH, "new", RATIO_WIDTH, "ratio [95 %]");
}

static void compare_contender(struct comparison *comparison, const char *name)
{
	const json_t *old_figures = find_figures(comparison->old, name), *new_figure;
	bool has_head = false;
	struct change change;
	const char *figure;
	int err;

	json_object_foreach(find_figures(comparison->new, name), figure, new_figure)
	{
		err = find_change(figure, json_object_get(old_figures, figure), new_figure,
				  &change);
		if (err == -ENOMEM)
			comparison->err = err;
		if (err)
			continue;
		if (!has_head)
			print_head(name);
		has_head = true;
		print_change(comparison, figure, &change);
	}
}

static void print_summary(const struct comparison *comparison)
{
	unsigned int count = 0;

	for (size_t i = 0; i < COMPARE_VERDICTS; i++) {
		if (!comparison->verdicts[i])
			continue;
		printf("%s%u %s", count ? ", " : "\n", comparison->verdicts[i], verdict_texts[i]);
		count += comparison->verdicts[i];
	}
	printf("%s", count ? "\n" : "\nno figure is in both\n");
}

static bool is_results(const json_t *root)
{
	const json_t *contenders = json_object_get(root, "contenders"), *contender;
	size_t index;

	if (!json_is_array(contenders))
		return false;
	json_array_foreach(
		contenders, index,
		contender) if (!json_is_string(json_object_get(contender, "name")) ||
			       !json_is_object(json_object_get(contender, "figures"))) return false;
	return true;
}

static int read_results(const char *path, json_t **out)
{
	FILE *file = fopen(path, "re");
	json_error_t error;
	int err = file ? 0 : -errno;

	if (err) {
		log_error("bench: %s: %s", path, strerror(-err));
		return err;
	}
	*out = json_loadf(file, 0, &error);
	fclose(file);
	if (*out && is_results(*out))
		return 0;
	log_error(*out ? "bench: %s: no results.json of nolisten bench" : "bench: %s: not JSON",
		  path);
	return -EBADMSG;
}

static void print_conditions(const char *what, const char *path, const json_t *root)
{
	const char *conditions = json_string_value(json_object_get(root, "conditions"));

	printf("%s: %s: %s\n", what, path, conditions ?: "under unknown conditions");
}

static void print_all(struct comparison *comparison)
{
	json_t *contender;
	size_t index;

	json_array_foreach(json_object_get(comparison->new, "contenders"), index, contender)
		compare_contender(comparison,
				  json_string_value(json_object_get(contender, "name")));
	compare_contender(comparison, HANDOFF_NAME);
	print_summary(comparison);
	fflush(stdout);
}

int compare_print(const char *old_path, const char *new_path)
{
	struct comparison comparison = {0};
	int err =
		read_results(old_path, &comparison.old) ?: read_results(new_path, &comparison.new);

	if (!err) {
		print_conditions("old", old_path, comparison.old);
		print_conditions("new", new_path, comparison.new);
		print_all(&comparison);
		err = comparison.err;
	}
	if (err == -ENOMEM)
		log_error("bench: out of memory");
	json_decref(comparison.old);
	json_decref(comparison.new);
	return err;
}
