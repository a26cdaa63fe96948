/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The core is opened as always, but as a rehearsal, and closed again in place of being attached. Each VLAN device has its
 * turn, as each has a core of its own.
 */
#include "dry_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dry_run_report.h"
#include "log.h"
#include "methods.h"
#include "vlan.h"

struct rehearsal {
	const struct loader_options *options;
	json_t *interfaces; /* NULL: for people */
	bool has_told;
};

static void look_around(struct dry_run_report *report)
{
	const struct config *config = report->config;
	const struct core_plan *plan = &report->plan;
	const struct survey_target target = {
		.ifname = config->ifname,
		.link = &plan->link,
		.ports = &config->ports,
		.prefixes = plan->prefixes,
		.prefix_count = plan->prefix_count,
		.method = config->method,
		.has_bpf = method_needs_bpf(config->method),
		.accepts = method_accepts(config->method),
		.connects_back = method_connects_back(config->method),
		.is_native = plan->kern.xdp && !strcmp(plan->kern.xdp, "native"),
		.max_flows = config->max_flows,
	};

	survey_run(&report->survey, &target);
	report->listener_count = survey_listeners(&report->listeners, &config->ports);
}

static void tell(struct rehearsal *rehearsal, const struct dry_run_report *report)
{
	rehearsal->has_told = true;
	if (!rehearsal->interfaces)
		dry_run_print(report);
	else
		json_array_append_new(rehearsal->interfaces, dry_run_to_json(report));
}

static int rehearse(struct rehearsal *rehearsal, const struct config *config)
{
	struct dry_run_report report = {.config = config};
	int err = core_open(&report.core, config);

	if (!err) {
		err = core_plan(report.core, &report.plan);
		look_around(&report);
		tell(rehearsal, &report);
	}
	core_close(report.core);
	survey_free(&report.survey);
	free(report.listeners);
	return err;
}

static int rehearse_vlan(struct rehearsal *rehearsal, const struct config *below, uint32_t ifindex,
			 uint16_t id)
{
	char ifname[IF_NAMESIZE];
	struct config config = *below;
	int err = vlan_find_named(below->ifname, ifindex, id, ifname);

	config.ifname = ifname;
	return err ?: rehearse(rehearsal, &config);
}

static int rehearse_all(struct rehearsal *rehearsal)
{
	const struct port_set *vlans = &rehearsal->options->vlans;
	struct config config = rehearsal->options->config;
	struct config below;
	struct link_info link;
	int err = core_find_link(config.ifname, &link);

	config.is_rehearsal = true;
	below = config;
	below.skips_link_local = port_set_count(vlans);
	/* As the loader: all devices are looked for first. */
	for (uint16_t id = 1; !err && id <= VLAN_ID_MAX; id++) {
		char ifname[IF_NAMESIZE];

		if (port_set_has(vlans, id))
			err = vlan_find_named(config.ifname, link.ifindex, id, ifname);
	}
	err = err ?: rehearse(rehearsal, &below);
	for (uint16_t id = 1; !err && id <= VLAN_ID_MAX; id++)
		if (port_set_has(vlans, id))
			err = rehearse_vlan(rehearsal, &config, link.ifindex, id);
	return err;
}

static int print_json(json_t *interfaces, int err)
{
	json_t *all = json_pack("{s:b, s:s?, s:O}", "would_run", !err, "reason",
				err ? log_last_error() : NULL, "interfaces", interfaces);
	int failed = all && !json_dumpf(all, stdout, JSON_COMPACT) ? 0 : -ENOMEM;

	putchar('\n');
	json_decref(all);
	return failed;
}

int dry_run(const struct loader_options *options)
{
	struct rehearsal rehearsal = {
		.options = options,
		.interfaces = options->is_json ? json_array() : NULL,
	};
	int err = rehearse_all(&rehearsal), failed = 0;

	if (options->is_json)
		failed = print_json(rehearsal.interfaces, err);
	else if (rehearsal.has_told)
		printf("%s: would %s\n", options->config.ifname,
		       err ? "not start" : "run; nothing was changed");
	json_decref(rehearsal.interfaces);
	if (!failed && (fflush(stdout) || ferror(stdout)))
		failed = -errno;
	if (failed)
		log_error("--dry-run: cannot write: %s", strerror(-failed));
	return err ?: failed;
}
