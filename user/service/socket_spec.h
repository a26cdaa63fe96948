/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* socket:PATH[,user=NAME][,group=NAME][,mode=OCTAL][,transient][,connect=yes] */
#ifndef NOLISTEN_SOCKET_SPEC_H
#define NOLISTEN_SOCKET_SPEC_H

#include <stdbool.h>
#include <sys/types.h>

#define SOCKET_SPEC_PATH_SIZE 108 /* of sun_path */

struct socket_spec {
	char path[SOCKET_SPEC_PATH_SIZE]; /* absolute; or "@name", in the abstract namespace */
	uid_t user; /* [root] */
	gid_t group; /* [root] */
	mode_t mode; /* [0600; 0660 if a group is named] */
	bool may_connect; /* applications may have connections opened for them [no] */
	bool is_transient; /* the loader ends with its last application */
};

/* argument: what is behind "socket:". -EINVAL: *error, a constant text, says why. */
int socket_spec_parse(const char *argument, struct socket_spec *out, const char **error);
/* Of a whole service, as in "socket:/run/x"; false: it is another one, or malformed. */
bool socket_spec_of_service(const char *service, struct socket_spec *out);

#endif
