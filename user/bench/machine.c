/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The part that asks the machine. Everything is bounded in time, whatever the machine is like. */
#include "machine.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "clock.h"

#define CALLS 1000 /* a batch */
#define CALL_BATCHES 20
#define LOOPS_MAX 400
#define LOOP_ITERATIONS 400000 /* 0.1 to 0.4 ms */
#define LOOP_MS 200
#define WAKEUPS_MAX 500
#define WAKEUP_MS 250
#define REST_MS 200 /* in which only others run */

static void stay_on(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static double compare_best(double best, double value)
{
	return !best || value < best ? value : best;
}

static double time_syscall(void)
{
	double best = 0;

	for (int batch = 0; batch < CALL_BATCHES; batch++) {
		const uint64_t start_ns = clock_monotonic_ns();

		for (int i = 0; i < CALLS; i++)
			syscall(SYS_getppid);
		best = compare_best(best, (double)(clock_monotonic_ns() - start_ns) / CALLS);
	}
	return best;
}

/* Of this thread alone: that it had to wait for others is told by their share. */
static uint64_t cpu_time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * CLOCK_NS_PER_S + (uint64_t)now.tv_nsec;
}

static double measure_drift(void)
{
	const uint64_t end_ns = clock_monotonic_ns() + LOOP_MS * CLOCK_NS_PER_MS;
	double times[LOOPS_MAX];
	size_t count = 0;

	while (count < LOOPS_MAX && clock_monotonic_ns() < end_ns) {
		const uint64_t start_ns = cpu_time_ns();

		for (volatile int i = 0; i < LOOP_ITERATIONS; i++)
			continue;
		times[count++] = (double)(cpu_time_ns() - start_ns);
	}
	return machine_spread_pct(times, count);
}

/* Two pipes, and a thread on the other CPU that answers until the first one is closed. */
struct ping {
	int to[2], from[2];
	int cpu;
};

static void *answer_pings(void *argument)
{
	const struct ping *ping = argument;
	char byte;

	stay_on(ping->cpu);
	while (read(ping->to[0], &byte, 1) == 1)
		if (write(ping->from[1], &byte, 1) != 1)
			break;
	return NULL;
}

static bool ping_once(const struct ping *ping)
{
	char byte = 0;

	return write(ping->to[1], &byte, 1) == 1 && read(ping->from[0], &byte, 1) == 1;
}

/* There and back is two of them. The thread has slept by then: a wake-up takes longer than to go to sleep. */
static double time_pings(const struct ping *ping)
{
	const uint64_t end_ns = clock_monotonic_ns() + WAKEUP_MS * CLOCK_NS_PER_MS;
	static double times[WAKEUPS_MAX];
	uint64_t start_ns = 0;
	unsigned int count = 0;

	while (count < WAKEUPS_MAX && start_ns < end_ns) {
		start_ns = clock_monotonic_ns();
		if (!ping_once(ping))
			return 0;
		times[count++] = (double)(clock_monotonic_ns() - start_ns);
	}
	machine_spread_pct(times, count);
	return times[count / 2] / 2 / CLOCK_NS_PER_US;
}

static double time_wakeup(int other_cpu)
{
	struct ping ping = {.cpu = other_cpu};
	pthread_t thread;
	double us = 0;

	if (pipe(ping.to))
		return 0;
	if (!pipe(ping.from)) {
		if (!pthread_create(&thread, NULL, answer_pings, &ping)) {
			us = time_pings(&ping);
			close(ping.to[1]);
			ping.to[1] = -1;
			pthread_join(thread, NULL);
		}
		close(ping.from[0]);
		close(ping.from[1]);
	}
	close(ping.to[0]);
	if (ping.to[1] >= 0)
		close(ping.to[1]);
	return us;
}

/* CPUID: 0x40000000 has a signature in three registers; elsewhere the kernel may know that there is one. */
static void find_hypervisor(struct machine *machine)
{
#ifdef __x86_64__
	unsigned int words[4] = {0};
	char signature[3 * sizeof(words[0]) + 1] = "";

	machine->is_virtual =
		__get_cpuid(1, &words[3], &words[0], &words[1], &words[2]) && words[1] >> 31;
	if (!machine->is_virtual)
		return;
	__cpuid(0x40000000, words[3], words[0], words[1], words[2]);
	memcpy(signature, words, 3 * sizeof(words[0]));
	machine_name_hypervisor(machine, signature);
#else
	machine->is_virtual = !access("/sys/hypervisor/type", F_OK) ||
			      !access("/proc/device-tree/hypervisor", F_OK);
#endif
}

static bool read_ticks(struct machine_ticks *out)
{
	FILE *file = fopen("/proc/stat", "re");
	char line[256];
	bool is_read = file && fgets(line, sizeof(line), file) && machine_parse_ticks(line, out);

	if (file)
		fclose(file);
	return is_read;
}

static uint64_t own_ticks(void)
{
	struct tms own;

	times(&own);
	return (uint64_t)own.tms_utime + (uint64_t)own.tms_stime;
}

static void measure_cpus(struct machine *machine, int client_cpu)
{
	const struct timespec rest = {.tv_nsec = REST_MS * CLOCK_NS_PER_MS};

	machine->syscall_ns = time_syscall();
	machine->wakeup_us = time_wakeup(client_cpu);
	machine->drift_pct = measure_drift();
	nanosleep(&rest, NULL);
}

void machine_measure(int server_cpu, int client_cpu, struct machine *out)
{
	struct machine_ticks before, after;
	const uint64_t own_before = own_ticks();
	const bool has_ticks = read_ticks(&before);
	cpu_set_t cpus;

	*out = (struct machine){.has_two_cpus = server_cpu != client_cpu};
	find_hypervisor(out);
	getloadavg(&out->load, 1);
	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		CPU_ZERO(&cpus);
	stay_on(server_cpu);
	measure_cpus(out, client_cpu);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	if (has_ticks && read_ticks(&after))
		machine_take_ticks(out, &before, &after, own_ticks() - own_before);
}
