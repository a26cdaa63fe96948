/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Between the command line and the cookies. */
#include "cookie_settings.h"

#include <string.h>

#include "cookie_keys.h"
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

/* --cookie-key, if it is there. */
static int read_key(const char *path, uint8_t key[SIPHASH_KEY_SIZE], const uint8_t **out)
{
	const char *why;
	int err;

	*out = NULL;
	if (!path)
		return 0;
	err = cookie_file_read(path, key, &why);
	if (err)
		log_error("--cookie-key: %s: %s", path, why);
	else
		*out = key;
	return err;
}

int cookie_settings_open(struct cookies **out, struct kern *kern, const struct config *config,
			 const struct link_info *link)
{
	struct cookies_options options = {
		.ifname = config->ifname,
		.has_link_header = link->has_link_header,
		.method = config->method,
		.max_flows = config->max_flows,
		.has_ecn = method_accepts(config->method),
	};
	uint8_t key[SIPHASH_KEY_SIZE];
	int err = read_key(config->cookie_key_path, key, &options.shared_key);

	if (err)
		return err;
	err = cookies_new(out, kern, &options);
	explicit_bzero(key, sizeof(key));
	if (err)
		log_error("%s: no keys for the cookies: %s", config->ifname, strerror(-err));
	return err;
}
