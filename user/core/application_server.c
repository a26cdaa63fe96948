/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where applications come to. */
#include <errno.h>
#include <string.h>

#include "applications_private.h"
#include "log.h"
#include "socket_spec.h"

int applications_listen(struct applications *applications, const struct socket_spec *spec,
			const struct app_server_ops *ops)
{
	const struct app_access access = {spec->user, spec->group, spec->mode};
	int err = app_server_new(&applications->server, spec->path, &access,
				 core_loop(applications->core), ops, applications);

	if (err)
		log_error("--service: %s: %s", spec->path,
			  err == -EADDRINUSE ? "another process listens there, or it is no socket"
					     : strerror(-err));
	return err;
}
