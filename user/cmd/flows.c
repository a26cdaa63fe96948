/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten flows: the live flow table, in columns as wide as what is in them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "log.h"
#include "query.h"

enum column {
	COLUMN_LOCAL,
	COLUMN_REMOTE,
	COLUMN_STATE,
	COLUMN_METHOD,
	COLUMN_AGE,
	COLUMN_RST_DROPPED,
	COLUMN_HELD,
	COLUMN_COUNT,
};

static const char *const titles[COLUMN_COUNT] = {
	"LOCAL", "REMOTE", "STATE", "METHOD", "AGE", "RST-DROPPED", "HELD",
};

typedef char cell[64];

struct table {
	cell (*rows)[COLUMN_COUNT];
	size_t count, size;
	bool is_incomplete;
};

static void format_age(const json_t *flow, cell out)
{
	const double age_s = json_number_value(json_object_get(flow, "age_s"));
	const unsigned long whole_s = (unsigned long)age_s;

	if (age_s < 60)
		snprintf(out, sizeof(cell), "%.1fs", age_s);
	else if (whole_s < 3600)
		snprintf(out, sizeof(cell), "%lum%02lus", whole_s / 60, whole_s % 60);
	else
		snprintf(out, sizeof(cell), "%luh%02lum", whole_s / 3600, whole_s / 60 % 60);
}

static void fill_row(cell row[COLUMN_COUNT], const json_t *flow)
{
	snprintf(row[COLUMN_LOCAL], sizeof(cell), "%s", query_text(flow, "local"));
	snprintf(row[COLUMN_REMOTE], sizeof(cell), "%s", query_text(flow, "remote"));
	snprintf(row[COLUMN_STATE], sizeof(cell), "%s", query_text(flow, "state"));
	snprintf(row[COLUMN_METHOD], sizeof(cell), "%s", query_text(flow, "method"));
	format_age(flow, row[COLUMN_AGE]);
	snprintf(row[COLUMN_RST_DROPPED], sizeof(cell), "%lld", query_number(flow, "rst_dropped"));
	snprintf(row[COLUMN_HELD], sizeof(cell), "%lld", query_number(flow, "held"));
}

static void add_row(void *context, const json_t *flow)
{
	struct table *table = context;

	if (table->count == table->size) {
		const size_t size = table->size ? 2 * table->size : 64;
		void *grown = reallocarray(table->rows, size, sizeof(*table->rows));

		if (!grown) {
			table->is_incomplete = true;
			return;
		}
		table->rows = grown;
		table->size = size;
	}
	fill_row(table->rows[table->count++], flow);
}

static int column_width(const struct table *table, enum column column)
{
	size_t width = strlen(titles[column]);

	for (size_t i = 0; i < table->count; i++) {
		const size_t len = strlen(table->rows[i][column]);

		width = len > width ? len : width;
	}
	return (int)width;
}

/* Numbers to the right; nothing behind the last column. */
static void print_cell(enum column column, const char *text, int width)
{
	const char *separator = column == COLUMN_COUNT - 1 ? "\n" : "  ";

	printf("%*s%s", column >= COLUMN_AGE ? width : -width, text, separator);
}

static void print_table(const struct table *table)
{
	int widths[COLUMN_COUNT];

	for (enum column column = 0; column < COLUMN_COUNT; column++) {
		widths[column] = column_width(table, column);
		print_cell(column, titles[column], widths[column]);
	}
	for (size_t i = 0; i < table->count; i++)
		for (enum column column = 0; column < COLUMN_COUNT; column++)
			print_cell(column, table->rows[i][column], widths[column]);
}

static int run(void *context)
{
	const struct query *query = context;
	struct table table = {0};
	int err = query_run(query, add_row, &table);

	if (!query->is_json && (!err || table.count))
		print_table(&table);
	if (table.is_incomplete)
		log_error("flows: out of memory, the table is not complete");
	free(table.rows);
	return err || table.is_incomplete ? STATUS_FAILED : STATUS_DONE;
}

static const struct query defaults = {.command = "flows"};

const struct command flows_command = {
	.program = "nolisten",
	.name = "flows",
	.usages = {QUERY_USAGE},
	.summary = "the live flow table",
	.purpose =
		"The live flow table of the loader on IFACE, or of all in this network namespace.",
	.options = query_options,
	.arguments = query_arguments,
	.size = sizeof(struct query),
	.defaults = &defaults,
	.run = run,
};
