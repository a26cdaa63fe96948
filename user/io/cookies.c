/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Writes nol_cookie, on behalf of the method. */
#include "cookies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cookie_keys.h"
#include "log.h"
#include "reply_probe.h"

#define FIRST_WAIT_MS 100

struct cookies {
	struct cookies_options options;
	struct kern *kern;
	struct nol_cookie *cookie;
	struct cookie_keys keys;
	struct reply_probe *probe; /* while nobody has confirmed that replies arrive */
	bool is_started;
};

static bool is_answering(const struct cookies *cookies)
{
	return cookies && (cookies->options.method == NOL_METHOD_NONE ||
			   cookies->options.method == NOL_METHOD_XDP);
}

static enum nol_answer choose_answer(const struct cookies *cookies, uint32_t half_open)
{
	if (!cookies->is_started)
		return NOL_ANSWER_NONE;
	if (cookies->options.method == NOL_METHOD_XDP || half_open > cookies->options.max_flows / 4)
		return NOL_ANSWER_ALL;
	return NOL_ANSWER_PLAIN;
}

static void set_answer(struct cookies *cookies, enum nol_answer answer)
{
	__atomic_store_n(&cookies->cookie->answer, answer, __ATOMIC_RELEASE);
}

static int open_keys(struct cookies *cookies)
{
	int err = 0;

	if (cookies->options.shared_key)
		cookie_keys_init_shared(&cookies->keys, cookies->cookie,
					cookies->options.shared_key);
	else
		err = cookie_keys_init(&cookies->keys, cookies->cookie);
	return err ?: cookie_keys_beat(&cookies->keys);
}

int cookies_new(struct cookies **out, struct kern *kern, const struct cookies_options *options)
{
	struct cookies *cookies = calloc(1, sizeof(*cookies));
	int err;

	if (!cookies)
		return -ENOMEM;
	cookies->options = *options;
	cookies->kern = kern;
	cookies->cookie = kern_cookie(kern);
	err = is_answering(cookies) ? open_keys(cookies) : 0;
	cookies->options.shared_key = NULL; /* the caller's */
	if (err)
		cookies_free(cookies);
	else
		*out = cookies;
	return err;
}

void cookies_free(struct cookies *cookies)
{
	if (!cookies)
		return;
	reply_probe_free(cookies->probe);
	free(cookies);
}

void cookies_advertise(struct cookies *cookies, const struct cookies_advertised *advertised)
{
	struct nol_cookie *cookie;

	if (!cookies)
		return;
	cookie = cookies->cookie;
	cookie->mss_v4 = advertised->mss_v4;
	cookie->mss_v6 = advertised->mss_v6;
	cookie->wscale = advertised->wscale;
	memcpy(cookie->window_v4, advertised->window_v4, sizeof(cookie->window_v4));
	memcpy(cookie->window_v6, advertised->window_v6, sizeof(cookie->window_v6));
}

static void check_replies(struct cookies *cookies, int timeout_ms)
{
	if (!reply_probe_is_answered(cookies->probe, timeout_ms)) {
		reply_probe_send(cookies->probe);
		return;
	}
	log_info("%s: a neighbour has confirmed that XDP's replies arrive",
		 cookies->options.ifname);
	reply_probe_free(cookies->probe);
	cookies->probe = NULL;
	cookies->is_started = true;
}

/* Generic XDP sends through the driver's ordinary way out, which needs no proof. */
static void begin(struct cookies *cookies)
{
	const char *ifname = cookies->options.ifname;
	int err = -EPFNOSUPPORT;

	reply_probe_free(cookies->probe);
	cookies->probe = NULL;
	cookies->is_started = false;
	if (!kern_is_xdp_native(cookies->kern)) {
		cookies->is_started = true;
		return;
	}
	if (cookies->options.has_link_header)
		err = reply_probe_new(&cookies->probe, cookies->kern, ifname);
	if (err) {
		log_warning(
			"%s: it cannot be told whether XDP's replies arrive: the engine answers",
			ifname);
		return;
	}
	reply_probe_send(cookies->probe);
	check_replies(cookies, FIRST_WAIT_MS);
	if (!cookies->is_started)
		log_info(
			"%s: the engine answers until a neighbour confirms that XDP's replies arrive",
			ifname);
}

void cookies_start(struct cookies *cookies)
{
	if (!is_answering(cookies))
		return;
	begin(cookies);
	set_answer(cookies, choose_answer(cookies, 0));
}

void cookies_beat(struct cookies *cookies, uint32_t half_open)
{
	if (!is_answering(cookies))
		return;
	if (cookie_keys_beat(&cookies->keys))
		log_warning(
			"no random numbers for the next key of the cookies, the last one goes on");
	if (cookies->probe)
		check_replies(cookies, 0);
	set_answer(cookies, choose_answer(cookies, half_open));
}
