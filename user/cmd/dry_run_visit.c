/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sections, from what the core has found out and what was asked for. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dry_run_report.h"
#include "events.h"
#include "methods.h"
#include "nft.h"
#include "service.h"
#include "socket_spec.h"

#define TEXT_SIZE 512

struct telling {
	dry_run_fn fn;
	void *context;
	const char *section;
};

static void __attribute__((format(printf, 3, 4)))
tell(const struct telling *telling, const char *what, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	telling->fn(telling->context, telling->section, what, text);
}

static void tell_pins(const struct telling *telling, const struct kern_plan *kern)
{
	switch (kern->pins) {
	case KERN_PINS_NEW:
		tell(telling, "maps", "pinned in %s", kern->folder);
		break;
	case KERN_PINS_STALE:
		tell(telling, "maps",
		     "pinned in %s, in place of what a loader has left that was killed",
		     kern->folder);
		break;
	case KERN_PINS_OWNED:
		tell(telling, "maps",
		     "not pinned: %s is of a loader elsewhere, or of one that was killed just now",
		     kern->folder);
		break;
	case KERN_PINS_NO_PLACE:
		tell(telling, "maps", "not pinned: no bpffs on /sys/fs/bpf");
		break;
	}
}

static void tell_programs(const struct telling *telling, const struct config *config,
			  const struct kern_plan *kern)
{
	tell(telling, "xdp", "%s%s%s%s", kern->xdp, *kern->why ? " (" : "", kern->why,
	     *kern->why ? ")" : "");
	if (!strcmp(kern->xdp, "standby"))
		tell(telling, "xdp in floods", "generic, above 20000 SYNs a second");
	tell(telling, "guard", "%s egress%s%s", kern->tc,
	     !strcmp(kern->tc, "tcx") ? ", behind the TCX programs that are there" : "",
	     kern->has_leftover ? ", in place of the filter of a loader that was killed" : "");
	if (method_accepts(config->method))
		tell(telling, "cookies", "tcx ingress");
	tell_pins(telling, kern);
	if (kern->takes_over)
		tell(telling, "takes over",
		     "from the last loader, what waits for it in the rings as well");
}

static void tell_rules(const struct telling *telling, const struct config *config)
{
	char table[NFT_TABLE_SIZE];

	nft_table_name(config->ifname, table);
	if (config->method == NOL_METHOD_NFQUEUE)
		tell(telling, "rules",
		     "nftables: table inet %s, or a chain of iptables' mangle table; and a queue, the "
		     "first free one from 28160 on",
		     table);
	else if (config->method == NOL_METHOD_FILTER)
		tell(telling, "rules", "nftables: table inet %s", table);
	if (config->method != NOL_METHOD_NFQUEUE)
		tell(telling, "tap", "a packet socket on %s", config->ifname);
}

static void tell_attached(struct telling telling, const struct dry_run_report *report)
{
	const struct config *config = report->config;

	telling.section = "attach";
	tell(&telling, "method", "%s", method_text(config->method));
	if (report->plan.kern.xdp)
		tell_programs(&telling, config, &report->plan.kern);
	else
		tell_rules(&telling, config);
	if (config->guard.is_on)
		tell(&telling, "lease guard", "%s ingress and egress",
		     report->plan.kern.tc ? report->plan.kern.tc : "tcx or clsact,");
}

static void tell_answered(struct telling telling, const struct dry_run_report *report)
{
	char text[TEXT_SIZE];

	telling.section = "answer";
	core_format_addresses(report->core, text, sizeof(text));
	tell(&telling, "addresses", "%s%s", text,
	     report->config->prefix_count ? "" : ", as they come and go");
	port_set_format(&report->config->ports, text, sizeof(text));
	tell(&telling, "ports", "%s%s", text,
	     !strncmp(report->config->service, "socket:", 7) && !report->config->fallback
		     ? ", while an application has asked for them"
		     : "");
	for (int i = 0; i < report->listener_count; i++) {
		const struct survey_listener *one = &report->listeners[i];
		char local[ENDPOINT_TEXT_SIZE];

		endpoint_format(&one->local, local);
		if (one->pid)
			tell(&telling, "not", "%s: %s (pid %u) listens there, it is left to it",
			     local, one->name, one->pid);
		else
			tell(&telling, "not", "%s: a kernel socket listens there, it is left to it",
			     local);
	}
}

