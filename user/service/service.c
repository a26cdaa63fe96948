/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The services by name, and what is common to all of them. */
#include "service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"

#define POINTER_TO(kind) &kind,
static const struct service_kind *const kinds[] = {SERVICES(POINTER_TO)};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

/* *argument: what follows "name:", or NULL. */
static const struct service_kind *find_kind(const char *spec, const char **argument)
{
	size_t len = strcspn(spec, ":");

	*argument = spec[len] ? spec + len + 1 : NULL;
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (strlen(kinds[i]->name) == len && !memcmp(kinds[i]->name, spec, len))
			return kinds[i];
	return NULL;
}

/* "not one of echo, discard" and so on. */
static const char *not_one_of(void)
{
	static char text[256];
	int len = snprintf(text, sizeof(text), "not one of ");

	for (size_t i = 0; i < KIND_COUNT; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%s", i ? ", " : "",
				kinds[i]->form);
	return text;
}

static int configure(struct service *service, const char *spec, const char **error)
{
	const char *argument;
	const struct service_kind *kind = find_kind(spec, &argument);

	if (!kind) {
		*error = not_one_of();
		return -EINVAL;
	}
	service->kind = kind->is_apart && service->options.apart_fd && service->loop
				? &service_apart
				: kind;
	if (kind->missing_argument && (!argument || !*argument)) {
		*error = kind->missing_argument;
		return -EINVAL;
	}
	if (!kind->missing_argument && !kind->may_have_argument && argument) {
		*error = "this service takes no argument";
		return -EINVAL;
	}
	kind = service->kind;
	return kind->configure ? kind->configure(service, argument, error) : 0;
}

int service_new(struct service **out, const char *spec, const struct service_options *options,
		struct loop *loop, const char **error)
{
	struct service *service = calloc(1, sizeof(*service));
	int err = -ENOMEM;

	*error = "out of memory";
	if (!service)
		goto out;
	service->options = *options;
	service->loop = loop;
	err = configure(service, spec, error);
	if (err)
		goto out;
	*out = service;
	service = NULL;
out:
	service_free(service);
	return err;
}

int service_check(const char *spec, const char **error)
{
	const struct service_options options = {0};
	struct service *service = NULL;
	int err = service_new(&service, spec, &options, NULL, error);

	service_free(service);
	return err;
}

int service_take_arrival(struct service *service, int fd, const struct tuple *tuple,
			 const struct arrival *arrival, bool is_ready)
{
	int err;

	service->arrival = arrival;
	err = connection_open(service, fd, tuple, is_ready);
	service->arrival = NULL;
	if (err)
		service->refused++;
	return err;
}

int service_take(struct service *service, int fd, const struct tuple *tuple)
{
	return service_take_arrival(service, fd, tuple, NULL, false);
}

int service_take_ready(struct service *service, int fd, const struct tuple *tuple)
{
	return service_take_arrival(service, fd, tuple, NULL, true);
}

void service_flush(struct service *service)
{
	if (service->kind->flush)
		service->kind->flush(service);
}

static const struct service *find_behind(const struct service *service)
{
	return service->kind->behind ? service->kind->behind(service) : NULL;
}

bool service_wants_local(const struct service *service)
{
	return service->kind->wants_local;
}

int service_visit(struct service *service, service_fn fn, void *context)
{
	const struct service *behind = find_behind(service);
	int count = 0;

	for (struct connection *one = service->first; one; one = one->next, count++) {
		connection_find_local(one);
		if (!fn(context, &one->tuple, one->created_ns))
			return count;
	}
	return behind ? count + service_visit((struct service *)behind, fn, context) : count;
}

size_t service_active(const struct service *service)
{
	const struct service *behind = find_behind(service);

	return service->active + (behind ? service_active(behind) : 0);
}

uint64_t service_refused(const struct service *service)
{
	const struct service *behind = find_behind(service);

	return service->refused + (behind ? service_refused(behind) : 0);
}

void service_read_stats(const struct service *service, struct service_stats *out)
{
	const struct service *behind = find_behind(service);

	*out = (struct service_stats){0};
	if (behind)
		service_read_stats(behind, out);
#define ADD(name, text) out->name += service->stats.name;
	SERVICE_STATS(ADD)
#undef ADD
}

bool service_is(const char *spec, const char *name)
{
	const size_t len = strlen(name);

	return !strncmp(spec, name, len) && (!spec[len] || spec[len] == ':');
}

bool service_is_apart(const char *spec)
{
	const char *argument;
	const struct service_kind *kind = find_kind(spec, &argument);

	return kind && kind->is_apart;
}

void service_free(struct service *service)
{
	if (!service)
		return;
	while (service->first)
		connection_close(service->first);
	if (service->kind && service->kind->forget)
		service->kind->forget(service);
	free(service);
}

const char *service_form(size_t index)
{
	return index < KIND_COUNT ? kinds[index]->form : NULL;
}

const char *service_meaning(size_t index)
{
	return index < KIND_COUNT ? kinds[index]->meaning : NULL;
}
