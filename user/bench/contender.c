/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "contender.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "library_server.h"
#include "listen_server.h"
#include "load.h"

#define START_MS 5000
#define EXIT_USAGE 2
#define PATH_SIZE 64
#define RUN_ARGUMENTS 16
#define RUN_READY "is started by the first connection"

const struct contender contender_table[] = {
	{"listen-0", "listen(), tcp_syncookies=0", CONTENDER_LISTENS, .syncookies = "0"},
	{"listen", "listen(), tcp_syncookies=1, the kernel's default", CONTENDER_LISTENS,
	 .syncookies = "1"},
	{"listen-2", "listen(), tcp_syncookies=2, always", CONTENDER_LISTENS, .syncookies = "2"},
	{"synproxy", "nftables SYNPROXY in front of listen()", CONTENDER_LISTENS, .syncookies = "1",
	 .has_synproxy = true},
	{"echo", "every packet sent back by native XDP: the limit", CONTENDER_REFLECTS,
	 .is_native = true},
	{"echo-generic", "the same by generic XDP", CONTENDER_REFLECTS},
	{"auto", "nolisten, method auto", CONTENDER_LOADER, .method = "auto"},
	{"auto-native", "the same in native XDP", CONTENDER_LOADER, .method = "auto",
	 .is_native = true},
	{"xdp", "nolisten, method xdp", CONTENDER_LOADER, .method = "xdp"},
	{"xdp-native", "the same in native XDP", CONTENDER_LOADER, .method = "xdp",
	 .is_native = true},
	{"engine", "nolisten, method engine", CONTENDER_LOADER, .method = "engine"},
	{"connect", "nolisten, method connect", CONTENDER_LOADER, .method = "connect"},
	{"accept", "nolisten, method accept", CONTENDER_LOADER, .method = "accept"},
	{"accept-native", "the same in native XDP", CONTENDER_LOADER, .method = "accept",
	 .is_native = true},
	{"accept-generic", "the same in generic XDP", CONTENDER_LOADER, .method = "accept",
	 .xdp = "--xdp=generic"},
	{"nfqueue", "nolisten, method nfqueue", CONTENDER_LOADER, .method = "nfqueue"},
	{"filter", "nolisten, method filter", CONTENDER_LOADER, .method = "filter"},
	{"raw", "nolisten, method raw", CONTENDER_LOADER, .method = "raw",
	 .is_never_connected = true},
	{"app", "a program by libnolisten, descriptors from method auto", CONTENDER_APPLICATION,
	 .method = "auto", .is_unasked = true},
	{"app-accept", "the same, the queue of method accept", CONTENDER_APPLICATION,
	 .method = "accept", .is_unasked = true},
	{"run", "the listen() server under nolisten run", CONTENDER_RUN, .is_unasked = true},
	{"run-descriptors", "the same without parents, accept() by descriptors", CONTENDER_RUN,
	 .option = "--no-parent", .is_unasked = true},
	{"run-demand", "the same started by its first client", CONTENDER_RUN,
	 .option = "--on-demand", .is_lazy = true, .is_unasked = true},
	{0},
};

#define PORT_TEXT "34567"
_Static_assert(BENCH_PORT == 34567, "PORT_TEXT is BENCH_PORT");

static const char synproxy_rules[] =
	"table ip nolisten_bench {\n"
	" chain raw { type filter hook prerouting priority raw;\n"
	"  tcp dport " PORT_TEXT " tcp flags & (fin|syn|rst|ack) == syn notrack\n }\n"
	" chain in { type filter hook input priority filter;\n"
	"  tcp dport " PORT_TEXT " ct state invalid,untracked"
	" synproxy mss 1460 wscale 7 timestamp sack-perm\n"
	"  tcp dport " PORT_TEXT " ct state invalid drop\n }\n"
	"}\n";

static int run_nft(const struct lab *lab, const char *rules, char reason[JOB_REASON_SIZE])
{
	char *argv[] = {"nft", "-f", "-", NULL};
	const struct job_command command = {.argv = argv, .place = LAB_SERVER, .input = rules};

	return job_run_command(lab, &command, reason);
}

