/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Writes nol_cookie, on behalf of the method. */
#include "answerer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cookie_keys.h"
#include "log.h"
#include "reply_probe.h"

#define FIRST_WAIT_MS 100

struct answerer {
	struct answerer_options options;
	struct kern *kern;
	struct nol_cookie *cookie;
	struct cookie_keys keys;
	struct reply_probe *probe; /* while nobody has confirmed that replies arrive */
	bool is_started;
};

static bool is_answering(const struct answerer *answerer)
{
	return answerer && (answerer->options.method == NOL_METHOD_NONE ||
			    answerer->options.method == NOL_METHOD_XDP);
}

static enum nol_answer choose_answer(const struct answerer *answerer, uint32_t half_open)
{
	if (!answerer->is_started)
		return NOL_ANSWER_NONE;
	if (answerer->options.method == NOL_METHOD_XDP ||
	    half_open > answerer->options.max_flows / 4)
		return NOL_ANSWER_ALL;
	return NOL_ANSWER_PLAIN;
}

static void set_answer(struct answerer *answerer, enum nol_answer answer)
{
	__atomic_store_n(&answerer->cookie->answer, answer, __ATOMIC_RELEASE);
}

static int open_keys(struct answerer *answerer)
{
	int err = 0;

	if (answerer->options.shared_key)
		cookie_keys_init_shared(&answerer->keys, answerer->cookie,
					answerer->options.shared_key);
	else
		err = cookie_keys_init(&answerer->keys, answerer->cookie);
	return err ?: cookie_keys_beat(&answerer->keys);
}

int answerer_new(struct answerer **out, struct kern *kern, const struct answerer_options *options)
{
	struct answerer *answerer = calloc(1, sizeof(*answerer));
	int err;

	if (!answerer)
		return -ENOMEM;
	answerer->options = *options;
	answerer->kern = kern;
	answerer->cookie = kern_cookie(kern);
	err = is_answering(answerer) ? open_keys(answerer) : 0;
	answerer->options.shared_key = NULL; /* the caller's */
	if (err)
		answerer_free(answerer);
	else
		*out = answerer;
	return err;
}

void answerer_free(struct answerer *answerer)
{
	if (!answerer)
		return;
	reply_probe_free(answerer->probe);
	free(answerer);
}

void answerer_set_terms(struct answerer *answerer, const struct answerer_terms *terms)
{
	struct nol_cookie *cookie;

	if (!answerer)
		return;
	cookie = answerer->cookie;
	cookie->mss_v4 = terms->mss_v4;
	cookie->mss_v6 = terms->mss_v6;
	cookie->wscale = terms->wscale;
	memcpy(cookie->window_v4, terms->window_v4, sizeof(cookie->window_v4));
	memcpy(cookie->window_v6, terms->window_v6, sizeof(cookie->window_v6));
}

static void check_replies(struct answerer *answerer, int timeout_ms)
{
	if (!reply_probe_is_answered(answerer->probe, timeout_ms)) {
		reply_probe_send(answerer->probe);
		return;
	}
	log_info("%s: a neighbour has confirmed that XDP's replies arrive",
		 answerer->options.ifname);
	reply_probe_free(answerer->probe);
	answerer->probe = NULL;
	answerer->is_started = true;
}

/* Generic XDP sends through the driver's ordinary way out, which needs no proof. */
static void begin(struct answerer *answerer)
{
	const char *ifname = answerer->options.ifname;
	int err = -EPFNOSUPPORT;

	reply_probe_free(answerer->probe);
	answerer->probe = NULL;
	answerer->is_started = false;
	if (!kern_is_xdp_native(answerer->kern)) {
		answerer->is_started = true;
		return;
	}
	if (answerer->options.has_link_header)
		err = reply_probe_new(&answerer->probe, answerer->kern, ifname);
	if (err) {
		log_warning(
			"%s: it cannot be told whether XDP's replies arrive: the engine answers",
			ifname);
		return;
	}
	reply_probe_send(answerer->probe);
	check_replies(answerer, FIRST_WAIT_MS);
	if (!answerer->is_started)
		log_info(
			"%s: the engine answers until a neighbour confirms that XDP's replies arrive",
			ifname);
}

void answerer_start(struct answerer *answerer)
{
	if (!is_answering(answerer))
		return;
	begin(answerer);
	set_answer(answerer, choose_answer(answerer, 0));
}

void answerer_beat(struct answerer *answerer, uint32_t half_open)
{
	if (!is_answering(answerer))
		return;
	if (cookie_keys_beat(&answerer->keys))
		log_warning(
			"no random numbers for the next key of the cookies, the last one goes on");
	if (answerer->probe)
		check_replies(answerer, 0);
	set_answer(answerer, choose_answer(answerer, half_open));
}
