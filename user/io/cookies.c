/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Writes nol_cookie, on behalf of the method. */
#include "cookies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "cookie_classes.h"
#include "log.h"
#include "reply_probe.h"

#define FIRST_WAIT_MS 100
#define FORGED_PER_S 1000 /* more than that, and somebody guesses */
#define WARY_S (2 * NOL_COOKIE_SLOT_S) /* after the last such second */
#define EXACT_IN_WINDOW 200 /* 50,000 a second: some 25 ns each are a thousandth of a CPU */

struct cookies {
	struct cookies_options options;
	struct kern *kern;
	struct nol_cookie *cookie;
	struct cookie_keys keys;
	struct reply_probe *probe; /* while nobody has confirmed that replies arrive */
	bool is_started;
	bool is_proven; /* the last loader has seen that replies arrive, and nothing has changed since */
	uint64_t forged, counted_ns; /* those that were none so far, and when that was */
	uint64_t wary_until_ns; /* 0: it is not */
};

static bool is_answering(const struct cookies *cookies)
{
	return cookies && (cookies->options.method == NOL_METHOD_NONE ||
			   cookies->options.method == NOL_METHOD_XDP ||
			   cookies->options.method == NOL_METHOD_ACCEPT);
}

static enum nol_answer choose_answer(const struct cookies *cookies, uint32_t half_open)
{
	if (!cookies->is_started)
		return NOL_ANSWER_NONE;
	if (cookies->options.method != NOL_METHOD_NONE ||
	    half_open > cookies->options.max_flows / 4)
		return NOL_ANSWER_ALL;
	return NOL_ANSWER_PLAIN;
}

static void set_answer(struct cookies *cookies, enum nol_answer answer)
{
	__atomic_store_n(&cookies->cookie->answer, answer, __ATOMIC_RELEASE);
}

/* Whether what XDP sends arrives: strays get their RSTs from there then, whoever answers SYNs. */
static void set_started(struct cookies *cookies, bool is_started)
{
	cookies->is_started = is_started;
	__atomic_store_n(&kern_config(cookies->kern)->can_transmit, is_started, __ATOMIC_RELEASE);
}

static void set_wary(struct cookies *cookies, bool is_wary)
{
	const char *ifname = cookies->options.ifname;

	__atomic_store_n(&cookies->cookie->is_wary, is_wary, __ATOMIC_RELAXED);
	if (is_wary)
		log_warning(
			"%s: somebody guesses cookies: clients without timestamps get an MSS only",
			ifname);
	else
		log_info("%s: nobody guesses cookies any more: all clients get all options",
			 ifname);
}

/*
 * Of method accept the kernel answers guesses: its RSTs tell how many there were. Those that say that a source is full are none; they may be
 * counted a little later.
 */
static void be_wary(struct cookies *cookies, const struct nol_stats *stats, uint64_t now_ns,
		    uint64_t elapsed_ns)
{
	const uint64_t all = stats->cookie_forged + stats->rst_stray - stats->accept_source_full;
	const int64_t forged = (int64_t)(all - cookies->forged);

	cookies->forged = all;
	if (forged > 0 && (uint64_t)forged * CLOCK_NS_PER_S > elapsed_ns * FORGED_PER_S) {
		if (!cookies->wary_until_ns)
			set_wary(cookies, true);
		cookies->wary_until_ns = now_ns + WARY_S * CLOCK_NS_PER_S;
	} else if (cookies->wary_until_ns && now_ns > cookies->wary_until_ns) {
		cookies->wary_until_ns = 0;
		set_wary(cookies, false);
	}
}

static void look_at_counters(struct cookies *cookies)
{
	const uint64_t now_ns = clock_monotonic_ns(), elapsed_ns = now_ns - cookies->counted_ns;
	struct nol_stats stats;

	if (kern_stats_read(cookies->kern, &stats))
		return;
	be_wary(cookies, &stats, now_ns, elapsed_ns);
	cookies->counted_ns = now_ns;
}

/* The last loader's go on, if what is in them has the same meaning. */
static bool take_over(struct cookies *cookies)
{
	struct nol_cookie *cookie = cookies->cookie;

	if (!kern_has_kept_cookies(cookies->kern))
		return false;
	cookie->is_wary = 0;
	if (is_answering(cookies) && cookie->newest &&
	    cookie->has_ecn == cookies->options.has_ecn) {
		cookies->is_proven = kern_config(cookies->kern)->can_transmit;
		return true;
	}
	if (cookie->newest)
		log_warning("%s: cookies of the last loader's method mean something else: "
			    "handshakes that are under way are lost",
			    cookies->options.ifname);
	memset(cookie, 0, sizeof(*cookie));
	return false;
}

