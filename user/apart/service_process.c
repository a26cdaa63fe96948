/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two processes: the one that serves, and above it its keeper, which has the same pairs and as few privileges, does nothing, and
 * starts another when that has died. So what had not been read is not lost, and nothing is ever forked from the loader later.
 */
#include "service_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apart_protocol.h"
#include "clock.h"
#include "confine.h"
#include "descriptors.h"
#include "log.h"
#include "orphans.h"
#include "serving.h"

#define FORK_MS 1000 /* then a fork that has failed is tried again */
#define END_MS 2000 /* of its children too */
#define DEATHS_MAX 5 /* then it is given up */
#define DEATHS_NS (60 * CLOCK_NS_PER_S) /* in so long */
#define PROCESSES_OF_ONE 16 /* that a command of exec may have, on average */
#define PROCESSES_OF_OTHERS 256 /* of the same user */

struct service_process {
	int pidfd; /* of its keeper; -1: there is none */
	uint32_t count;
	int fds[SERVICE_PROCESS_PAIRS_MAX];
	struct loop_source *source; /* NULL: its end is not watched for */
	service_process_fn fn;
	void *context;
};

/* The keeper's. */
struct keeper {
	const struct service_process_options *options;
	const int *fds;
	struct serving_seen *seen; /* shared with the one that serves */
	int own_pidfd; /* -1: nobody asks */
	uint64_t deaths_ns[DEATHS_MAX];
	unsigned int deaths;
};

static void close_all(const int *fds, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		close(fds[i]);
}

/* In this order, whatever others the process has: all but the standard ones and these go. */
static int keep_only(int *fds, uint32_t count)
{
	const int first = STDERR_FILENO + 1;

	for (uint32_t i = 0; i < count; i++) {
		const int place = first + (int)i;

		if (fds[i] == place)
			continue;
		/* One of ours that is in the way goes behind. */
		for (uint32_t other = i + 1; other < count; other++) {
			if (fds[other] != place)
				continue;
			fds[other] = fcntl(place, F_DUPFD_CLOEXEC, first + (int)count);
			if (fds[other] < 0)
				return -errno;
		}
		if (dup3(fds[i], place, O_CLOEXEC) < 0)
			return -errno;
		fds[i] = place;
	}
	return close_range((unsigned int)first + count, ~0u, 0) ? -errno : 0;
}

/* What the loader writes to standard output, events or packets, is not for us; commands start where no file system is kept busy. */
static int leave_surroundings(void)
{
	const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0 || chdir("/") ? -errno : 0;
	close(fd);
	return err;
}

static bool runs_commands(const struct service_process_options *options)
{
	return service_is(options->spec, "exec");
}

static void limit(int resource, rlim_t max)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit))
		return;
	if (limit.rlim_max > max)
		limit.rlim_max = max;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(resource, &limit);
}

/* Of exec's commands too, which inherit them. */
static void set_limits(const struct service_process_options *options)
{
	const rlim_t children = options->service->max_children;

	limit(RLIMIT_CORE, 0);
	if (runs_commands(options)) {
		limit(RLIMIT_NOFILE, 1024 + 2 * children);
		limit(RLIMIT_NPROC, PROCESSES_OF_OTHERS + PROCESSES_OF_ONE * children);
	} else {
		descriptors_raise_limit();
	}
}

/* What ends the loader, or comes from its terminal, is not for us: we end with its pairs. Commands start from the defaults. */
static void be_deaf(void)
{
	static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};
	sigset_t none;

	setsid();
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGCHLD, SIG_DFL);
}

