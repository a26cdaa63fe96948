/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The guard's life. The command is started last, so that its first segment finds everything there. */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "child.h"
#include "filter_guard.h"
#include "link_watch.h"
#include "log.h"
#include "loop.h"
#include "raw_sockets.h"

#define STATUS_FAILED 1
#define TEXT_SIZE 160

struct guard {
	const struct guard_options *options;
	struct lease_guard *lease; /* NULL: filter does it */
	struct filter_guard *filter;
	struct loop *loop;
	struct child child;
	int pid_fd; /* of options->pid; -1 */
	bool is_ended;
};

static void beat(void *context, uint32_t events)
{
	struct guard *guard = context;

	(void)events;
	if (!guard->lease)
		return;
	lease_guard_set_raw_sockets(guard->lease, raw_sockets_take_tcp());
	lease_guard_beat(guard->lease);
}

static void end(void *context, uint32_t events)
{
	struct guard *guard = context;

	(void)events;
	guard->is_ended = true;
}

static int find_link(const char *ifname, struct link_info *out)
{
	int err = link_find(ifname, out);

	if (err == -ENODEV)
		log_error("%s: no such interface", ifname);
	else if (err == -EPFNOSUPPORT)
		log_error("%s: neither Ethernet, loopback nor an L3 device", ifname);
	else if (err)
		log_error("%s: cannot look it up: %s", ifname, strerror(-err));
	else if (!out->is_up)
		log_error("%s: the interface is down (ip link set %s up)", ifname, ifname);
	return err || out->is_up ? err : -ENETDOWN;
}

/* What COMMAND is called, without its folders. */
static const char *name_of(const struct guard_options *options)
{
	const char *slash;

	if (!options->command)
		return "nolisten";
	slash = strrchr(options->command[0], '/');
	return slash && slash[1] ? slash + 1 : options->command[0];
}

static int open_lease(struct guard *guard)
{
	struct lease_guard_options lease = guard->options->lease;
	struct link_info link, redirect;
	int err = find_link(guard->options->ifname, &link);

	if (!err && guard->options->redirect) {
		err = find_link(guard->options->redirect, &redirect);
		lease.redirect_ifindex = err ? 0 : redirect.ifindex;
	}
	if (err)
		return err;
	lease.ifname = guard->options->ifname;
	lease.ifindex = link.ifindex;
	lease.has_link_header = link.has_link_header;
	lease.name = name_of(guard->options);
	if (guard->options->is_filter)
		return filter_guard_new(&guard->filter, &lease);
	err = lease_guard_new(&guard->lease, &lease);
	return err ? err : lease_guard_attach(guard->lease);
}

static int watch_process(struct guard *guard)
{
	const uint32_t pid = guard->options->pid;

	guard->pid_fd = pidfd_open((pid_t)pid, 0);
	if (guard->pid_fd < 0) {
		log_error("guard: --pid: %u: %s", pid,
			  errno == ESRCH ? "no such process" : strerror(errno));
		return -errno;
	}
	return loop_add(guard->loop, guard->pid_fd, EPOLLIN, end, guard, NULL);
}

static void take_sent(void *context, uint32_t events)
{
	struct guard *guard = context;
	int err = filter_guard_take(guard->filter);

	(void)events;
	if (!err)
		return;
	log_error("guard: cannot lease what is sent: %s", strerror(-err));
	guard->is_ended = true;
}

static int watch_sent(struct guard *guard)
{
	const int fd = guard->filter ? filter_guard_fd(guard->filter) : -1;

	return fd < 0 ? 0 : loop_add(guard->loop, fd, EPOLLIN, take_sent, guard, NULL);
}

static int watch_events(struct guard *guard)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, 0};
	int err = loop_add_timer(guard->loop, LEASE_GUARD_BEAT_MS, beat, guard, NULL);

	if (!err && !guard->options->command)
		err = loop_add_signals(guard->loop, signals, end, guard, NULL);
	if (!err)
		err = watch_sent(guard);
	if (!err && guard->options->pid)
		return watch_process(guard);
	if (err)
		log_error("guard: cannot wait for anything: %s", strerror(-err));
	return err;
}

