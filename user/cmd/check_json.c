/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The result of --check, for programs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <jansson.h>

#include "check_result.h"
#include "version.h"

static json_t *feature_of(const struct check_feature *found)
{
	return json_pack("{s:s, s:s, s:b, s:b}", "name", found->feature->name, "needed_for",
			 found->feature->needed_for, "required", found->need.is_required, "present",
			 found->is_present);
}

static json_t *lines_of(const char *text)
{
	json_t *lines = json_array();

	while (*text) {
		const size_t len = strcspn(text, "\n");

		json_array_append_new(lines, json_stringn(text, len));
		text += len + (text[len] == '\n');
	}
	return lines;
}

static json_t *load_of(const struct check_load *load, bool has_log)
{
	const bool is_ok = !load->failure.err;
	char why[LOAD_TEXT_SIZE];
	json_t *object;

	load_failure_format(&load->failure, why);
	object = json_pack("{s:s, s:s, s:s, s:s?, s:b, s:b, s:s?}", "object", load->object,
			   "variant", load->variant, "needed_for", load->needed_for, "instead",
			   load->instead, "required", load->need.is_required, "ok", is_ok, "reason",
			   is_ok ? NULL : why);
	if (object && has_log && !is_ok)
		json_object_set_new(object, "log", lines_of(load->failure.log));
	return object;
}

static json_t *result_of(const struct check_result *result, bool has_log)
{
	json_t *features = json_array(), *loads = json_array();
	struct utsname host = {0};

	uname(&host);
	for (size_t i = 0; i < result->feature_count; i++)
		json_array_append_new(features, feature_of(&result->features[i]));
	for (size_t i = 0; i < result->load_count; i++)
		json_array_append_new(loads, load_of(&result->loads[i], has_log));
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:{s:b, s:b}}", "version", NOLISTEN_VERSION,
			 "kernel", host.release, "machine", host.machine, "features", features,
			 "loads", loads, "can_run", "with_bpf", result->can_with_bpf, "without_bpf",
			 result->can_without_bpf);
}

int check_print_json(const struct check_result *result, bool has_log)
{
	json_t *object = result_of(result, has_log);
	int err = object && !json_dumpf(object, stdout, JSON_COMPACT) ? 0 : -ENOMEM;

	putchar('\n');
	json_decref(object);
	return err;
}
