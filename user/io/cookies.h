/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which SYNs ingress answers by itself, and with what. Method auto leaves to the engine those that are unusual, as long as
 * it has room; method xdp leaves it only what no cookie can carry.
 */
#ifndef NOLISTEN_COOKIES_H
#define NOLISTEN_COOKIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cookie_keys.h"
#include "kern.h"

struct cookies;

struct cookies_options {
	const char *ifname;
	bool has_link_header;
	enum nol_method
		method; /* NOL_METHOD_NONE: auto; others than that, XDP and ACCEPT: nothing */
	const struct cookie_key_list *shared; /* NULL: random keys */
	bool has_ecn; /* whoever makes the sockets can give it to them */
	uint32_t max_flows;
};

/* What the SYN-ACK advertises to remotes of each family, and which options it agrees to (enum nol_offer). */
struct cookies_advertised {
	struct nol_advertised v4, v6;
	uint8_t offers;
	bool has_routes; /* the table of routes is to be asked, which has something else for some */
};

/* Without programs there is none: NULL is legal below, and does nothing. kern is borrowed. -EIO: no random numbers. */
int cookies_new(struct cookies **out, struct kern *kern, const struct cookies_options *options);
void cookies_free(struct cookies *cookies);

/* In place of other shared keys: see cookie_keys_replace(). False: there are no such. */
bool cookies_replace_keys(struct cookies *cookies, const struct cookie_key_list *list);
/* Of the shared keys, the one that makes cookies first (cookie_key_id()). Their number; 0: keys are not shared. */
size_t cookies_key_ids(const struct cookies *cookies, uint32_t ids[NOL_COOKIE_SETS]);

void cookies_advertise(struct cookies *cookies, const struct cookies_advertised *advertised);
/*
 * From now on, after the programs are attached; in native mode once a reply has been seen to arrive. Again when
 * the link comes back: the other end may have changed.
 */
void cookies_start(struct cookies *cookies);
/*
 * Once a second. half_open: flows in the engine; above a quarter of max_flows auto does as xdp. Above 50,000 cookies a second
 * their TSvals are by the coarse clock, which is cheaper, and by which an RTT is up to a jiffy (4 ms at HZ=250) too long. Above
 * 1,000 a second that are none, and two slots longer, clients without timestamps get no option but the MSS (nol_cookie.is_wary).
 */
void cookies_beat(struct cookies *cookies, uint32_t half_open);

#endif
