/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Children in process groups of their own, so that Ctrl-C reaches the parent alone. They die with it. */
#include "vlan_loaders.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core.h"
#include "log.h"
#include "vlan.h"

struct vlan_loader {
	char ifname[IF_NAMESIZE];
	pid_t pid; /* 0: it does not run */
	int fd; /* its socket, or -1 */
	bool is_ready;
	struct loop_source *source;
	struct vlan_loaders *all;
};

struct vlan_loaders {
	vlan_ready_fn fn; /* NULL once it has been called */
	void *context;
	size_t count;
	bool is_told; /* that it is over */
	bool has_failed;
	struct vlan_loader loaders[];
};

bool vlan_parent_tell(int parent_fd)
{
	return send(parent_fd, "", 1, MSG_NOSIGNAL) == 1;
}

bool vlan_parent_await(int parent_fd)
{
	char byte;
	ssize_t len;

	do
		len = recv(parent_fd, &byte, sizeof(byte), 0);
	while (len < 0 && errno == EINTR);
	return len == sizeof(byte);
}

/* Each device, before any of them is touched. */
static int find_devices(struct vlan_loaders *loaders, const char *ifname,
			const struct port_set *ids)
{
	struct link_info link;
	int err = core_find_link(ifname, &link);

	for (uint16_t id = 1; !err && id <= VLAN_ID_MAX; id++) {
		struct vlan_loader *loader = &loaders->loaders[loaders->count];

		if (!port_set_has(ids, id))
			continue;
		*loader = (struct vlan_loader){.fd = -1, .all = loaders};
		err = vlan_find_named(ifname, link.ifindex, id, loader->ifname);
		if (!err)
			loaders->count++;
	}
	return err;
}

static void close_sockets(struct vlan_loaders *loaders)
{
	for (size_t i = 0; i < loaders->count; i++) {
		if (loaders->loaders[i].fd >= 0)
			close(loaders->loaders[i].fd);
		loaders->loaders[i].fd = -1;
	}
}

__attribute__((noreturn)) static void run_child(const char *ifname,
						const struct config *parent_config, pid_t parent,
						vlan_job_fn job, int fd)
{
	struct config config = *parent_config;

	setpgid(0, 0);
	signal(SIGTTOU, SIG_IGN); /* a background group may be kept from writing to the terminal */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	config.ifname = ifname;
	_exit(job(&config, fd) ? EXIT_FAILURE : EXIT_SUCCESS);
}

static int fork_one(struct vlan_loaders *loaders, struct vlan_loader *loader,
		    const struct config *config, vlan_job_fn job)
{
	const pid_t parent = getpid();
	int fds[2];
	int err = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) ? -errno : 0;

	if (!err) {
		loader->fd = fds[0];
		loader->pid = fork();
		if (!loader->pid) {
			char ifname[IF_NAMESIZE];

			memcpy(ifname, loader->ifname, sizeof(ifname));
			close_sockets(loaders);
			run_child(ifname, config, parent, job, fds[1]);
		}
		err = loader->pid < 0 ? -errno : 0;
		close(fds[1]);
	}
	if (!err)
		return 0;
	loader->pid = 0;
	log_error("%s: cannot start a process: %s", loader->ifname, strerror(-err));
	return err;
}

static int open_all(struct vlan_loaders *loaders, const struct config *config, vlan_job_fn job)
{
	int err = 0;

	for (size_t i = 0; !err && i < loaders->count; i++)
		err = fork_one(loaders, &loaders->loaders[i], config, job);
	for (size_t i = 0; !err && i < loaders->count; i++)
		err = vlan_parent_await(loaders->loaders[i].fd) ? 0 : -ECHILD;
	return err;
}

static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGCHLD);
	sigprocmask(SIG_BLOCK, set, NULL);
}

int vlan_loaders_new(struct vlan_loaders **out, const struct config *config,
		     const struct port_set *ids, vlan_job_fn job)
{
	const size_t count = port_set_count(ids);
	struct vlan_loaders *loaders =
		calloc(1, sizeof(*loaders) + (count + 1) * sizeof(loaders->loaders[0]));
	sigset_t set;
	int err;

	if (!loaders)
		return -ENOMEM;
	signal(SIGCHLD,
	       SIG_DFL); /* ignored, as whoever started us may have had it, nobody would hear */
	block_signals(&set);
	err = find_devices(loaders, config->ifname, ids);
	if (!err)
		err = open_all(loaders, config, job);
	if (err)
		vlan_loaders_free(loaders, true);
	else
		*out = loaders;
	return err;
}

