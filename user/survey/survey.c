/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "survey.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void survey_run(struct survey *survey, const struct survey_target *target)
{
	survey_link(survey, target);
	survey_programs(survey, target);
	survey_firewall(survey, target);
	survey_settings(survey, target);
	survey_services(survey, target);
}

void survey_free(struct survey *survey)
{
	for (size_t i = 0; i < survey->count; i++) {
		free(survey->findings[i].what);
		free(survey->findings[i].way_out);
	}
	free(survey->findings);
	*survey = (struct survey){0};
}

const char *survey_severity_text(enum survey_severity severity)
{
	switch (severity) {
	case SURVEY_NOTE:
		return "note";
	case SURVEY_MAY:
		return "may";
	case SURVEY_BLOCKS:
		return "blocks";
	}
	return "";
}

void survey_add(struct survey *survey, enum survey_severity severity, const char *topic,
		const char *way_out, const char *format, ...)
{
	struct survey_finding *grown =
		reallocarray(survey->findings, survey->count + 1, sizeof(*grown));
	struct survey_finding finding = {.severity = severity, .topic = topic};
	va_list args;
	int len;

	if (!grown) {
		survey->is_incomplete = true;
		return;
	}
	survey->findings = grown;
	va_start(args, format);
	len = vasprintf(&finding.what, format, args);
	va_end(args);
	finding.way_out = *way_out ? strdup(way_out) : NULL;
	if (len < 0 || (*way_out && !finding.way_out)) {
		if (len >= 0)
			free(finding.what);
		free(finding.way_out);
		survey->is_incomplete = true;
		return;
	}
	grown[survey->count++] = finding;
}