static int open_keys(struct cookies *cookies, bool is_takeover)
{
	int err = 0;

	if (cookies->options.shared)
		cookie_keys_init_shared(&cookies->keys, cookies->cookie, cookies->options.shared);
	else if (is_takeover)
		cookie_keys_continue(&cookies->keys, cookies->cookie,
				     clock_monotonic_ns() / CLOCK_NS_PER_S);
	else
		err = cookie_keys_init(&cookies->keys, cookies->cookie);
	return err ?: cookie_keys_beat(&cookies->keys);
}

int cookies_new(struct cookies **out, struct kern *kern, const struct cookies_options *options)
{
	struct cookies *cookies = calloc(1, sizeof(*cookies));
	bool is_takeover;
	int err;

	if (!cookies)
		return -ENOMEM;
	cookies->options = *options;
	cookies->kern = kern;
	cookies->cookie = kern_cookie(kern);
	is_takeover = take_over(cookies);
	cookies->cookie->format = NOL_COOKIE_FORMAT;
	cookies->cookie->has_ecn = options->has_ecn;
	cookies->counted_ns = clock_monotonic_ns();
	cookies->cookie->exact_in_window = EXACT_IN_WINDOW;
	err = is_answering(cookies) ? open_keys(cookies, is_takeover) : 0;
	cookies->options.shared = NULL; /* the caller's */
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
	explicit_bzero(&cookies->keys, sizeof(cookies->keys));
	free(cookies);
}

bool cookies_replace_keys(struct cookies *cookies, const struct cookie_key_list *list)
{
	if (!cookies || !cookies->keys.is_shared)
		return false;
	cookie_keys_replace(&cookies->keys, list);
	return true;
}

size_t cookies_key_ids(const struct cookies *cookies, uint32_t ids[NOL_COOKIE_SETS])
{
	size_t count = 0;

	if (!cookies || !cookies->keys.is_shared)
		return 0;
	for (unsigned int i = 0; i < NOL_COOKIE_SETS; i++) {
		const unsigned int set = (cookies->cookie->making + i) % NOL_COOKIE_SETS;

		if (cookies->cookie->is_open[set])
			ids[count++] = cookie_key_id(cookies->keys.sets[set].key);
	}
	return count;
}

void cookies_advertise(struct cookies *cookies, const struct cookies_advertised *advertised)
{
	struct nol_cookie *cookie;

	if (!cookies)
		return;
	cookie = cookies->cookie;
	cookie_classes_set(cookie, advertised->v4.path_mss, advertised->v6.path_mss);
	cookie->v4 = advertised->v4;
	cookie->v6 = advertised->v6;
	cookie->offers = advertised->offers;
	cookie->has_routes = advertised->has_routes;
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
	set_started(cookies, true);
}

static const char *who_else(const struct cookies *cookies)
{
	return cookies->options.method == NOL_METHOD_ACCEPT ? "TC" : "the engine";
}

/* Generic XDP sends through the driver's ordinary way out, which needs no proof. */
static void begin(struct cookies *cookies)
{
	const char *ifname = cookies->options.ifname;
	int err = -EPFNOSUPPORT;

	reply_probe_free(cookies->probe);
	cookies->probe = NULL;
	if (cookies->is_proven) {
		cookies->is_proven = false;
		if (kern_has_adopted_xdp(cookies->kern)) {
			set_started(cookies, true);
			return;
		}
	}
	set_started(cookies, false);
	if (!kern_is_xdp_native(cookies->kern)) {
		set_started(cookies, true);
		return;
	}
	if (cookies->options.has_link_header)
		err = reply_probe_new(&cookies->probe, cookies->kern, ifname);
	if (err) {
		log_warning("%s: it cannot be told whether XDP's replies arrive: %s answers",
			    ifname, who_else(cookies));
		return;
	}
	reply_probe_send(cookies->probe);
	check_replies(cookies, FIRST_WAIT_MS);
	if (!cookies->is_started)
		log_info("%s: %s answers until a neighbour confirms that XDP's replies arrive",
			 ifname, who_else(cookies));
}

void cookies_start(struct cookies *cookies)
{
	if (!cookies)
		return;
	if (!is_answering(cookies)) {
		/* Without cookies it is not worth asking the neighbours: in native mode the engine answers. */
		set_started(cookies, !kern_is_xdp_native(cookies->kern));
		return;
	}
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
	look_at_counters(cookies);
	set_answer(cookies, choose_answer(cookies, half_open));
}
