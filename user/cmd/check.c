/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tables of probe.h and loadable.h, for people. */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_result.h"
#include "core.h"
#include "events.h"
#include "link_watch.h"
#include "loadable.h"
#include "log.h"
#include "methods.h"

struct check {
	const struct loader_options *options;
	struct link_info link; /* of the interface, if one is named */
	struct check_result result;
};

/* Lines come as they are found out: on a slow machine a load takes a while. */
static bool is_for_people(const struct check *check)
{
	return !check->options->is_json;
}

static const char *word_for(bool is_ok, bool is_required, const char *required)
{
	return is_ok ? "ok" : is_required ? required : "absent";
}

static void print_feature(const struct check_feature *found)
{
	printf("%-8s %-24s %s\n", word_for(found->is_present, found->need.is_required, "MISSING"),
	       found->feature->name, found->feature->needed_for);
}

static void print_log(const char *log)
{
	for (const char *line = log; *line; line += strcspn(line, "\n"), line += *line == '\n')
		printf("         | %.*s\n", (int)strcspn(line, "\n"), line);
}

static void print_load(const struct check_load *load, bool has_log)
{
	const bool is_ok = !load->failure.err;
	char name[64], why[LOAD_TEXT_SIZE];

	snprintf(name, sizeof(name), "%s%s%s", load->object, *load->variant ? ", " : "",
		 load->variant);
	printf("%-8s %-24s %s", word_for(is_ok, load->need.is_required, "FAILED"), name,
	       load->needed_for);
	if (!is_ok) {
		load_failure_format(&load->failure, why);
		if (load->instead)
			printf(" (use %s)", load->instead);
		printf(": %s", why);
	}
	putchar('\n');
	if (has_log)
		print_log(load->failure.log);
	fflush(stdout);
}

static void set_required(const struct check *check, struct check_need *need)
{
	need->is_required = method_needs_bpf(check->options->config.method) ? need->with_bpf
									    : need->without_bpf;
}

static void count(struct check_result *result, const struct check_need *need, bool is_ok)
{
	if (is_ok)
		return;
	result->can_with_bpf &= !need->with_bpf;
	result->can_without_bpf &= !need->without_bpf;
	result->can_as_asked &= !need->is_required;
}

static bool asks_netfilter(enum nol_method method)
{
	return method == NOL_METHOD_NFQUEUE || method == NOL_METHOD_FILTER;
}

static void check_features(struct check *check)
{
	struct check_result *result = &check->result;

	for (const struct feature *feature = feature_table; feature->name; feature++) {
		struct check_feature *found = &result->features[result->feature_count++];

		*found = (struct check_feature){
			.feature = feature,
			.need = {.with_bpf = feature->is_required,
				 .without_bpf = feature->is_required && feature->is_for_all},
			.is_present = feature->is_present(),
		};
		set_required(check, &found->need);
		if (feature->is_for_netfilter)
			found->need.is_required = asks_netfilter(check->options->config.method);
		count(result, &found->need, found->is_present);
		if (is_for_people(check))
			print_feature(found);
	}
}

/* Without a method, or with auto, all of them are asked for. */
static bool is_needed(const struct loadable *loadable, const struct config *config)
{
	const bool is_any = config->method == NOL_METHOD_NONE || !method_needs_bpf(config->method);

	switch (loadable->kind) {
	case LOADABLE_OTHER:
		return false;
	case LOADABLE_CONNECT:
		return is_any || config->method == NOL_METHOD_CONNECT;
	case LOADABLE_ACCEPT: /* no other method becomes it by itself */
		return config->method == NOL_METHOD_ACCEPT;
	case LOADABLE_WORKERS:
		return is_any || config->workers > 1;
	case LOADABLE_TARPIT:
		return config->tarpit_s;
	case LOADABLE_CAPTURE:
		return config->capture.path;
	case LOADABLE_CAPTURE_CONNECT:
		return config->capture.path && config->method == NOL_METHOD_CONNECT;
	case LOADABLE_CAPTURE_ACCEPT:
		return config->capture.path && config->method == NOL_METHOD_ACCEPT;
	default:
		return true;
	}
}

