/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "service_settings.h"

#include "clock.h"

struct service_options service_settings(const struct config *config)
{
	return (struct service_options){
		.max_children = config->max_children,
		.fallback = config->fallback,
		.queue_max = 1 + (config->queue_max - 1) / config->workers,
		.queue_ns = config->queue_ms * CLOCK_NS_PER_MS,
		.connect_ns = config->connect_ms * CLOCK_NS_PER_MS,
		.has_proxy_header = config->has_proxy_header,
		.record_ns = config->record_ms * CLOCK_NS_PER_MS,
	};
}

/* Only one of the two can be one: a service behind socket, or the service. */
static const char *find_apart(const struct config *config)
{
	if (config->fallback && service_is_apart(config->fallback))
		return config->fallback;
	return service_is_apart(config->service) ? config->service : NULL;
}

int service_settings_start(struct service_process **out, const struct config *config)
{
	const struct service_options service = service_settings(config);
	const struct service_process_options options = {
		.spec = find_apart(config),
		.service = &service,
		.pairs = config->workers,
		.user = confine_service_user(&config->privileges),
	};

	*out = NULL;
	if (!options.spec || config->is_rehearsal)
		return 0;
	return service_process_new(out, &options);
}
