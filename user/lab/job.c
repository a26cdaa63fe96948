/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Children by fork(), waited for by their pidfd, so that a signal and an end are waited for at once. */
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

#define COMMAND_TIMEOUT_MS 10000
#define TERM_AGAIN_MS 100 /* a loader that has connections left waits for a second signal */
#define KILL_MS 3000
#define LOG_TAIL 1024
#define LOOK_MS 5 /* a log cannot be polled */

static volatile sig_atomic_t is_interrupted;
static sigset_t original_mask;

static void take_signal(int signal)
{
	(void)signal;
	is_interrupted = 1;
}

int job_init(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = take_signal};
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaddset(&mask, signals[i]);
		if (sigaction(signals[i], &action, NULL))
			return -errno;
	}
	return sigprocmask(SIG_BLOCK, &mask, &original_mask) ? -errno : 0;
}

bool job_is_interrupted(void)
{
	return is_interrupted;
}

/* fd: -1 to wait for the time alone. 1 if it became readable, 0 after the time, -EINTR. */
static int wait_for(int fd, uint32_t timeout_ms)
{
	struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * CLOCK_NS_PER_MS};
	struct pollfd item = {.fd = fd, .events = POLLIN};
	int count = is_interrupted ? -1 : ppoll(&item, 1, &timeout, &original_mask);

	return is_interrupted ? -EINTR : count < 0 ? -errno : count;
}

int job_sleep(uint32_t ms)
{
	int result = wait_for(-1, ms);

	return result < 0 ? result : 0;
}

int job_await(int fd, uint32_t timeout_ms)
{
	int result = wait_for(fd, timeout_ms);

	return result > 0 ? 0 : result ?: -ETIMEDOUT;
}

void *job_share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void become_child(const struct lab *lab, enum lab_place place, int cpu, pid_t parent)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	cpu_set_t cpus;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, &original_mask, NULL);
	CPU_ZERO(&cpus);
	if (cpu != JOB_ANY_CPU) {
		CPU_SET(cpu, &cpus);
		sched_setaffinity(0, sizeof(cpus), &cpus);
	}
	if (lab && lab_enter(lab, place))
		_exit(EXIT_FAILURE);
}

static int keep_child(pid_t pid, struct job *out)
{
	int pid_fd = pidfd_open(pid, 0), err = -errno;

	if (pid_fd < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return err;
	}
	*out = (struct job){.pid = pid, .pid_fd = pid_fd, .log_fd = out->log_fd};
	return 0;
}

int job_start(const struct lab *lab, const struct job_function *function, struct job *out)
{
	const pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		become_child(lab, function->place, function->cpu, parent);
		_exit(-function->fn(function->argument, function->result));
	}
	out->log_fd = -1;
	return keep_child(pid, out);
}

/* As ip-netns(8) does it: /sys of the namespace, and so without the host's bpffs. */
static void mount_own_sysfs(void)
{
	if (unshare(CLONE_NEWNS) || mount("", "/", "none", MS_SLAVE | MS_REC, NULL))
		return;
	umount2("/sys", MNT_DETACH);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
}

static int memory_file(const char *text)
{
	int fd = memfd_create("nolisten-job", MFD_CLOEXEC);
	size_t len = text ? strlen(text) : 0;

	if (fd < 0)
		return -errno;
	if (len && (write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET))) {
		close(fd);
		return -EIO;
	}
	return fd;
}

static void execute(const struct job_command *command, int input_fd, int log_fd)
{
	dup2(input_fd, STDIN_FILENO);
	dup2(log_fd, STDOUT_FILENO);
	dup2(log_fd, STDERR_FILENO);
	mount_own_sysfs();
	execvp(command->argv[0], command->argv);
	dprintf(STDERR_FILENO, "%s: %s\n", command->argv[0], strerror(errno));
	_exit(127);
}

int job_start_command(const struct lab *lab, const struct job_command *command, struct job *out)
{
	const int input_fd = memory_file(command->input), log_fd = memory_file(NULL);
	const pid_t parent = getpid();
	pid_t pid = input_fd < 0 || log_fd < 0 ? -1 : fork();
	int err = pid < 0 ? -errno : 0;

	if (!pid) {
		setpgid(0, 0);
		become_child(lab, command->place, command->is_pinned ? command->cpu : JOB_ANY_CPU,
			     parent);
		execute(command, input_fd, log_fd);
	}
	if (input_fd >= 0)
		close(input_fd);
	if (pid > 0)
		setpgid(pid, pid);
	out->log_fd = log_fd;
	if (!err)
		err = keep_child(pid, out);
	if (err && log_fd >= 0) {
		close(log_fd);
		out->log_fd = -1;
	}
	return err;
}

