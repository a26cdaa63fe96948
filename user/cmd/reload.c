/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The whole command line is read again, with the file as it is now, by the same parser: so it means what it would mean to a
 * loader that starts now. Rows say whether they may change (is_live).
 */
#include "reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "socket_spec.h"

/* Applications have the ports of service socket, and each VLAN's process its own. */
static bool has_own_ports(const struct loader_options *options)
{
	struct socket_spec spec;

	return !port_set_count(&options->vlans) &&
	       !socket_spec_of_service(options->config.service, &spec);
}

static bool is_live(const struct option_row *row, const struct loader_options *started,
		    const struct loader_options *fresh)
{
	if (!row->is_live)
		return false;
	if (!strcmp(row->name, "address"))
		return has_own_ports(started) && started->config.prefix_count &&
		       fresh->config.prefix_count;
	return strcmp(row->name, "port") != 0 || has_own_ports(started);
}

static void tell_what_waits(const struct loader_options *started,
			    const struct loader_options *fresh)
{
	const char *path = started->settings.path, *ifname = started->config.ifname;
	unsigned int line;

	for (const struct option_row *row = loader_command.options; row->take; row++) {
		if (row->is_request || is_live(row, started, fresh) ||
		    option_settings_agree(&started->settings, &fresh->settings, row, &line))
			continue;
		if (line)
			log_warning("%s: %s:%u: %s needs a restart", ifname, path, line, row->name);
		else
			log_warning("%s: %s: that %s is gone needs a restart", ifname, path,
				    row->name);
	}
}

/* A port that the loader guards since its start stays guarded. */
static int set_ports(struct core *core, const struct loader_options *started,
		     const struct loader_options *fresh)
{
	struct port_set ports = fresh->config.ports;

	port_set_subtract(&ports, &started->config.guard.ports);
	if (port_set_count(&ports))
		return core_set_ports(core, &ports);
	log_error("--guard: no port is left to answer: a guarded one is not");
	return -EINVAL;
}

static int apply(struct core *core, const struct loader_options *started,
		 const struct loader_options *fresh)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct port_set old;
	int err;

	if (!snapshot)
		return -ENOMEM;
	core_snapshot(core, snapshot);
	old = *snapshot->ports;
	free(snapshot);
	err = set_ports(core, started, fresh);
	if (err || !started->config.prefix_count || !fresh->config.prefix_count)
		return err;
	err = core_set_prefixes(core, fresh->config.prefixes, fresh->config.prefix_count);
	if (err)
		core_set_ports(core, &old);
	return err;
}

/* argv is changed by the parser, and read again the next time. */
static int parse_again(const struct loader_options *started, struct loader_options *fresh,
		       char text[OPTION_ERROR_SIZE])
{
	const struct option_settings *settings = &started->settings;
	char **argv = calloc(settings->argc + 1, sizeof(*argv));
	int err;

	if (!argv) {
		snprintf(text, OPTION_ERROR_SIZE, "out of memory");
		return -ENOMEM;
	}
	memcpy(argv, settings->argv, settings->argc * sizeof(*argv));
	err = command_parse(&loader_command, fresh, argv, text);
	free(argv);
	return err;
}

int reload(struct core *core, const struct loader_options *started, char text[OPTION_ERROR_SIZE])
{
	const char *ifname = started->config.ifname;
	struct loader_options *fresh = calloc(1, sizeof(*fresh));
	int err = fresh ? parse_again(started, fresh, text) : -ENOMEM;

	if (err) {
		log_error("%s: %s; nothing is changed", ifname, fresh ? text : "out of memory");
		goto out;
	}
	if (has_own_ports(started))
		err = apply(core, started, fresh);
	if (err) {
		snprintf(text, OPTION_ERROR_SIZE, "%s cannot be done", started->settings.path);
		log_error("%s: %s; nothing is changed", ifname, text);
		goto out;
	}
	loader_options_set_log(fresh);
	tell_what_waits(started, fresh);
out:
	if (fresh)
		loader_command.release(fresh);
	free(fresh);
	return err;
}
