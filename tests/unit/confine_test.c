/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is given up is gone: processes that have entered what ours enter try to do what they may not any more. Root only. */
#include <linux/capability.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "confine.h"
#include "loop.h"
#include "trespass.h"

/* They look for leaks from a process that stops ours. */
#ifdef __SANITIZE_ADDRESS__
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

#define NOBODY 65534
#define BIT(capability) (1ull << (capability))

static char key[64]; /* a file of root's alone */
static const char pin[] = "/sys/fs/bpf/nolisten/eth0/nol_flows";

/* In the child: what was expected of line LINE did not come true. */
#define EXPECT(condition)                          \
	do {                                       \
		if (!(condition))                  \
			_exit(__LINE__ % 250 + 2); \
	} while (0)

/* The wait status of a process that does it; *said: what it wrote to standard error. */
static int run(void (*what)(pid_t parent), char *said, size_t size)
{
	const pid_t parent = getpid();
	int ends[2], status;
	size_t len = 0;
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(ends[1], STDERR_FILENO);
		what(parent);
		_exit(0);
	}
	close(ends[1]);
	while ((got = read(ends[0], said + len, size - 1 - len)) > 0)
		len += (size_t)got;
	said[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void expect_well(void (*what)(pid_t parent), char *said, size_t size)
{
	const int status = run(what, said, size);

	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("line %d (modulo 250) or signal %d: %s", WEXITSTATUS(status) - 2,
			 WTERMSIG(status), said);
}

static void try_what_nobody_may(pid_t parent)
{
	EXPECT(trespass_load_program() == EPERM);
	EXPECT(trespass_make_map() == EPERM);
	EXPECT(trespass_open_pin(pin) == EPERM);
	EXPECT(trespass_read_memory(parent) == EACCES);
	EXPECT(trespass_trace(parent) == EPERM);
	EXPECT(trespass_user_namespace() == EPERM);
	EXPECT(trespass_crypto_socket(0) == EPERM);
	EXPECT(trespass_crypto_socket(TRESPASS_HIGH) == EPERM);
	EXPECT(trespass_type(STDERR_FILENO, 0) == EPERM);
	EXPECT(trespass_type(STDERR_FILENO, TRESPASS_HIGH) == EPERM);
	EXPECT(trespass_result(ioctl(STDERR_FILENO, TIOCGWINSZ, NULL)) == ENOTTY);
}

/* Of this thread, of /proc: who is confined need not ask in any other way. */
static uint64_t permitted(void)
{
	FILE *file = fopen("/proc/thread-self/status", "re");
	unsigned long long found = ~0ull;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapPrm: %llx", &found) == 1)
			break;
	if (file)
		fclose(file);
	return found;
}

static struct loop *loop;
static struct confined *confined;

static void enter_loader(const struct confine_options *options)
{
	EXPECT(!loop_new(&loop));
	EXPECT(!confine_loader(&confined, loop, options));
}

/* One that is there before. */
static void *wait_and_try(void *context)
{
	pthread_barrier_t *barrier = context;

	confine_thread();
	pthread_barrier_wait(barrier);
	pthread_barrier_wait(barrier);
	return (void *)(intptr_t)(trespass_load_program() == EPERM && permitted() == 0);
}

static void *try_at_once(void *context)
{
	(void)context;
	return (void *)(intptr_t)(trespass_load_program() == EPERM && trespass_raw_socket() == 0);
}

/* With a descriptor that is none. */
static void use_maps_and_programs(void)
{
	const int commands[] = {BPF_MAP_LOOKUP_ELEM,	BPF_MAP_UPDATE_ELEM,  BPF_MAP_DELETE_ELEM,
				BPF_MAP_GET_NEXT_KEY,	BPF_MAP_LOOKUP_BATCH, BPF_PROG_TEST_RUN,
				BPF_OBJ_GET_INFO_BY_FD, BPF_LINK_CREATE,      BPF_LINK_UPDATE,
				BPF_ITER_CREATE};

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		union bpf_attr attr;

		memset(&attr, 0xff, sizeof(attr));
		EXPECT(trespass_bpf(commands[i], &attr) != EPERM);
	}
}