static int set_server_sysctl(const struct lab *lab, const char *name, const char *value)
{
	int err = lab_enter(lab, LAB_SERVER) ?: lab_set_sysctl(name, value);

	return lab_enter(lab, LAB_HOME) ?: err;
}

static int serve_by_kernel(const void *argument, void *result)
{
	(void)argument;
	(void)result;
	return listen_server_run(BENCH_PORT);
}

static int start_listen(struct contender *contender, const struct lab *lab, struct running *out)
{
	const struct job_function function = {
		.fn = serve_by_kernel, .place = LAB_SERVER, .cpu = lab->cpus[LAB_SERVER]};
	int err = set_server_sysctl(lab, "net/ipv4/tcp_syncookies", contender->syncookies);

	if (!err && contender->has_synproxy) {
		err = run_nft(lab, synproxy_rules, contender->reason);
		if (err)
			return err;
		set_server_sysctl(lab, "net/netfilter/nf_conntrack_tcp_loose", "0");
	}
	return err ?: job_start(lab, &function, &out->job);
}

static int start_reflector(const struct contender *contender, const struct lab *lab,
			   struct bench_kern *kern, struct running *out)
{
	int err = lab_enter(lab, LAB_SERVER);

	if (err)
		return err;
	out->link_fd = bench_kern_attach(kern, BENCH_REFLECT, lab->links[LAB_SERVER].ifindex,
					 !contender->is_native);
	return lab_enter(lab, LAB_HOME) ?: out->link_fd < 0 ? out->link_fd : 0;
}

static int start_command(const struct lab *lab, char *const *argv, struct job *job)
{
	const struct job_command command = {
		.argv = argv, .place = LAB_SERVER, .cpu = lab->cpus[LAB_SERVER], .is_pinned = true};

	return job_start_command(lab, &command, job);
}

static int start_process(const struct contender *contender, const struct lab *lab,
			 const char *loader, struct running *out)
{
	char *peer[] = {"sh", "-c", contender->command, NULL};
	/* Quiet: a listener says nothing of each connection either. */
	char *argv[] = {(char *)loader,
			"-q",
			"-p",
			PORT_TEXT,
			"-m",
			(char *)contender->method,
			(char *)(contender->xdp
					 ?: contender->is_native ? "--xdp=native"
								 : "--xdp=auto"),
			(char *)(contender->ifname ?: BENCH_IFNAME),
			(char *)contender->option,
			NULL};

	return start_command(lab, contender->kind == CONTENDER_PEER ? peer : argv, &out->job);
}

static int serve_by_library(const void *argument, void *result)
{
	const struct running *running = argument;
	char path[PATH_SIZE];

	(void)result;
	snprintf(path, sizeof(path), "%s/socket", running->dir);
	return library_server_run(path, BENCH_PORT);
}

/* The loader and the program meet at a socket in a folder of their own. */
static int start_application(const struct contender *contender, const struct lab *lab,
			     const char *loader, struct running *out)
{
	const struct job_function application = {.fn = serve_by_library,
						 .argument = out,
						 .place = LAB_SERVER,
						 .cpu = lab->cpus[LAB_SERVER]};
	char service[PATH_SIZE];
	char *argv[] = {(char *)loader,
			"-q",
			"-p",
			PORT_TEXT,
			"-m",
			(char *)contender->method,
			"-s",
			service,
			BENCH_IFNAME,
			(char *)contender->option,
			NULL};

	memcpy(out->dir, CONTENDER_DIR, sizeof(out->dir));
	if (!mkdtemp(out->dir)) {
		out->dir[0] = '\0';
		return -errno;
	}
	snprintf(service, sizeof(service), "socket:%s/socket", out->dir);
	return start_command(lab, argv, &out->job)
		       ?: job_start(lab, &application, &out->application);
}

int contender_own_path(char *path, size_t size)
{
	const ssize_t len = readlink("/proc/self/exe", path, size - 1);

	if (len < 0)
		return -errno;
	path[len] = '\0';
	return 0;
}

