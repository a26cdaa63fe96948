/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From the options to events_new(). */
#include "event_settings.h"

#include "rehearsal.h"

int event_settings_open(struct events **out, const struct config *config,
			const struct link_info *link)
{
	const struct events_options options = {
		.target = config->is_rehearsal ? NULL : config->events.target,
		.is_quiet = config->is_quiet,
		.ifname = config->ifname,
		.vlan_id = link->vlan_id,
		.community_id_seed = config->events.community_id_seed,
		.rate = config->events.rate,
	};

	int err = rehearsal_events(config);

	if (err)
		return err;
	run_as_files_begin(&config->privileges.user);
	err = events_new(out, &options);
	run_as_files_end(&config->privileges.user);
	return err;
}
