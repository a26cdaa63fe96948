/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten unload: what a loader with --pin has left behind goes. The lock keeps loaders away meanwhile. */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "commands.h"
#include "control.h"
#include "log.h"
#include "unpin.h"

#define END_NS (10 * CLOCK_NS_PER_S)
#define LOOK_MS 20

struct unload_options {
	const char *ifname;
	bool ends_loader;
};

/* Who has begun to listen there; zeros: it cannot be told. */
static struct ucred find_loader(const char *ifname)
{
	const int fd = control_connect(ifname, "status");
	struct ucred loader = {0};
	socklen_t len = sizeof(loader);

	if (fd < 0)
		return loader;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &loader, &len))
		loader = (struct ucred){0};
	close(fd);
	return loader;
}

/* The lock, once the loader has given it up, or -errno. */
static int await_lock(const char *ifname)
{
	const uint64_t end_ns = clock_monotonic_ns() + END_NS;
	int fd;

	while ((fd = control_listen(ifname)) == -EADDRINUSE && clock_monotonic_ns() < end_ns)
		poll(NULL, 0, LOOK_MS);
	return fd;
}

static int end_loader(const char *ifname)
{
	const struct ucred loader = find_loader(ifname);
	const pid_t pid = loader.pid;
	int fd;

	/* A stranger may be gone, and the number another's. */
	if (loader.uid && loader.uid != geteuid()) {
		log_error(
			"%s: the loader, process %d, is of user %u, which is for that user to end",
			ifname, pid, loader.uid);
		return -EPERM;
	}
	if (pid && kill(pid, SIGTERM)) {
		log_error("%s: cannot end the loader, process %d: %s", ifname, pid,
			  strerror(errno));
		return -errno;
	}
	fd = await_lock(ifname);
	if (fd == -EADDRINUSE)
		log_error("%s: the loader, process %d, still has connections: end it first", ifname,
			  pid);
	return fd;
}

static int take_lock(const struct unload_options *options)
{
	const char *ifname = options->ifname;
	int fd = control_listen(ifname);

	if (fd == -EADDRINUSE && options->ends_loader)
		return end_loader(ifname);
	if (fd == -EADDRINUSE)
		log_error("%s: a loader runs, process %d: end it first, or use --end", ifname,
			  find_loader(ifname).pid);
	else if (fd < 0)
		log_error("%s: cannot keep loaders away: %s", ifname, strerror(-fd));
	return fd;
}

static int unload(const char *ifname)
{
	const uint32_t ifindex = if_nametoindex(ifname);
	const int err = ifindex ? kern_unload(ifname, ifindex) : -ENODEV;

	if (!err)
		log_info("%s: unloaded", ifname);
	else if (err == -ENODEV)
		log_error("%s: no such interface", ifname);
	else if (err == -ENOENT)
		log_error("%s: nothing is pinned there", ifname);
	else if (err == -EBUSY)
		log_error("%s: what is pinned is of a loader in another network namespace", ifname);
	else if (err == -ENOTSUP)
		log_error("%s: no bpffs on /sys/fs/bpf: nothing is pinned", ifname);
	else
		log_error("%s: cannot unload: %s", ifname, strerror(-err));
	return err;
}

static int run(void *context)
{
	const struct unload_options *options = context;
	const int lock_fd = take_lock(options);
	int err;

	if (lock_fd < 0)
		return STATUS_FAILED;
	err = unload(options->ifname);
	close(lock_fd);
	return err ? STATUS_FAILED : STATUS_DONE;
}

static int check(struct option_parse *parse)
{
	const struct unload_options *options = parse->options;

	return options->ifname ? 0 : option_fail_usage(parse, "which interface? ");
}

#define FIELD(member) OPTION_FIELD(unload_options, member)

static const struct option_row options[] = {
	{"end", 0, NULL, "end the loader first, if one runs", option_take_flag, FIELD(ends_loader)},
	OPTION_HELP,
	{0},
};

static const struct option_row arguments[] = {ARGUMENT_IFACE(unload_options, ifname), {0}};

const struct command unload_command = {
	.program = "nolisten",
	.name = "unload",
	.usages = {"[--end] IFACE"},
	.summary = "remove what a loader with --pin has left",
	.purpose = "Detach and remove what a loader with --pin has left on IFACE.",
	.options = options,
	.arguments = arguments,
	.size = sizeof(struct unload_options),
	.check = check,
	.run = run,
};