/* A command has a process group of its own, which a shell may have filled. */
static void send_signal(const struct job *job, int signal)
{
	kill(job->log_fd < 0 ? job->pid : -job->pid, signal);
}

/* What the command has started goes with it; until it is waited for nobody else can have its number. */
static int reap(struct job *job)
{
	siginfo_t info;
	int status = 0;

	if (job->log_fd >= 0) {
		waitid(P_PID, (id_t)job->pid, &info, WEXITED | WNOWAIT);
		send_signal(job, SIGKILL);
	}
	waitpid(job->pid, &status, 0);
	close(job->pid_fd);
	job->pid = 0;
	if (!WIFEXITED(status))
		return -ECHILD;
	return job->log_fd < 0 ? -WEXITSTATUS(status) : WEXITSTATUS(status);
}

int job_wait(struct job *job, uint32_t timeout_ms)
{
	int result = job->pid ? wait_for(job->pid_fd, timeout_ms) : -ECHILD;

	if (result == -ECHILD)
		return result;
	if (result > 0)
		return reap(job);
	send_signal(job, SIGKILL);
	reap(job);
	return result ?: -ETIMEDOUT;
}

bool job_is_alive(const struct job *job)
{
	struct pollfd item = {.fd = job->pid_fd, .events = POLLIN};

	return job->pid && poll(&item, 1, 0) == 0;
}

/* Not to be interrupted: this is the clean-up. */
static bool has_ended(const struct job *job, int timeout_ms)
{
	struct pollfd item = {.fd = job->pid_fd, .events = POLLIN};

	return poll(&item, 1, timeout_ms) == 1;
}

void job_stop(struct job *job)
{
	if (job->pid) {
		send_signal(job, SIGTERM);
		if (!has_ended(job, TERM_AGAIN_MS))
			send_signal(job, SIGTERM);
		if (!has_ended(job, KILL_MS))
			send_signal(job, SIGKILL);
		reap(job);
		if (job->log_fd >= 0)
			close(job->log_fd);
	}
	*job = (struct job){.log_fd = -1};
}

/* The end of the log, terminated. */
static void read_tail(const struct job *job, char text[LOG_TAIL])
{
	off_t size = lseek(job->log_fd, 0, SEEK_END);
	off_t start = size > LOG_TAIL - 1 ? size - (LOG_TAIL - 1) : 0;
	ssize_t len = size < 0 ? -1 : pread(job->log_fd, text, LOG_TAIL - 1, start);

	text[len < 0 ? 0 : len] = '\0';
}

void job_last_line(const struct job *job, char reason[JOB_REASON_SIZE])
{
	char text[LOG_TAIL], *line;
	size_t len;

	read_tail(job, text);
	len = strlen(text);
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	line = strrchr(text, '\n');
	snprintf(reason, JOB_REASON_SIZE, "%.*s", JOB_REASON_SIZE - 1, line ? line + 1 : text);
}

bool job_has_said(const struct job *job, const char *wanted)
{
	char text[LOG_TAIL];

	read_tail(job, text);
	return strstr(text, wanted);
}

int job_await_text(const struct job *job, const char *text, uint32_t timeout_ms)
{
	const uint64_t deadline_ns = clock_monotonic_ns() + timeout_ms * CLOCK_NS_PER_MS;
	int result = 0;

	while (!job_has_said(job, text)) {
		/* It had ended before the last look. */
		if (result > 0)
			return -ECHILD;
		if (clock_monotonic_ns() >= deadline_ns)
			return -ETIMEDOUT;
		result = wait_for(job->pid_fd, LOOK_MS);
		if (result < 0)
			return result;
	}
	return 0;
}

int job_run(const struct lab *lab, const struct job_function *function, uint32_t timeout_ms)
{
	struct job job;
	int err = job_start(lab, function, &job);

	return err ?: job_wait(&job, timeout_ms);
}

int job_run_command(const struct lab *lab, const struct job_command *command,
		    char reason[JOB_REASON_SIZE])
{
	struct job job;
	int result = job_start_command(lab, command, &job);

	if (result) {
		snprintf(reason, JOB_REASON_SIZE, "%s", strerror(-result));
		return result;
	}
	result = job_wait(&job, COMMAND_TIMEOUT_MS);
	job_last_line(&job, reason);
	if (result < 0 || (result && !*reason))
		snprintf(reason, JOB_REASON_SIZE, "%s",
			 result < 0 ? strerror(-result) : "it failed");
	close(job.log_fd);
	return result > 0 ? -EIO : result;
}
