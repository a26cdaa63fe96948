/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What of the kernel's own settings stands between a cookie and its socket (method accept). */
#ifndef NOLISTEN_ACCEPT_SETTINGS_H
#define NOLISTEN_ACCEPT_SETTINGS_H

/* -ENOTSUP: with these there will be no socket, which is logged. What may be in the way is warned of. */
int accept_settings_check(const char *ifname);
/*
 * Where NAT would end every handshake for these ports, which is found out by looking at the rules, that is said, with the way out.
 * They may change: it is no error.
 */
struct port_set;
void accept_settings_warn(const char *ifname, const struct port_set *ports);
/* Once a second: a setting that has changed since is told of, once. */
void accept_settings_beat(const char *ifname);

#endif
