/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Children in process groups of their own: Ctrl-C reaches the parent alone, which passes it on once. They die with it. */
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
	int fd; /* a byte to begin; a byte back when it answers */
};

struct vlan_loaders {
	size_t count;
	bool has_failed;
	struct vlan_loader loaders[];
};

/* Each device, before any of them is touched. */
static int find_devices(struct vlan_loaders *loaders, const char *ifname,
			const struct port_set *ids)
{
	struct link_info link;
	int err = core_find_link(ifname, &link);

	for (uint16_t id = 1; !err && id <= VLAN_ID_MAX; id++) {
		if (!port_set_has(ids, id))
			continue;
		loaders->loaders[loaders->count].fd = -1;
		err = vlan_find(link.ifindex, id, loaders->loaders[loaders->count++].ifname);
		if (err == -ENODEV)
			log_error("%s: has no device for VLAN %u: \"ip link add link %s name "
				  "%s.%u type vlan id %u\" makes one",
				  ifname, id, ifname, ifname, id, id);
		else if (err)
			log_error("%s: cannot look for the device of VLAN %u: %s", ifname, id,
				  strerror(-err));
	}
	return err;
}

static bool send_byte(int fd)
{
	return send(fd, "", 1, MSG_NOSIGNAL) == 1;
}

static bool await_byte(int fd)
{
	char byte;
	ssize_t len;

	do
		len = recv(fd, &byte, sizeof(byte), 0);
	while (len < 0 && errno == EINTR);
	return len == sizeof(byte);
}

/* The ends of those that were started before are the parent's. */
static void close_others(struct vlan_loaders *loaders)
{
	for (size_t i = 0; i < loaders->count; i++)
		if (loaders->loaders[i].fd >= 0)
			close(loaders->loaders[i].fd);
}

__attribute__((noreturn)) static void run_child(const struct vlan_loader *loader,
						const struct config *parent_config, pid_t parent,
						vlan_job_fn job, int fd)
{
	struct config config = *parent_config;

	setpgid(0, 0);
	signal(SIGTTOU, SIG_IGN); /* a background group may be kept from writing to the terminal */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	config.ifname = loader->ifname;
	if (getppid() != parent || !await_byte(fd))
		_exit(EXIT_SUCCESS);
	_exit(job(&config, fd) ? EXIT_FAILURE : EXIT_SUCCESS);
}

static int fork_one(struct vlan_loaders *loaders, struct vlan_loader *loader,
		    const struct config *config, vlan_job_fn job)
{
	const pid_t parent = getpid();
	int fds[2];
	int err = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) ? -errno : 0;

	if (!err) {
		loader->pid = fork();
		if (!loader->pid) {
			close(fds[0]);
			close_others(loaders);
			run_child(loader, config, parent, job, fds[1]);
		}
		err = loader->pid < 0 ? -errno : 0;
		close(fds[1]);
		loader->fd = fds[0];
	}
	if (!err)
		return 0;
	loader->pid = 0;
	log_error("%s: cannot start a process: %s", loader->ifname, strerror(-err));
	return err;
}

static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGCHLD);
	sigprocmask(SIG_BLOCK, set, NULL);
}

int vlan_loaders_new(struct vlan_loaders **out, const struct config *config,
		     const struct port_set *ids, vlan_job_fn job)
{
	const size_t count = port_set_count(ids);
	struct vlan_loaders *loaders =
		calloc(1, sizeof(*loaders) + count * sizeof(loaders->loaders[0]));
	sigset_t set;
	int err;

	if (!loaders)
		return -ENOMEM;
	block_signals(&set);
	err = find_devices(loaders, config->ifname, ids);
	for (size_t i = 0; !err && i < loaders->count; i++)
		err = fork_one(loaders, &loaders->loaders[i], config, job);
	if (err)
		vlan_loaders_free(loaders);
	else
		*out = loaders;
	return err;
}

int vlan_loaders_begin(struct vlan_loaders *loaders)
{
	for (size_t i = 0; loaders && i < loaders->count; i++)
		if (!send_byte(loaders->loaders[i].fd) || !await_byte(loaders->loaders[i].fd))
			return -ECHILD;
	return 0;
}

static void send_signal(const struct vlan_loaders *loaders, int signal)
{
	for (size_t i = 0; loaders && i < loaders->count; i++)
		if (loaders->loaders[i].pid)
			kill(loaders->loaders[i].pid, signal);
}

void vlan_loaders_tell(const struct vlan_loaders *loaders)
{
	send_signal(loaders, SIGTERM);
}

/* The second signal ends what the first leaves open; two of one kind may become one. */
void vlan_loaders_stop(const struct vlan_loaders *loaders)
{
	send_signal(loaders, SIGTERM);
	send_signal(loaders, SIGINT);
}

/* The number of those that still run. */
static size_t reap(struct vlan_loaders *loaders)
{
	size_t running = 0;
	int status;

	for (size_t i = 0; i < loaders->count; i++) {
		struct vlan_loader *loader = &loaders->loaders[i];

		if (loader->pid && waitpid(loader->pid, &status, WNOHANG) == loader->pid) {
			loader->pid = 0;
			loaders->has_failed |= status != 0;
		}
		running += loader->pid != 0;
	}
	return running;
}

/* Without a word to begin by then they end. */
static void close_all(struct vlan_loaders *loaders)
{
	for (size_t i = 0; i < loaders->count; i++) {
		if (loaders->loaders[i].fd >= 0)
			close(loaders->loaders[i].fd);
		loaders->loaders[i].fd = -1;
	}
}

int vlan_loaders_free(struct vlan_loaders *loaders)
{
	sigset_t set;
	bool has_failed;

	if (!loaders)
		return 0;
	close_all(loaders);
	block_signals(&set);
	while (reap(loaders)) {
		const int signal = sigwaitinfo(&set, NULL);

		if (signal == SIGINT || signal == SIGTERM)
			vlan_loaders_tell(loaders);
	}
	has_failed = loaders->has_failed;
	free(loaders);
	return has_failed ? -ECHILD : 0;
}
