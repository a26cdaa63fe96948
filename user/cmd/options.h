/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The command line of nolisten-loader. */
#ifndef NOLISTEN_OPTIONS_H
#define NOLISTEN_OPTIONS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nolisten/abi.h>

#include "addr.h"
#include "kern.h"
#include "ports.h"

#define OPTIONS_ERROR_SIZE 256

/* Strings point into argv. */
struct loader_options {
	const char *ifname; /* NULL only with check */
	struct port_set ports;
	struct prefix *prefixes; /* none: the interface's own addresses */
	size_t prefix_count;
	enum nol_method method; /* NOL_METHOD_NONE: auto */
	const char *service; /* passed service_check() */
	enum nol_rst_action rst_action;
	const char *redirect_ifname; /* with NOL_RST_REDIRECT */
	enum kern_xdp_mode xdp_mode;
	enum kern_tc_mode tc_mode;
	const char *events_path; /* NULL: none; "-": standard output */
	uint32_t max_children;
	uint32_t max_flows;
	uint32_t ring_size; /* bytes, of each worker's ring */
	uint32_t workers;
	uint32_t spin_us; /* how long to poll after the last packet before sleeping */
	const char *cookie_key_path; /* NULL: random keys */
	bool is_check, is_json, is_quiet;
	unsigned int verbose;
};

/*
 * 0; -EINVAL (exit status 2) or -ENOMEM with one line in error, without the program's name. --help and
 * --version print and exit. out has to be freed in any case.
 */
int options_parse(struct loader_options *out, int argc, char **argv,
		  char error[OPTIONS_ERROR_SIZE]);
/* "auto" for NOL_METHOD_NONE. */
const char *options_method_text(enum nol_method method);
void options_free(struct loader_options *options);

#endif
