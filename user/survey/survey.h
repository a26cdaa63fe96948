/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What on this host is in the way of answering, and what becomes of it: found out by looking, nothing is changed. Each part of it
 * is a file survey_*.c, and adds what it finds.
 */
#ifndef NOLISTEN_SURVEY_H
#define NOLISTEN_SURVEY_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/abi.h>

#include "addr.h"
#include "link_watch.h"
#include "ports.h"
#include "socket_owner.h"

/* What is to be answered, and how. Everything is borrowed. */
struct survey_target {
	const char *ifname;
	const struct link_info *link;
	const struct port_set *ports;
	const struct prefix *prefixes;
	size_t prefix_count;
	enum nol_method method; /* NOL_METHOD_NONE: auto */
	bool has_bpf; /* the method's, as are the next two */
	bool accepts, connects_back;
	bool is_native; /* XDP would be */
	bool is_running; /* a loader is there: what looks left behind is its */
	uint32_t max_flows;
};

enum survey_severity {
	SURVEY_NOTE, /* good to know */
	SURVEY_MAY, /* some of it may not work */
	SURVEY_BLOCKS, /* nothing of what it is about works */
};

struct survey_finding {
	enum survey_severity severity;
	const char *topic; /* a constant */
	char *what; /* what is there, and what will happen */
	char *way_out; /* NULL: there is none */
};

struct survey {
	struct survey_finding *findings;
	size_t count;
	bool is_incomplete; /* no memory */
};

/* Everything that there is to look for. */
void survey_run(struct survey *survey, const struct survey_target *target);
void survey_free(struct survey *survey); /* what it has */
const char *survey_severity_text(enum survey_severity severity); /* "blocks" */

/* For its parts. way_out: "" is none; both are whole texts. */
void survey_add(struct survey *survey, enum survey_severity severity, const char *topic,
		const char *way_out, const char *format, ...) __attribute__((format(printf, 5, 6)));

void survey_link(struct survey *survey, const struct survey_target *target);
void survey_programs(struct survey *survey, const struct survey_target *target);
void survey_firewall(struct survey *survey, const struct survey_target *target);
void survey_settings(struct survey *survey, const struct survey_target *target);
void survey_services(struct survey *survey, const struct survey_target *target);

/* The sysctls alone, below that folder, with a slash at its end. */
void survey_settings_in(struct survey *survey, const struct survey_target *target,
			const char *root);

/*
 * Method accept, of one family; is_tracked: connection tracking looks at the segment that completes a handshake, which has the kernel's
 * request for a socket with it.
 */
struct firewall;
void survey_nat(struct survey *survey, const struct survey_target *target,
		const struct firewall *firewall, bool is_v6);

#define SURVEY_WAY_SIZE 256
/*
 * The same, asked for by itself: connections to these ports (NULL: to any) are reset, whatever the method's parent is. way: a rule that cures
 * it. False as well where the rules cannot be read.
 */
bool survey_nat_prevents(const struct port_set *ports, char way[SURVEY_WAY_SIZE]);

/* A kernel socket that listens on an answered port. */
struct survey_listener {
	struct endpoint local;
	uint32_t pid; /* 0: not found */
	char name[OWNER_NAME_SIZE];
};

/* Their number, or -errno; *out is to be freed. Of each port and address one. */
int survey_listeners(struct survey_listener **out, const struct port_set *ports);

/* The lines of /proc/net/ip_vs: virtual services on these. */
void survey_ipvs(struct survey *survey, const struct survey_target *target, const char *path);

#endif
