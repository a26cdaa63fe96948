/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The pure part: from ticks and times to words. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A quiet computer without a hypervisor is well below all of them. */
#define SYSCALL_NS_MAX 500
#define WAKEUP_US_MAX 15
#define DRIFT_PCT_MAX 5
#define STOLEN_PCT_MAX 1
#define OTHERS_PCT_MAX 5
#define LOAD_MAX 0.5

/* proc_stat(5): guest time is part of user time. */
enum {
	USER,
	NICE,
	SYSTEM,
	IDLE,
	IOWAIT,
	IRQ,
	SOFTIRQ,
	STEAL,
	TICKS
};

void machine_name_hypervisor(struct machine *machine, const char *signature)
{
	static const struct {
		const char *signature, *name;
	} known[] = {
		{"KVMKVMKVM", "KVM"},	     {"XenVMMXenVMM", "Xen"},  {"VMwareVMware", "VMware"},
		{"Microsoft Hv", "Hyper-V"}, {"TCGTCGTCGTCG", "QEMU"},
	};
	char *end = machine->hypervisor;

	for (size_t i = 0; i < COUNT(known); i++)
		if (!strcmp(signature, known[i].signature))
			signature = known[i].name;
	/* Made for people to read, but nobody promises that. */
	for (; *signature && end < machine->hypervisor + MACHINE_HYPERVISOR_SIZE - 1; signature++)
		*end++ = *signature >= ' ' && *signature <= '~' ? *signature : '?';
	*end = '\0';
}

bool machine_parse_ticks(const char *line, struct machine_ticks *out)
{
	uint64_t ticks[TICKS];

	if (strncmp(line, "cpu ", 4) ||
	    sscanf(line,
		   "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		   " %" SCNu64 " %" SCNu64,
		   &ticks[USER], &ticks[NICE], &ticks[SYSTEM], &ticks[IDLE], &ticks[IOWAIT],
		   &ticks[IRQ], &ticks[SOFTIRQ], &ticks[STEAL]) != TICKS)
		return false;
	*out = (struct machine_ticks){.stolen = ticks[STEAL]};
	for (size_t i = 0; i < TICKS; i++)
		out->total += ticks[i];
	out->busy = out->total - ticks[IDLE] - ticks[IOWAIT] - ticks[STEAL];
	return true;
}

void machine_take_ticks(struct machine *machine, const struct machine_ticks *before,
			const struct machine_ticks *after, uint64_t own_ticks)
{
	const uint64_t total = after->total - before->total, busy = after->busy - before->busy;

	if (!total)
		return;
	machine->stolen_pct = (double)(after->stolen - before->stolen) * 100 / (double)total;
	machine->others_pct =
		busy > own_ticks ? (double)(busy - own_ticks) * 100 / (double)total : 0;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double machine_spread_pct(double *values, size_t count)
{
	const size_t tenth = count / 10;

	if (!count)
		return 0;
	qsort(values, count, sizeof(*values), compare);
	return (values[count - 1 - tenth] - values[tenth]) * 100 / values[count / 2];
}

void machine_describe(const struct machine *machine, char text[MACHINE_TEXT_SIZE])
{
	snprintf(
		text, MACHINE_TEXT_SIZE,
		"%s%s%s, system call %.0f ns, wake-up %.1f us, busy loop varies by %.1f %%, stolen %.1f %%, "
		"others %.1f %%, load %.2f",
		machine->is_virtual ? "virtual machine" : "no hypervisor",
		*machine->hypervisor ? " of " : "", machine->hypervisor, machine->syscall_ns,
		machine->wakeup_us, machine->drift_pct, machine->stolen_pct, machine->others_pct,
		machine->load);
}

struct warning {
	bool is_due;
	const char *format; /* of the value, where there is one */
	double value;
};

bool machine_warning(const struct machine *machine, size_t index, char text[MACHINE_TEXT_SIZE])
{
	const struct warning all[] = {
		{!machine->has_two_cpus,
		 "server and client share one CPU, so each waits for the other", 0},
		{machine->is_virtual,
		 "a virtual machine: what else the host does is not seen, so figures swing", 0},
		{machine->syscall_ns > SYSCALL_NS_MAX,
		 "a system call costs %.0f ns, so what makes many is slower than elsewhere",
		 machine->syscall_ns},
		{machine->wakeup_us > WAKEUP_US_MAX,
		 "waking the other CPU takes %.0f us, so latencies are mostly that",
		 machine->wakeup_us},
		{machine->drift_pct > DRIFT_PCT_MAX,
		 "one busy loop varies by %.0f %%, so figures swing", machine->drift_pct},
		{machine->stolen_pct > STOLEN_PCT_MAX,
		 "the hypervisor takes %.0f %% of the CPUs, so figures swing", machine->stolen_pct},
		{machine->others_pct > OTHERS_PCT_MAX,
		 "other processes take %.0f %% of the CPUs, so figures swing", machine->others_pct},
		{machine->load > LOAD_MAX,
		 "the load average is %.1f: others were at work, and if they still are, figures swing",
		 machine->load},
	};

	_Static_assert(COUNT(all) <= MACHINE_WARNINGS_MAX, "there is room for all warnings");
	for (size_t i = 0; i < COUNT(all); i++) {
		if (!all[i].is_due || index--)
			continue;
		snprintf(text, MACHINE_TEXT_SIZE, all[i].format, all[i].value);
		return true;
	}
	return false;
}
