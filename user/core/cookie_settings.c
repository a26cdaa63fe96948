/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Between the command line and the cookies. */
#include "cookie_settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "methods.h"

static bool has_row(const struct routes *routes, const struct routes_row *row)
{
	const struct routes_row *found = routes_row(routes, &row->prefix);

	return found && !memcmp(&found->advertised, &row->advertised, sizeof(row->advertised));
}

/*
 * What is new comes before what is old goes: whoever looks in between finds either. If the last time has failed, there
 * is no telling what is in there.
 */
static int replace_rows(struct kern *kern, const struct routes *routes, const struct routes *old)
{
	const bool is_known = kern_cookie(kern)->has_routes;
	const struct routes_row *rows;
	size_t count;
	int err = 0;

	rows = routes_all(routes, &count);
	for (size_t i = 0; i < count && !err; i++)
		if (!is_known || !has_row(old, &rows[i]))
			err = kern_set_route(kern, &rows[i].prefix, &rows[i].advertised);
	rows = routes_all(old, &count);
	for (size_t i = 0; i < count; i++)
		if (!routes_row(routes, &rows[i].prefix))
			kern_remove_route(kern, &rows[i].prefix);
	return err;
}

void cookie_settings_advertise(struct cookies *cookies, struct kern *kern,
			       const struct engine_settings *settings, const struct routes *old)
{
	struct cookies_advertised advertised = {
		.v4 = settings->v4,
		.v6 = settings->v6,
		.offers = settings->offers,
		.has_routes = settings->routes,
	};
	int err;

	if (!cookies)
		return;
	err = replace_rows(kern, settings->routes, old);
	if (err) {
		log_warning("SYN-ACKs of XDP do not follow the routes: %s", strerror(-err));
		advertised.has_routes = false;
	}
	cookies_advertise(cookies, &advertised);
}

static void tell_keys(const struct cookies *cookies, const char *ifname)
{
	uint32_t ids[NOL_COOKIE_SETS];
	const size_t count = cookies_key_ids(cookies, ids);
	char others[NOL_COOKIE_SETS * 16] = "";
	size_t len = 0;

	if (!count)
		return;
	for (size_t i = 1; i < count; i++)
		len += (size_t)snprintf(others + len, sizeof(others) - len, "%s %08x",
					i > 1 ? "," : "; accepted as well:", ids[i]);
	log_info("%s: cookies are made with key %08x%s", ifname, ids[0], others);
}

/*
 * At the start by whoever starts us, and at SIGHUP by whom we have become: a file of the latter's can be read both times. A
 * root without rights over other users' files (CAP_DAC_OVERRIDE) opens it as that user would.
 */
static int read_file(const struct config *config, struct cookie_key_list *out, const char **why)
{
	const struct run_as *user = &config->privileges.user;
	const uid_t owner = user->is_set ? user->uid : geteuid();
	int err = cookie_file_read(config->cookie_key_path, owner, out, why);

	if (err != -EACCES || owner == geteuid())
		return err;
	run_as_files_begin(user);
	err = cookie_file_read(config->cookie_key_path, owner, out, why);
	run_as_files_end(user);
	return err;
}

int cookie_settings_open(struct cookies **out, struct kern *kern, const struct config *config,
			 const struct link_info *link)
{
	struct cookie_key_list keys;
	struct cookies_options options = {
		.ifname = config->ifname,
		.has_link_header = link->has_link_header,
		.method = config->method,
		.max_flows = config->max_flows,
		.has_ecn = method_accepts(config->method),
		.shared = config->cookie_key_path ? &keys : NULL,
	};
	const char *why;
	int err = options.shared ? read_file(config, &keys, &why) : 0;

	if (err) {
		log_error("--cookie-key: %s: %s", config->cookie_key_path, why);
		return err;
	}
	if (config->cookie_key_path && config->pin_s > NOL_COOKIE_SLOT_S - NOL_COOKIE_EARLY_S)
		log_warning(
			"--pin: with --cookie-key what is answered without a loader is good for "
			"a minute, not for %u s",
			config->pin_s);
	err = cookies_new(out, kern, &options);
	explicit_bzero(&keys, sizeof(keys));
	if (err)
		log_error("%s: no keys for the cookies: %s", config->ifname, strerror(-err));
	else if (!config->is_rehearsal)
		tell_keys(*out, config->ifname);
	return err;
}

bool cookie_settings_reload(struct cookies *cookies, const struct config *config)
{
	struct cookie_key_list keys;
	const char *why;

	if (!config->cookie_key_path)
		return false;
	if (read_file(config, &keys, &why))
		log_error("%s: --cookie-key: %s: %s; the keys are as before", config->ifname,
			  config->cookie_key_path, why);
	else if (cookies_replace_keys(cookies, &keys))
		tell_keys(cookies, config->ifname);
	explicit_bzero(&keys, sizeof(keys));
	return true;
}