static bool is_nat_alone(const struct lease_guard_options *lease)
{
	return lease->guards_nat && lease->mode == NOL_GUARD_PORTS && !port_set_count(lease->ports);
}

static void tell_begin(const struct guard *guard)
{
	const struct lease_guard_options *lease = &guard->options->lease;
	char ports[TEXT_SIZE], text[2 * TEXT_SIZE];

	if (is_nat_alone(lease)) {
		snprintf(text, sizeof(text), "what conntrack translates for others");
	} else if (lease->mode == NOL_GUARD_PORTS) {
		port_set_format(lease->ports, ports, sizeof(ports));
		snprintf(text, sizeof(text), "ports %s", ports);
	} else {
		snprintf(text, sizeof(text),
			 "%s that raw sockets open, for %u s after the last segment",
			 lease->mode == NOL_GUARD_FLOWS ? "flows" : "local ports", lease->expiry_s);
	}
	log_info("%s: guarding %s%s (%s)%s", guard->options->ifname, text,
		 lease->guards_nat && !is_nat_alone(lease) ? ", and what conntrack translates" : "",
		 guard->lease ? lease_guard_attach_text(guard->lease) : "nftables",
		 guard->options->command || guard->options->pid ? "" : "; Ctrl-C ends");
}

static void tell_filter_end(const struct guard *guard)
{
	const char *ifname = guard->options->ifname;
	struct filter_guard_stats stats;

	filter_guard_stats(guard->filter, &stats);
	log_info("%s: %llu leases, %llu RSTs stopped", ifname, (unsigned long long)stats.leased,
		 (unsigned long long)stats.rst_dropped);
	if (stats.refused)
		log_warning("%s: %llu leases had no room: --max-leases, or --lease=port, which "
			    "needs one for each local port",
			    ifname, (unsigned long long)stats.refused);
}

static void tell_end(const struct guard *guard)
{
	const uint64_t evicted = lease_guard_evicted(guard->lease);
	struct nol_guard_stats stats;

	if (lease_guard_stats(guard->lease, &stats))
		return;
	log_info("%s: %llu leases, %llu segments ended here, %llu went on, %llu RSTs stopped",
		 guard->options->ifname, stats.leased, stats.in_ended, stats.in_passed,
		 stats.rst_dropped + stats.rst_redirected);
	if (guard->options->lease.mode != NOL_GUARD_PORTS && evicted)
		log_warning("%s: %llu leases had to make room for others: --max-leases, or "
			    "--lease=port, which needs one for each local port",
			    guard->options->ifname, (unsigned long long)evicted);
}

static int wait_for_end(struct guard *guard)
{
	int err = 0;

	while (err >= 0 && !guard->is_ended && !guard->child.has_ended)
		err = loop_wait(guard->loop, -1);
	if (err < 0)
		log_error("guard: cannot wait: %s", strerror(-err));
	return err < 0 ? err : 0;
}

/* The exit status. */
static int live(struct guard *guard)
{
	int status = STATUS_FAILED;

	if (watch_events(guard))
		return STATUS_FAILED;
	beat(guard, 0);
	if (!guard->options->is_quiet)
		tell_begin(guard);
	if (guard->options->command &&
	    child_start(&guard->child, guard->loop, guard->options->command, &status))
		return status;
	if (wait_for_end(guard))
		return STATUS_FAILED;
	if (!guard->options->is_quiet && guard->filter)
		tell_filter_end(guard);
	else if (!guard->options->is_quiet)
		tell_end(guard);
	return guard->child.has_ended ? guard->child.status : 0;
}

int guard_run(const struct guard_options *options)
{
	struct guard guard = {
		.options = options,
		.child = CHILD_INIT(.who = "guard"),
		.pid_fd = -1,
	};
	int err = loop_new(&guard.loop), status = STATUS_FAILED;

	if (err)
		log_error("guard: %s", strerror(-err));
	if (!err && !open_lease(&guard))
		status = live(&guard);
	lease_guard_free(guard.lease);
	filter_guard_free(guard.filter);
	loop_free(guard.loop);
	if (guard.pid_fd >= 0)
		close(guard.pid_fd);
	return status;
}