/* One thread is there already, one comes later. */
static void be_a_loader(pid_t parent)
{
	const struct confine_config config = {0};
	const struct confine_options options = {.config = &config, .ifname = "eth0"};
	pthread_t before, after;
	pthread_barrier_t barrier;
	void *result;

	pthread_barrier_init(&barrier, NULL, 2);
	EXPECT(!pthread_create(&before, NULL, wait_and_try, &barrier));
	pthread_barrier_wait(&barrier);
	enter_loader(&options);
	pthread_barrier_wait(&barrier);
	EXPECT(!pthread_join(before, &result) && result);

	EXPECT(permitted() == (BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW)));
	try_what_nobody_may(parent);
	use_maps_and_programs();
	EXPECT(trespass_result(execl("/bin/true", "true", NULL)) == EPERM);
	EXPECT(trespass_result(fork()) == EPERM);
	EXPECT(trespass_result(kill(parent, 0)) == EPERM);
	EXPECT(trespass_become_root() == EPERM);
	EXPECT(trespass_raw_socket() == 0 && trespass_packet_socket() == 0);
	EXPECT(!pthread_create(&after, NULL, try_at_once, NULL));
	EXPECT(!pthread_join(after, &result) && result);
	EXPECT(loop_wait(loop, 0) >= 0);
	confined_free(confined);
	loop_free(loop);
}

