/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is refused and told ends in a signal of the thread that has called (SECCOMP_RET_TRAP): the handler says so through a
 * pipe, which any handler may, and the call returns EPERM.
 */
#include "call_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <unistd.h>

static int tell_fd = -1;

static void set_result(ucontext_t *where, long result)
{
#if defined(__x86_64__)
	where->uc_mcontext.gregs[REG_RAX] = result;
#elif defined(__aarch64__)
	where->uc_mcontext.regs[0] = (unsigned long long)result;
#else
#error "where does a system call of this architecture return what it returns?"
#endif
}

static void take_refusal(int signal, siginfo_t *info, void *where)
{
	const int saved_errno = errno;
	const uint32_t number = (uint32_t)info->si_syscall;

	(void)signal;
	if (write(tell_fd, &number, sizeof(number)) < 0)
		errno = saved_errno; /* it is full: who reads it knows enough */
	errno = saved_errno;
	set_result(where, -EPERM);
}

int call_filter_open_told(void)
{
	struct sigaction action = {.sa_sigaction = take_refusal,
				   .sa_flags = SA_SIGINFO | SA_NODEFER};
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	tell_fd = fds[1];
	sigemptyset(&action.sa_mask);
	if (!sigaction(SIGSYS, &action, NULL))
		return fds[0];
	close(fds[0]);
	close(fds[1]);
	return -errno;
}

void call_filter_name(uint32_t number, char text[CALL_NAME_SIZE])
{
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number);

	if (name)
		snprintf(text, CALL_NAME_SIZE, "%s()", name);
	else
		snprintf(text, CALL_NAME_SIZE, "call %u", number);
	free(name);
}

/* Of what is compared with one value the kernel takes the lower half alone: an int, or an unsigned int. */
static struct scmp_arg_cmp comparison_of(const struct call *call)
{
	const unsigned int at = call->argument;

	switch (call->condition) {
	case CALL_IF_SET:
		return SCMP_CMP(at, SCMP_CMP_MASKED_EQ, call->value, call->value);
	case CALL_IF_CLEAR:
		return SCMP_CMP(at, SCMP_CMP_MASKED_EQ, call->value, 0);
	default:
		return SCMP_CMP(at, SCMP_CMP_MASKED_EQ, UINT32_MAX, call->value);
	}
}

static int add_call(scmp_filter_ctx filter, uint32_t action, const struct call *call,
		    bool has_condition)
{
	const int number = seccomp_syscall_resolve_name(call->name);
	const struct scmp_arg_cmp comparison = comparison_of(call);
	int err;

	if (number == __NR_SCMP_ERROR)
		return 0;
	err = seccomp_rule_add_array(filter, action, number, has_condition, &comparison);
	/* The architecture has another call in its place; or it is among them already. */
	return err == -EDOM || err == -EEXIST ? 0 : err;
}

static uint32_t default_action(enum call_filter_refusal refusal)
{
	switch (refusal) {
	case CALL_FILTER_TELLS:
		return SCMP_ACT_TRAP;
	case CALL_FILTER_KILLS:
		return SCMP_ACT_KILL_PROCESS;
	default:
		return SCMP_ACT_ALLOW;
	}
}

static int fill(scmp_filter_ctx filter, const struct call_list *list)
{
	const uint32_t action =
		list->refusal == CALL_FILTER_ALLOWS ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW;
	int err = 0;

	for (const struct call *const *part = list->parts; *part; part++)
		for (const struct call *call = *part; !err && call->name; call++)
			err = add_call(filter, action, call,
				       call->condition != CALL_ANYHOW &&
					       call->condition != CALL_UNLESS_EQUAL);
	/* It takes a pointer to its flags, which no filter can look at: the C library then takes clone(2). */
	return err ?: seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

/* Of a list of what is allowed: that one value which is not. */
static int fill_exceptions(scmp_filter_ctx filter, const struct call_list *list)
{
	int err = 0;

	for (const struct call *const *part = list->parts; *part; part++)
		for (const struct call *call = *part; !err && call->name; call++)
			if (call->condition == CALL_UNLESS_EQUAL)
				err = add_call(filter, default_action(list->refusal), call, true);
	return err;
}

static int load(uint32_t action, int (*fill_with)(scmp_filter_ctx, const struct call_list *),
		const struct call_list *list)
{
	scmp_filter_ctx filter = seccomp_init(action);
	int err;

	if (!filter)
		return -ENOMEM;
	err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!err)
		err = fill_with(filter, list);
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}

/* Libseccomp compares for inequality in whole words only: a filter of their own has the exceptions, and the stricter one counts. */
int call_filter_enter(const struct call_list *list)
{
	int err = 0;

	if (list->refusal != CALL_FILTER_ALLOWS)
		err = load(SCMP_ACT_ALLOW, fill_exceptions, list);
	return err ?: load(default_action(list->refusal), fill, list);
}