static void tell_ready(struct vlan_loaders *loaders, int err)
{
	const vlan_ready_fn fn = loaders->fn;

	loaders->fn = NULL;
	if (fn)
		fn(loaders->context, err);
}

/* It is ready, or at its end. Why that came it has said itself, unless it was killed: then that is said when all is over. */
static void take_word(void *context, uint32_t events)
{
	struct vlan_loader *loader = context;
	struct vlan_loaders *loaders = loader->all;
	bool is_ready = true;

	(void)events;
	loader->is_ready = vlan_parent_await(loader->fd);
	if (!loader->is_ready) {
		loop_remove(loader->source);
		loader->source = NULL;
		if (!loaders->is_told)
			log_warning("%s: is no longer answered", loader->ifname);
		tell_ready(loaders, -ECHILD);
		return;
	}
	for (size_t i = 0; i < loaders->count; i++)
		is_ready &= loaders->loaders[i].is_ready;
	if (is_ready)
		tell_ready(loaders, 0);
}

int vlan_loaders_begin(struct vlan_loaders *loaders, struct loop *loop, vlan_ready_fn fn,
		       void *context)
{
	int err = 0;

	if (!loaders) {
		fn(context, 0);
		return 0;
	}
	loaders->fn = fn;
	loaders->context = context;
	for (size_t i = 0; !err && i < loaders->count; i++) {
		struct vlan_loader *loader = &loaders->loaders[i];

		err = loop_add(loop, loader->fd, EPOLLIN, take_word, loader, &loader->source);
		if (err)
			log_error("%s: cannot watch its process: %s", loader->ifname,
				  strerror(-err));
		vlan_parent_tell(loader->fd); /* if it has ended, the loop will tell */
	}
	return err;
}

void vlan_loaders_tell(struct vlan_loaders *loaders)
{
	if (loaders)
		loaders->is_told = true;
	for (size_t i = 0; loaders && i < loaders->count; i++)
		if (loaders->loaders[i].fd >= 0)
			vlan_parent_tell(loaders->loaders[i].fd);
}

void vlan_loaders_reload(struct vlan_loaders *loaders)
{
	for (size_t i = 0; loaders && i < loaders->count; i++)
		if (loaders->loaders[i].pid)
			kill(loaders->loaders[i].pid, SIGHUP);
}

void vlan_loaders_unwatch(struct vlan_loaders *loaders)
{
	for (size_t i = 0; loaders && i < loaders->count; i++) {
		loop_remove(loaders->loaders[i].source);
		loaders->loaders[i].source = NULL;
	}
}

static void note_end(struct vlan_loaders *loaders, struct vlan_loader *loader, int status)
{
	loader->pid = 0;
	loaders->has_failed |= status != 0;
	if (WIFSIGNALED(status))
		log_error("%s: its process was killed by signal %d", loader->ifname,
			  WTERMSIG(status));
}

/* The number of those that still run. */
static size_t reap(struct vlan_loaders *loaders)
{
	size_t running = 0;

	for (size_t i = 0; i < loaders->count; i++) {
		struct vlan_loader *loader = &loaders->loaders[i];
		int status = 0;

		if (loader->pid && waitpid(loader->pid, &status, WNOHANG))
			note_end(loaders, loader, status);
		running += loader->pid != 0;
	}
	return running;
}

int vlan_loaders_free(struct vlan_loaders *loaders, bool at_once)
{
	sigset_t set;
	bool has_failed;

	if (!loaders)
		return 0;
	if (at_once)
		close_sockets(loaders);
	block_signals(&set);
	while (reap(loaders)) {
		const int signal = sigwaitinfo(&set, NULL);

		if (signal == SIGINT || signal == SIGTERM)
			vlan_loaders_tell(loaders);
	}
	close_sockets(loaders);
	has_failed = loaders->has_failed;
	free(loaders);
	return has_failed ? -ECHILD : 0;
}