/* Its own calls of bpf(2), and packet sockets, are as before. */
static void be_a_loader_that_runs_programs(pid_t parent)
{
	const struct confine_config config = {0};
	const struct confine_options options = {
		.config = &config, .ifname = "eth0", .runs_programs = true};
	union bpf_attr attr = {.map_fd = (uint32_t)-1};
	int status;
	pid_t pid;

	enter_loader(&options);
	EXPECT(trespass_bpf(BPF_MAP_LOOKUP_ELEM, &attr) == EBADF);
	EXPECT(trespass_packet_socket() == 0);
	EXPECT(trespass_crypto_socket(TRESPASS_HIGH) == EPERM);
	EXPECT(trespass_user_namespace() == EPERM && trespass_trace(parent) == EPERM);
	pid = fork();
	if (!pid)
		execl("/bin/true", "true", NULL);
	EXPECT(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

static void a_loader_that_runs_programs_keeps_its_own_calls(void **state)
{
	char said[8192];

	(void)state;
	if (IS_SANITIZED)
		skip(); /* it makes other calls, and has no filter */
	expect_well(be_a_loader_that_runs_programs, said, sizeof(said));
}

static int count(const char *text, const char *what)
{
	int found = 0;

	while ((text = strstr(text, what)) && ++found)
		text += strlen(what);
	return found;
}

static void the_loader_keeps_what_it_needs_and_says_what_was_refused(void **state)
{
	char said[8192];

	(void)state;
	if (IS_SANITIZED)
		skip(); /* it makes other calls, and has no filter */
	expect_well(be_a_loader, said, sizeof(said));
	assert_int_equal(count(said, "eth0: refused to itself bpf()"), 1);
	assert_int_equal(count(said, "eth0: refused to itself execve()"), 1);
	assert_int_equal(count(said, "eth0: refused to itself ptrace()"), 1);
	assert_int_equal(count(said, "eth0: refused to itself ioctl()"), 1);
}

static void be_a_loader_as_nobody(pid_t parent)
{
	const struct confine_config config = {.user = run_as_nobody()};
	const struct confine_options options = {
		.config = &config, .ifname = "eth0", .binds_low_ports = true};

	EXPECT(trespass_open(key) == 0);
	enter_loader(&options);
	EXPECT(getuid() == NOBODY && getgid() == NOBODY);
	EXPECT(permitted() == (BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_NET_BIND_SERVICE)));
	try_what_nobody_may(parent);
	EXPECT(trespass_open(key) == EACCES);
	EXPECT(trespass_raw_socket() == 0);
}

static void the_loader_as_another_user_cannot_open_the_key_again(void **state)
{
	char said[8192];

	(void)state;
	if (IS_SANITIZED)
		skip(); /* it makes other calls, and has no filter */
	expect_well(be_a_loader_as_nobody, said, sizeof(said));
}

static void be_a_loader_that_keeps_all(pid_t parent)
{
	const struct confine_config config = {.keeps_all = true};
	const struct confine_options options = {.config = &config, .ifname = "eth0"};

	(void)parent;
	enter_loader(&options);
	EXPECT(!confined && trespass_make_map() == 0);
	EXPECT(!prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

static void nothing_is_given_up_where_all_is_kept(void **state)
{
	char said[8192];

	(void)state;
	expect_well(be_a_loader_that_keeps_all, said, sizeof(said));
	assert_string_equal(said, "");
}

/* It may run programs, and these no more than it. */
static void be_a_service(pid_t parent)
{
	const struct confine_service service = {.user = run_as_nobody()};
	int status;
	pid_t pid;

	EXPECT(!confine_service(&service));
	EXPECT(getuid() == NOBODY && getgid() == NOBODY && getgroups(0, NULL) == 0);
	EXPECT(permitted() == 0 && prctl(PR_CAPBSET_READ, CAP_NET_RAW) == 0);
	try_what_nobody_may(parent);
	EXPECT(trespass_open(key) == EACCES);
	EXPECT(trespass_raw_socket() == EPERM && trespass_packet_socket() == EPERM);
	EXPECT(trespass_become_root() == EPERM);
	EXPECT(trespass_result(kill(parent, 0)) == EPERM);
	pid = fork();
	if (!pid)
		execl("/bin/true", "true", NULL);
	EXPECT(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

static void a_service_has_no_privilege(void **state)
{
	char said[8192];

	(void)state;
	expect_well(be_a_service, said, sizeof(said));
}

static void be_a_service_that_opens_a_file(pid_t parent)
{
	const struct confine_service service = {.user = run_as_nobody()};

	(void)parent;
	EXPECT(!confine_service(&service) && !confine_to_connections());
	trespass_open("/dev/null");
}

static void be_a_service_that_types(pid_t parent)
{
	const struct confine_service service = {.user = run_as_nobody()};

	(void)parent;
	EXPECT(!confine_service(&service) && !confine_to_connections());
	EXPECT(trespass_result(ioctl(STDERR_FILENO, TIOCGWINSZ, NULL)) == ENOTTY);
	trespass_type(STDERR_FILENO, TRESPASS_HIGH);
}

static void a_service_of_bytes_dies_of_any_other_call(void **state)
{
	void (*const crimes[])(pid_t) = {be_a_service_that_opens_a_file, be_a_service_that_types};
	char said[8192];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const int status = run(crimes[i], said, sizeof(said));

		/* The sanitizers open files. */
		assert_true(IS_SANITIZED || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS));
	}
}

static void users_are_found_by_name_and_by_number(void **state)
{
	struct run_as user = {0};
	const char *why;

	(void)state;
	assert_true(run_as_parse("root", &user, &why));
	assert_true(user.is_set && user.uid == 0 && user.gid == 0);
	assert_true(run_as_parse("0", &user, &why) && !strcmp(user.name, "root"));
	assert_true(run_as_parse("4000000:17", &user, &why));
	assert_true(user.uid == 4000000 && user.gid == 17 && !*user.name);
	assert_true(run_as_parse("root:nogroup", &user, &why) && user.gid == NOBODY);
	assert_false(run_as_parse("no-such-user", &user, &why));
	assert_string_equal(why, "no such user");
	assert_false(run_as_parse("", &user, &why));
	assert_false(run_as_parse("root:no-such-group", &user, &why));
	assert_string_equal(why, "no such group");
	assert_false(run_as_parse("4000000", &user, &why));
	assert_false(run_as_parse("4294967295", &user, &why));
	assert_true(user.gid == NOBODY);
}

static int make_key(void **state)
{
	int fd;

	(void)state;
	snprintf(key, sizeof(key), "/tmp/confine_test.%d", (int)getpid());
	fd = open(key, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	return fd < 0 || close(fd) ? -1 : 0;
}

static int remove_key(void **state)
{
	(void)state;
	return unlink(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_are_found_by_name_and_by_number),
		cmocka_unit_test(nothing_is_given_up_where_all_is_kept),
		cmocka_unit_test(the_loader_keeps_what_it_needs_and_says_what_was_refused),
		cmocka_unit_test(a_loader_that_runs_programs_keeps_its_own_calls),
		cmocka_unit_test(the_loader_as_another_user_cannot_open_the_key_again),
		cmocka_unit_test(a_service_has_no_privilege),
		cmocka_unit_test(a_service_of_bytes_dies_of_any_other_call),
	};

	if (geteuid() != 0) {
		printf("1..1\nok 1 - confine # SKIP needs root, to give something up\n");
		return 0;
	}
	return cmocka_run_group_tests_name("confine", tests, make_key, remove_key);
}
