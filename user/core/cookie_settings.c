/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Between the command line and the cookies. */
#include "cookie_settings.h"

#include <string.h>

#include "cookie_keys.h"
#include "log.h"
#include "session.h"

void cookie_settings_set_mtu(struct cookies *cookies, const struct engine_config *engine,
			     uint32_t mtu)
{
	const uint16_t v4 = session_mss_v4(mtu), v6 = session_mss_v6(mtu);
	const struct cookies_advertised advertised = {
		.mss_v4 = v4,
		.mss_v6 = v6,
		.window_v4 = {engine_window(engine, v4, false), engine_window(engine, v4, true)},
		.window_v6 = {engine_window(engine, v6, false), engine_window(engine, v6, true)},
		.wscale = engine->wscale,
	};

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
			 const struct link_info *link, const struct engine_config *engine)
{
	struct cookies_options options = {
		.ifname = config->ifname,
		.has_link_header = link->has_link_header,
		.method = config->method,
		.max_flows = config->max_flows,
	};
	uint8_t key[SIPHASH_KEY_SIZE];
	int err = read_key(config->cookie_key_path, key, &options.shared_key);

	if (err)
		return err;
	err = cookies_new(out, kern, &options);
	explicit_bzero(key, sizeof(key));
	if (err)
		log_error("%s: no keys for the cookies: %s", config->ifname, strerror(-err));
	else
		cookie_settings_set_mtu(*out, engine, link->mtu);
	return err;
}
