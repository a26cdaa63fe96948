/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Options of the loader that go with some services only, and services that go with some methods only. */
#include "service_options.h"

#include "events.h"
#include "methods.h"
#include "service.h"

#define DEFAULT_CONNECT_MS 3000
#define DEFAULT_RECORD_MS 5000
#define DEFAULT_TARPIT_S 3600

/* Or is the service behind socket of that name? */
static bool has_service(const struct config *config, const char *name)
{
	return service_is(config->service, name) ||
	       (config->fallback && service_is(config->fallback, name));
}

/* The kernel knows nothing of a tarpit's connections, and must not be asked. */
static bool has_kernel_part(enum nol_method method)
{
	return method_accepts(method) || method_connects_back(method) || method == NOL_METHOD_RAW;
}

static int check_tarpit(struct option_parse *parse, struct config *config)
{
	if (config->fallback && service_is(config->fallback, "tarpit"))
		return option_fail(parse, "--fallback: tarpit takes no connection over");
	if (!service_is(config->service, "tarpit"))
		return config->tarpit_s ? option_fail(parse, "--tarpit-time: goes with "
							     "--service=tarpit")
					: 0;
	if (has_kernel_part(config->method))
		return option_fail(
			parse,
			"--service: tarpit is for methods in which the kernel has no part in "
			"a connection: not %s; use auto, xdp, engine, nfqueue or filter",
			method_text(config->method));
	if (config->sockopts.given)
		return option_fail(parse,
				   "--sockopt: does not go with tarpit, which has no sockets");
	config->tarpit_s = config->tarpit_s ?: DEFAULT_TARPIT_S;
	return 0;
}

int service_options_check(struct option_parse *parse, struct config *config)
{
	const bool forwards = has_service(config, "forward");

	if (config->has_proxy_header && !forwards)
		return option_fail(parse,
				   "--proxy-protocol: goes with --service=forward:HOST:PORT");
	if (config->connect_ms && !forwards)
		return option_fail(parse,
				   "--forward-timeout: goes with --service=forward:HOST:PORT");
	if (config->record_ms && !has_service(config, "record"))
		return option_fail(parse, "--record-time: goes with --service=record");
	config->connect_ms = config->connect_ms ?: DEFAULT_CONNECT_MS;
	config->record_ms = config->record_ms ?: DEFAULT_RECORD_MS;
	return check_tarpit(parse, config);
}