static void tell_guarded(struct telling telling, const struct config *config)
{
	char text[TEXT_SIZE];

	telling.section = "guard";
	if (!method_needs_bpf(config->method))
		tell(&telling, "RSTs", "%s",
		     config->method == NOL_METHOD_RAW ? "none is stopped"
		     : config->method == NOL_METHOD_FILTER
			     ? "the kernel's, of answered ports: dropped by the rules"
			     : "none comes: the kernel does not see the SYN");
	else if (config->rst_action == NOL_RST_REDIRECT)
		tell(&telling, "RSTs", "the kernel's, of answered ports: redirected to %s",
		     config->redirect_ifname);
	else
		tell(&telling, "RSTs", "the kernel's, of answered ports: %s",
		     config->rst_action == NOL_RST_PASS ? "counted, and let go" : "dropped");
	if (!config->guard.is_on)
		return;
	port_set_format(&config->guard.ports, text, sizeof(text));
	tell(&telling, "raw sockets", "%s",
	     config->guard.mode == NOL_GUARD_PORTS ? text : "the flows that they open");
}

static void tell_served(struct telling telling, const struct config *config)
{
	telling.section = "serve";
	tell(&telling, "service", "%s", config->service);
	if (config->fallback)
		tell(&telling, "fallback", "%s", config->fallback);
	if (!strncmp(config->service, "exec:", 5))
		tell(&telling, "children", "%u at a time", config->max_children);
	tell(&telling, "workers", "%u", config->workers);
	if (config->metrics)
		tell(&telling, "metrics", "listens on %s", config->metrics);
	if (config->capture.path)
		tell(&telling, "capture", "%s", config->capture.path);
	if (config->events.target)
		tell(&telling, "events", "%s", config->events.target);
}

static void format_user(const struct run_as *user, const char *otherwise, char *text, size_t size)
{
	if (!user->is_set)
		snprintf(text, size, "%s", otherwise);
	else if (*user->name)
		snprintf(text, size, "%s, group %u", user->name, user->gid);
	else
		snprintf(text, size, "user %u, group %u", user->uid, user->gid);
}

static bool has_process(const struct config *config)
{
	return service_is_apart(config->service) ||
	       (config->fallback && service_is_apart(config->fallback));
}

/* Once it has started. */
static void tell_privileges(struct telling telling, const struct config *config)
{
	const struct confine_config *privileges = &config->privileges;
	const struct run_as user = confine_service_user(privileges);
	char loader[64], service[64];

	telling.section = "become";
	format_user(&privileges->user, "the same user", loader, sizeof(loader));
	if (privileges->keeps_all)
		tell(&telling, "loader", "the same user, with all privileges");
	else
		tell(&telling, "loader", "%s, with what it needs for connections", loader);
	format_user(&user, "the same user", service, sizeof(service));
	if (has_process(config))
		tell(&telling, "service", "%s, in a process of its own, without privileges",
		     service);
}

/* What others may notice. */
static void tell_changed(struct telling telling, const struct dry_run_report *report)
{
	struct socket_spec spec;

	telling.section = "change";
	tell(&telling, "sysctls", "none");
	tell(&telling, "lock", "abstract socket @nolisten/%s, for status and flows too",
	     report->config->ifname);
	if (report->plan.kern.tc && !strcmp(report->plan.kern.tc, "clsact"))
		tell(&telling, "qdisc", "clsact on %s, if there is none", report->config->ifname);
	if (socket_spec_of_service(report->config->service, &spec))
		tell(&telling, "socket", "%s, for applications", spec.path);
	if (report->config->pin_s) {
		tell(&telling, "at its end",
		     "programs and maps stay, and answer for %u s unless a loader comes",
		     report->config->pin_s);
		return;
	}
	tell(&telling, "at its end", "all of it goes%s",
	     report->plan.kern.tc && !strcmp(report->plan.kern.tc, "clsact")
		     ? "; killed, it leaves the filter and the pins, which do nothing"
		     : "");
}

void dry_run_visit(const struct dry_run_report *report, dry_run_fn fn, void *context)
{
	const struct telling telling = {.fn = fn, .context = context};

	tell_attached(telling, report);
	tell_answered(telling, report);
	tell_guarded(telling, report->config);
	tell_served(telling, report->config);
	tell_privileges(telling, report->config);
	tell_changed(telling, report);
}