static int start_run(const struct contender *contender, const struct lab *lab, struct running *out)
{
	char path[PATH_MAX];
	char *argv[RUN_ARGUMENTS] = {path, "run", "-i", BENCH_IFNAME, "-p", PORT_TEXT};
	char *command[] = {"--", path, "bench", CONTENDER_SERVE, NULL};
	unsigned int count = 6;
	int err = contender_own_path(path, sizeof(path));

	if (err)
		return err;
	if (contender->option)
		argv[count++] = (char *)contender->option;
	memcpy(argv + count, command, sizeof(command));
	return start_command(lab, argv, &out->job);
}

/* One connection, made in the client's namespace. */
static int try_connection(const struct contender *contender, const struct lab *lab)
{
	struct load_options options = {.remote.port = BENCH_PORT};
	uint64_t latency_ns;
	int err;

	addr_parse(contender->address ?: BENCH_SERVER_ADDRESS, &options.remote.addr);
	err = lab_enter(lab, LAB_CLIENT) ?: load_one(&options, 0, &latency_ns);
	return lab_enter(lab, LAB_HOME) ?: err;
}

static bool is_ready(const struct running *running, const struct lab *lab)
{
	if (running->contender->kind == CONTENDER_REFLECTS)
		return true;
	if (running->contender->kind == CONTENDER_LOADER &&
	    !job_has_said(&running->job, "answering"))
		return false;
	if (running->contender->is_lazy)
		return job_has_said(&running->job, RUN_READY);
	return running->contender->is_never_connected || !try_connection(running->contender, lab);
}

/* Why it went away. A usage error of the loader means that it does not know the method. */
static int explain_end(struct contender *contender, struct running *running)
{
	int status;

	if (running->job.log_fd >= 0)
		job_last_line(&running->job, contender->reason);
	status = job_wait(&running->job, 0);
	if (status == -EINTR)
		return status;
	contender->is_unknown = contender->kind == CONTENDER_LOADER && status == EXIT_USAGE;
	if (running->job.log_fd >= 0)
		close(running->job.log_fd);
	running->job.log_fd = -1;
	return -ECONNREFUSED;
}

static int wait_until_ready(struct contender *contender, const struct lab *lab,
			    struct running *running)
{
	const uint64_t deadline_ns = clock_monotonic_ns() + START_MS * CLOCK_NS_PER_MS;
	int err = 0;

	while (!err && !is_ready(running, lab)) {
		if (!job_is_alive(&running->job))
			return explain_end(contender, running);
		if (clock_monotonic_ns() > deadline_ns) {
			snprintf(contender->reason, sizeof(contender->reason),
				 "no connection was served within %d s", START_MS / 1000);
			return -ETIMEDOUT;
		}
		err = job_sleep(5);
	}
	return err;
}

int contender_start(struct contender *contender, const struct lab *lab, struct bench_kern *kern,
		    const char *loader, struct running *out)
{
	int err;

	*out = (struct running){.contender = contender,
				.link_fd = -1,
				.job = (struct job){.log_fd = -1},
				.application = (struct job){.log_fd = -1}};
	contender->reason[0] = '\0';
	if (contender->kind == CONTENDER_LISTENS)
		err = start_listen(contender, lab, out);
	else if (contender->kind == CONTENDER_REFLECTS)
		err = start_reflector(contender, lab, kern, out);
	else if (contender->kind == CONTENDER_APPLICATION)
		err = start_application(contender, lab, loader, out);
	else if (contender->kind == CONTENDER_RUN)
		err = start_run(contender, lab, out);
	else
		err = start_process(contender, lab, loader, out);
	if (!err)
		err = wait_until_ready(contender, lab, out);
	if (!err)
		return 0;
	if (!contender->reason[0])
		snprintf(contender->reason, sizeof(contender->reason), "%s", strerror(-err));
	contender->is_out = err != -EINTR;
	contender_stop(out, lab);
	return err;
}

void contender_stop(struct running *running, const struct lab *lab)
{
	char reason[JOB_REASON_SIZE];

	if (running->link_fd >= 0)
		close(running->link_fd);
	running->link_fd = -1;
	job_stop(&running->application);
	job_stop(&running->job);
	if (running->dir[0])
		rmdir(running->dir);
	running->dir[0] = '\0';
	if (running->contender->has_synproxy)
		run_nft(lab, "delete table ip nolisten_bench\n", reason);
}