/* Without its keeper it ends: with commands by itself, since it has them to end first. */
static pid_t start_serving(const struct keeper *keeper, bool is_first)
{
	const pid_t keeper_pid = getpid();
	const pid_t pid = fork();
	int err;

	if (pid)
		return pid;
	prctl(PR_SET_NAME, "service");
	if (keeper->own_pidfd < 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != keeper_pid)
		_exit(EXIT_FAILURE);
	err = serving_run(keeper->options, keeper->fds, keeper->own_pidfd, keeper->seen, is_first);
	_exit(err ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* So many that the first of them was long ago? */
static bool may_start_again(struct keeper *keeper)
{
	const uint64_t now_ns = clock_monotonic_ns();
	uint64_t *oldest_ns = &keeper->deaths_ns[keeper->deaths++ % DEATHS_MAX];
	const bool is_too_often = keeper->deaths > DEATHS_MAX && now_ns - *oldest_ns < DEATHS_NS;

	*oldest_ns = now_ns;
	return !is_too_often;
}

static void tell_death(const struct keeper *keeper)
{
	for (uint32_t i = 0; i < keeper->options->pairs; i++) {
		const uint64_t taken = __atomic_load_n(&keeper->seen->taken[i], __ATOMIC_ACQUIRE);
		const struct apart_word word = {
			.kind = APART_DIED, .count = 1, .numbers = {apart_number(taken, 0)}};

		send(keeper->fds[i], &word, APART_WORD_HEAD + sizeof(word.numbers[0]),
		     MSG_NOSIGNAL);
	}
}

/* What commands have left behind is waited for as well. */
static pid_t await(pid_t pid, int *status)
{
	pid_t ended;

	do
		ended = waitpid(-1, status, 0);
	while (ended < 0 ? errno == EINTR : ended != pid);
	return ended;
}

static const char *cause_of(int status)
{
	return WTERMSIG(status) == SIGSYS ? "it made a call that it must not make"
					  : strsignal(WTERMSIG(status));
}

static void tell_no_fork(const struct service_process_options *options, int err)
{
	struct rlimit limit;

	if (err == EAGAIN && runs_commands(options) && !getrlimit(RLIMIT_NPROC, &limit))
		log_error("cannot start the service's process: its user has %llu processes or "
			  "more on this host (RLIMIT_NPROC); --user=NAME is another one",
			  (unsigned long long)limit.rlim_cur);
	else
		log_error("cannot start the service's process: %s", strerror(err));
}

/* False: the loader has gone meanwhile. */
static bool wait_for_room(const struct keeper *keeper)
{
	struct pollfd gone = {.fd = keeper->fds[0]};

	return !poll(&gone, 1, FORK_MS);
}

/* Of the first one the loader waits for word; later there are connections, and what is in the way may pass. -1: no more. */
static pid_t start_some_time(struct keeper *keeper, bool is_first)
{
	pid_t pid;

	while ((pid = start_serving(keeper, is_first)) < 0) {
		tell_no_fork(keeper->options, errno);
		if (is_first || !may_start_again(keeper) || !wait_for_room(keeper))
			return -1;
	}
	return pid;
}

/* The exit status. */
static int keep(struct keeper *keeper)
{
	bool is_first = true;

	for (;;) {
		const pid_t pid = start_some_time(keeper, is_first);
		int status;

		if (pid < 0 || await(pid, &status) != pid)
			return EXIT_FAILURE;
		/* The loader has gone; or it has said what is wrong, and would again. */
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		if (runs_commands(keeper->options))
			orphans_end();
		if (!may_start_again(keeper)) {
			log_error("the process that has the service has died %d times in a minute "
				  "(%s), and is given up",
				  DEATHS_MAX + 1, cause_of(status));
			return EXIT_FAILURE;
		}
		log_error(
			"the process that has the service has died (%s): its connections are over, "
			"and another is started",
			cause_of(status));
		tell_death(keeper);
		is_first = false;
	}
}

static int give_up(const struct service_process_options *options)
{
	const struct confine_service service = {
		.user = options->user,
		.is_root_fine = !runs_commands(options),
	};
	int err = confine_service(&service);

	if (err)
		log_error(
			"--service: cannot be another user%s%s: %s (--user=root runs commands as root)",
			*options->user.name ? ", " : "", options->user.name, strerror(-err));
	return err;
}

/* They are ended when either of the two processes has died. */
static int keep_commands(struct keeper *keeper)
{
	keeper->own_pidfd = pidfd_open(getpid(), 0);
	return keeper->own_pidfd < 0 ? -errno : orphans_adopt();
}

__attribute__((noreturn)) static void run_keeper(const struct service_process_options *options,
						 int *fds)
{
	struct keeper keeper = {.options = options, .fds = fds, .own_pidfd = -1};
	int err;

	be_deaf();
	prctl(PR_SET_NAME, "service-keeper");
	err = keep_only(fds, options->pairs);
	if (!err)
		err = leave_surroundings();
	set_limits(options);
	if (!err && runs_commands(options))
		err = keep_commands(&keeper);
	keeper.seen = mmap(NULL, sizeof(*keeper.seen), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!err && keeper.seen == MAP_FAILED)
		err = -errno;
	if (err)
		log_error("cannot prepare the service's process: %s", strerror(-err));
	else
		err = give_up(options);
	_exit(err ? EXIT_FAILURE : keep(&keeper));
}

static int open_pairs(struct service_process *process, int *theirs, uint32_t count)
{
	for (; process->count < count; process->count++) {
		int ends[2];

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
			return -errno;
		process->fds[process->count] = ends[0];
		theirs[process->count] = ends[1];
	}
	return 0;
}

/* What has failed it has said itself. */
static int await_ready(const struct service_process *process)
{
	struct apart_word word;
	ssize_t len;

	do
		len = recv(process->fds[0], &word, sizeof(word), 0);
	while (len < 0 && errno == EINTR);
	return len > 0 && apart_word_check(&word, (size_t)len) && word.kind == APART_READY
		       ? 0
		       : -ECHILD;
}

static int start(struct service_process *process, const struct service_process_options *options)
{
	int theirs[SERVICE_PROCESS_PAIRS_MAX];
	int err = open_pairs(process, theirs, options->pairs);

	if (!err) {
		const pid_t keeper = fork();

		if (!keeper)
			run_keeper(options, theirs);
		process->pidfd = keeper < 0 ? -1 : pidfd_open(keeper, 0);
		err = process->pidfd < 0 ? -errno : 0;
	}
	close_all(theirs, process->count);
	if (err)
		log_error("cannot start the service's process: %s", strerror(-err));
	return err ?: await_ready(process);
}

int service_process_new(struct service_process **out, const struct service_process_options *options)
{
	struct service_process *process;
	int err;

	if (options->pairs > SERVICE_PROCESS_PAIRS_MAX)
		return -EINVAL;
	process = calloc(1, sizeof(*process));
	if (!process)
		return -ENOMEM;
	process->pidfd = -1;
	err = start(process, options);
	if (err)
		service_process_free(process);
	else
		*out = process;
	return err;
}

const int *service_process_fds(const struct service_process *process)
{
	return process->fds;
}

static void take_end(void *context, uint32_t events)
{
	struct service_process *process = context;
	siginfo_t end = {0};

	(void)events;
	loop_remove(process->source);
	process->source = NULL;
	waitid(P_PIDFD, (id_t)process->pidfd, &end, WEXITED | WNOHANG);
	process->fn(process->context, end.si_code == CLD_KILLED || end.si_code == CLD_DUMPED
					      ? strsignal(end.si_status)
					      : NULL);
}

int service_process_watch(struct service_process *process, struct loop *loop, service_process_fn fn,
			  void *context)
{
	if (!process)
		return 0;
	process->fn = fn;
	process->context = context;
	return loop_add(loop, process->pidfd, EPOLLIN, take_end, process, &process->source);
}

/* One that does not end is not waited for: it may be anybody's by now. */
void service_process_free(struct service_process *process)
{
	struct pollfd ended;

	if (!process)
		return;
	loop_remove(process->source);
	close_all(process->fds, process->count);
	if (process->pidfd >= 0) {
		ended = (struct pollfd){.fd = process->pidfd, .events = POLLIN};
		if (poll(&ended, 1, END_MS) > 0)
			waitid(P_PIDFD, (id_t)process->pidfd, NULL, WEXITED | WNOHANG);
		close(process->pidfd);
	}
	free(process);
}
