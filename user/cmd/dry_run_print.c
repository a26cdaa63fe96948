/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The report, for people and for programs. */
#include <stdio.h>
#include <string.h>

#include "dry_run_report.h"

struct printing {
	const char *section; /* the last one */
};

static void print_line(void *context, const char *section, const char *what, const char *how)
{
	struct printing *printing = context;

	if (strcmp(printing->section, section))
		printf("  would %s\n", section);
	printing->section = section;
	printf("    %-14s %s\n", what, how);
}

static void print_finding(const struct survey_finding *finding)
{
	static const char *const words[] = {
		[SURVEY_NOTE] = "note", [SURVEY_MAY] = "may", [SURVEY_BLOCKS] = "BLOCKS"};

	printf("    %-8s %s: %s\n", words[finding->severity], finding->topic, finding->what);
	if (finding->way_out)
		printf("             -> %s\n", finding->way_out);
}

void dry_run_print(const struct dry_run_report *report)
{
	const struct survey *survey = &report->survey;
	struct printing printing = {.section = ""};

	printf("%s\n", report->config->ifname);
	dry_run_visit(report, print_line, &printing);
	printf("  in its way%s\n", survey->count ? "" : ": nothing was found");
	for (enum survey_severity severity = SURVEY_BLOCKS;; severity--) {
		for (size_t i = 0; i < survey->count; i++)
			if (survey->findings[i].severity == severity)
				print_finding(&survey->findings[i]);
		if (severity == SURVEY_NOTE)
			break;
	}
	if (survey->is_incomplete)
		printf("    out of memory: there may be more\n");
}

/* A section is an array of objects: a name may come twice. */
static void add_line(void *context, const char *section, const char *what, const char *how)
{
	json_t *object = context, *lines = json_object_get(object, section);

	if (!lines) {
		json_object_set_new(object, section, json_array());
		lines = json_object_get(object, section);
	}
	json_array_append_new(lines, json_pack("{s:s, s:s}", "what", what, "how", how));
}

static json_t *finding_to_json(const struct survey_finding *finding)
{
	return json_pack("{s:s, s:s, s:s, s:s?}", "severity",
			 survey_severity_text(finding->severity), "topic", finding->topic, "what",
			 finding->what, "way_out", finding->way_out);
}

static json_t *listener_to_json(const struct survey_listener *one)
{
	char local[ENDPOINT_TEXT_SIZE];

	endpoint_format(&one->local, local);
	return json_pack("{s:s, s:I, s:s}", "local", local, "pid", (json_int_t)one->pid, "program",
			 one->name);
}

json_t *dry_run_to_json(const struct dry_run_report *report)
{
	json_t *object = json_pack("{s:s}", "interface", report->config->ifname);
	json_t *findings = json_array(), *listeners = json_array();

	dry_run_visit(report, add_line, object);
	for (int i = 0; i < report->listener_count; i++)
		json_array_append_new(listeners, listener_to_json(&report->listeners[i]));
	json_object_set_new(object, "listeners", listeners);
	for (size_t i = 0; i < report->survey.count; i++)
		json_array_append_new(findings, finding_to_json(&report->survey.findings[i]));
	json_object_set_new(object, "in_its_way", findings);
	return object;
}
