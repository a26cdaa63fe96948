/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "capture_options.h"

#include <string.h>
#include <unistd.h>

#include "capture_filter.h"

int capture_options_take_what(struct option_parse *parse, const struct option_row *row,
			      const char *arg)
{
	char words[128];

	if (capture_what_parse(arg, option_field(parse, row)))
		return 0;
	option_list_values(row, words, sizeof(words));
	return option_refuse(parse, arg, "a list of %s is needed", words);
}

/* Without --pcap. */
static int check_alone(struct option_parse *parse, const struct capture_config *capture)
{
	const char *name = NULL;

	if (capture->filter)
		name = "filter";
	else if (capture->what)
		name = "what";
	else if (capture->snap_len)
		name = "snaplen";
	else if (capture->size_mib)
		name = "size";
	else if (capture->files)
		name = "files";
	return name ? option_fail(parse, "--pcap-%s: goes with --pcap=FILE", name) : 0;
}

static int check_output(struct option_parse *parse, const struct config *config)
{
	if (strcmp(config->capture.path, "-"))
		return 0;
	if (config->events.target && !strcmp(config->events.target, "-"))
		return option_fail(parse, "--pcap: standard output has the events already");
	if (config->capture.size_mib)
		return option_fail(parse, "--pcap-size: standard output has no size");
	if (isatty(STDOUT_FILENO))
		return option_fail(parse, "--pcap: standard output is a terminal");
	return 0;
}

static int check_filter(struct option_parse *parse, const struct capture_config *capture)
{
	char why[CAPTURE_FILTER_WHY];

	if (!capture->filter || capture_filter_check(capture->filter, why))
		return 0;
	return option_fail(parse, "--pcap-filter: '%s': %s", capture->filter, why);
}

int capture_options_check(struct option_parse *parse, const struct config *config, bool has_vlans)
{
	const struct capture_config *capture = &config->capture;
	int err;

	if (!capture->path)
		return check_alone(parse, capture);
	if (has_vlans)
		return option_fail(parse,
				   "--pcap: does not go with --vlan, whose devices have a loader "
				   "each: start one on each device, as on eth0.5");
	if (capture->files && !capture->size_mib)
		return option_fail(parse, "--pcap-files: goes with --pcap-size=MIB");
	err = check_output(parse, config);
	return err ?: check_filter(parse, capture);
}
