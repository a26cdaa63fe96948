/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The order is the kernel's: what bounds exec asks for a capability, as does to become another user; a filter without
 * capabilities asks for no_new_privs; and nothing may be dumped, or looked into, by others of the same user.
 */
#include "confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "calls.h"
#include "capabilities.h"
#include "log.h"

#define BIT(capability) (1ull << (capability))

#define NAMES_TOLD 16 /* another one is said again */

struct confined {
	const char *ifname;
	int fd;
	struct loop_source *source;
	uint32_t told[NAMES_TOLD];
	unsigned int count;
};

static bool is_told(const struct confined *confined, uint32_t number)
{
	for (unsigned int i = 0; i < confined->count; i++)
		if (confined->told[i] == number)
			return true;
	return false;
}

static void tell(struct confined *confined, uint32_t number)
{
	char name[CALL_NAME_SIZE];

	if (is_told(confined, number))
		return;
	if (confined->count < NAMES_TOLD)
		confined->told[confined->count++] = number;
	call_filter_name(number, name);
	log_warning("%s: refused to itself %s, which is not among the calls that it needs: a fault "
		    "of the program, or somebody else's code in it (--privileges=keep lets it)",
		    confined->ifname, name);
}

static void read_told(void *context, uint32_t events)
{
	struct confined *confined = context;
	uint32_t number;

	(void)events;
	while (read(confined->fd, &number, sizeof(number)) == sizeof(number))
		tell(confined, number);
}

/* Sanitizers make calls of their own, and look for leaks from a process that stops ours. */
#ifdef __SANITIZE_ADDRESS__
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

static void hide(void)
{
	if (!IS_SANITIZED)
		prctl(PR_SET_DUMPABLE, 0);
}

static capability_set kept_by_loader(const struct confine_options *options)
{
	capability_set kept = BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW);

	if (options->binds_low_ports)
		kept |= BIT(CAP_NET_BIND_SERVICE);
	return kept;
}

static int enter_filter(const struct confine_options *options)
{
	static const struct call *const without_vlans[] = {calls_common, calls_connections,
							   calls_loader, NULL};
	static const struct call *const with_vlans[] = {calls_common, calls_connections,
							calls_loader, calls_vlans, NULL};
	static const struct call *const refused[] = {calls_refused, NULL};
	const struct call_list list = {options->signals_others ? with_vlans : without_vlans,
				       CALL_FILTER_TELLS};
	const struct call_list list_with_programs = {refused, CALL_FILTER_ALLOWS};

	if (IS_SANITIZED)
		return 0;
	return call_filter_enter(options->runs_programs ? &list_with_programs : &list);
}

static int give_up(const struct confine_options *options)
{
	const struct run_as *user = &options->config->user;
	const capability_set kept = kept_by_loader(options);
	int err;

	capabilities_bound(options->runs_programs ? kept : 0);
	err = run_as_become(user, true);
	if (err) {
		log_error("--user: cannot become that user: %s", strerror(-err));
		return err;
	}
	err = capabilities_keep(kept, options->runs_programs);
	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err = -errno;
	hide();
	if (!err)
		err = enter_filter(options);
	if (err)
		log_error("%s: cannot give up privileges: %s (--privileges=keep does without)",
			  options->ifname, strerror(-err));
	return err;
}

int confine_loader(struct confined **out, struct loop *loop, const struct confine_options *options)
{
	struct confined *confined;
	int err;

	if (options->config->keeps_all)
		return 0;
	confined = calloc(1, sizeof(*confined));
	if (!confined)
		return -ENOMEM;
	confined->ifname = options->ifname;
	confined->fd = call_filter_open_told();
	err = confined->fd < 0 ? confined->fd
			       : loop_add(loop, confined->fd, EPOLLIN, read_told, confined,
					  &confined->source);
	if (err)
		log_error("%s: cannot give up privileges: %s", options->ifname, strerror(-err));
	else
		err = give_up(options);
	if (err)
		confined_free(confined);
	else
		*out = confined;
	return err;
}

void confined_free(struct confined *confined)
{
	if (!confined)
		return;
	loop_remove(confined->source);
	if (confined->fd >= 0) {
		read_told(confined, 0);
		close(confined->fd);
	}
	free(confined);
}

void confine_thread(void)
{
	capabilities_keep(0, false);
}

struct run_as confine_service_user(const struct confine_config *config)
{
	if (config->user.is_set)
		return config->user;
	return geteuid() ? (struct run_as){0} : run_as_nobody();
}

int confine_service(const struct confine_service *service)
{
	static const struct call *const refused[] = {calls_refused, calls_refused_to_services,
						     NULL};
	const struct call_list list = {refused, CALL_FILTER_ALLOWS};
	int err;

	capabilities_bound(0);
	err = run_as_become(&service->user, false);
	if (err && !service->is_root_fine)
		return err;
	err = capabilities_keep(0, false);
	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err = -errno;
	hide();
	return err ?: call_filter_enter(&list);
}

int confine_to_connections(void)
{
	static const struct call *const parts[] = {calls_common, calls_connections, NULL};
	const struct call_list list = {parts, CALL_FILTER_KILLS};

	return IS_SANITIZED ? 0 : call_filter_enter(&list);
}