static void add_load(struct check *check, const struct check_load *load)
{
	struct check_result *result = &check->result;
	struct check_load *added = &result->loads[result->load_count++];

	*added = *load;
	set_required(check, &added->need);
	count(result, &added->need, !added->failure.err);
	if (is_for_people(check))
		print_load(added, check->options->verbose);
}

static void check_loads(struct check *check)
{
	const struct kern_options sizes = {.ring_size = check->options->config.ring_size,
					   .max_flows = check->options->config.max_flows};

	for (const struct loadable *one = loadable_table; one->object; one++) {
		struct check_load load = {
			.object = one->object,
			.variant = one->variant,
			.needed_for = one->needed_for,
			.instead = one->instead,
			.need.with_bpf = is_needed(one, &check->options->config),
		};

		loadable_try(one, &sizes, &load.failure);
		add_load(check, &load);
	}
}

/* The very object that the loader would make of these options. */
static void check_interface(struct check *check)
{
	const struct config *config = &check->options->config;
	struct check_load load = {
		.object = "nolisten",
		.variant = config->ifname,
		.needed_for = "what these options ask for",
		.need.with_bpf = true,
	};
	struct kern_options kern_options;
	struct kern *kern = NULL;

	method_kern_options(&kern_options, config, &check->link);
	kern_options.lacks_endpoints = false; /* the larger variant */
	kern_open(&kern, &kern_options, &load.failure);
	kern_close(kern);
	add_load(check, &load);
}

/* What does not go, and what to use there. */
static void print_exceptions(const struct check_result *result)
{
	const char *separator = "";

	printf("this host can run nolisten, but not ");
	for (size_t i = 0; i < result->load_count; i++) {
		const struct check_load *load = &result->loads[i];

		if (!load->need.is_required || !load->failure.err)
			continue;
		printf("%s%s", separator, load->needed_for);
		if (load->instead)
			printf(" (use %s)", load->instead);
		separator = ", ";
	}
	putchar('\n');
}

/* Does everything go but for some variants of the main object? */
static bool has_basis(const struct check_result *result)
{
	for (size_t i = 0; i < result->feature_count; i++)
		if (result->features[i].need.is_required && !result->features[i].is_present)
			return false;
	return !result->loads[0].failure.err;
}

static void print_verdict(const struct check *check)
{
	const struct check_result *result = &check->result;
	const enum nol_method method = check->options->config.method;

	if (result->can_as_asked && method != NOL_METHOD_NONE)
		printf("this host can run method %s\n", method_text(method));
	else if (result->can_as_asked)
		printf("this host can run nolisten\n");
	else if (!result->can_without_bpf)
		printf("this host cannot run nolisten\n");
	else if (has_basis(result))
		print_exceptions(result);
	else
		printf("this host cannot run methods with BPF; nfqueue, filter and raw do without\n");
}

static int print(const struct check *check)
{
	int err = 0;

	if (is_for_people(check))
		print_verdict(check);
	else
		err = check_print_json(&check->result, check->options->verbose);
	if (!err && (fflush(stdout) || ferror(stdout)))
		err = -errno;
	if (err)
		log_error("--check: cannot write: %s", strerror(-err));
	return err ?: check->result.can_as_asked ? 0 : -ENOTSUP;
}

static int run(struct check *check)
{
	const struct config *config = &check->options->config;
	int err = config->ifname ? core_find_link(config->ifname, &check->link) : 0;

	if (err)
		return err;
	check_features(check);
	check_loads(check);
	if (config->ifname && method_needs_bpf(config->method))
		check_interface(check);
	return print(check);
}

int check_run(const struct loader_options *options)
{
	struct check *check = calloc(1, sizeof(*check));
	int err;

	if (!check)
		return -ENOMEM;
	check->options = options;
	check->result.can_with_bpf = check->result.can_without_bpf = true;
	check->result.can_as_asked = true;
	err = run(check);
	free(check);
	return err;
}
