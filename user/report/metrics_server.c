/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * libmicrohttpd has an epoll of its own, which is a descriptor like any other; a timer is for those who connect
 * and say nothing.
 */
#include "metrics_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "addr.h"
#include "log.h"
#include "openmetrics.h"

#define PATH "/metrics"
#define UNIX_PREFIX "unix:"
#define BACKLOG 16
#define CLIENTS 8
#define CLIENTS_OF_ONE 4 /* nobody keeps all others out */
#define SILENCE_S 5
#define TICK_MS 1000
#define TURNS 16

struct metrics_server {
	metrics_fn fn;
	void *context;
	struct MHD_Daemon *daemon;
	struct loop_source *source, *tick;
	int fd;
	char *path; /* of a socket in the file system; NULL: none, or not ours */
};

static bool is_unix(const char *text)
{
	return strncmp(text, UNIX_PREFIX, sizeof(UNIX_PREFIX) - 1) == 0;
}

static const char *path_of(const char *text)
{
	return text + sizeof(UNIX_PREFIX) - 1;
}

static bool parse_endpoint(const char *text, struct endpoint *out)
{
	char loopback[ENDPOINT_TEXT_SIZE];

	if (*text == ':') {
		snprintf(loopback, sizeof(loopback), "127.0.0.1%s", text);
		text = loopback;
	}
	return endpoint_parse(text, out);
}

bool metrics_address_check(const char *text, const char **why)
{
	const size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path);
	struct endpoint endpoint;

	if (!is_unix(text)) {
		*why = "needs ADDR:PORT, :PORT or unix:PATH";
		return parse_endpoint(text, &endpoint);
	}
	*why = "needs a path behind unix:, of 107 characters at most";
	return *path_of(text) && strlen(path_of(text)) < room;
}

static socklen_t make_name(const char *address, struct sockaddr_storage *out)
{
	struct sockaddr_un *name = (struct sockaddr_un *)out;
	struct endpoint endpoint;

	if (!is_unix(address))
		return parse_endpoint(address, &endpoint) ? endpoint_to_sockaddr(&endpoint, 0, out)
							  : 0;
	name->sun_family = AF_UNIX;
	snprintf(name->sun_path, sizeof(name->sun_path), "%s", path_of(address));
	return sizeof(*name);
}

/* A socket that a loader left when it was killed: there, and nobody listens. Files of any other kind refuse as well. */
static bool is_abandoned(const char *path, const struct sockaddr_storage *name, socklen_t len)
{
	struct stat file;
	bool is_refused;
	int fd;

	if (lstat(path, &file) || !S_ISSOCK(file.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	is_refused = connect(fd, (const struct sockaddr *)name, len) && errno == ECONNREFUSED;
	close(fd);
	return is_refused;
}

static int bind_to(int fd, const char *address)
{
	struct sockaddr_storage name = {0};
	const socklen_t len = make_name(address, &name);

	if (!bind(fd, (const struct sockaddr *)&name, len))
		return 0;
	if (errno != EADDRINUSE || !is_unix(address) || !is_abandoned(path_of(address), &name, len))
		return -errno;
	unlink(path_of(address));
	return bind(fd, (const struct sockaddr *)&name, len) ? -errno : 0;
}

static int family_of(const char *address)
{
	struct sockaddr_storage name = {0};

	make_name(address, &name);
	return name.ss_family;
}

int metrics_address_try(const char *address)
{
	struct sockaddr_storage name = {0};
	const socklen_t len = make_name(address, &name);
	int fd = socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, (const struct sockaddr *)&name, len))
		err = -errno;
	close(fd);
	return err;
}

static int listen_on(struct metrics_server *server, const char *address)
{
	int err;

	server->fd = socket(family_of(address), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->fd < 0)
		return -errno;
	setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	err = bind_to(server->fd, address);
	if (err)
		return err;
	if (is_unix(address))
		server->path = strdup(path_of(address));
	return listen(server->fd, BACKLOG) ? -errno : 0;
}

/* A page that libmicrohttpd frees; NULL: no memory. */
static struct MHD_Response *make_page(struct metrics_server *server, enum openmetrics_form form)
{
	json_t *statuses = server->fn(server->context);
	char *text = NULL;
	size_t len = 0;
	FILE *out = statuses ? open_memstream(&text, &len) : NULL;
	struct MHD_Response *page;

	if (out)
		openmetrics_write(out, statuses, form);
	json_decref(statuses);
	if (!out || fclose(out)) {
		free(text);
		return NULL;
	}
	page = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
	if (page)
		MHD_add_response_header(page, "Content-Type", openmetrics_media_type(form));
	return page;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int status,
			      struct MHD_Response *page)
{
	enum MHD_Result result;

	if (!page)
		return MHD_NO; /* closes the connection */
	result = MHD_queue_response(connection, status, page);
	MHD_destroy_response(page);
	return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned int status)
{
	static char text[] = "GET " PATH "\n";

	return answer(
		connection, status,
		MHD_create_response_from_buffer(sizeof(text) - 1, text, MHD_RESPMEM_PERSISTENT));
}

static enum openmetrics_form form_for(struct MHD_Connection *connection)
{
	const char *accepted = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");

	return accepted && strstr(accepted, "application/openmetrics-text") ? OPENMETRICS_1_0
									    : OPENMETRICS_TEXT;
}

static enum MHD_Result take_request(void *context, struct MHD_Connection *connection,
				    const char *url, const char *method, const char *version,
				    const char *body, size_t *body_len, void **request)
{
	(void)version;
	(void)body;
	(void)request;
	if (*body_len) { /* nobody asks with one */
		*body_len = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED);
	if (strcmp(url, PATH))
		return refuse(connection, MHD_HTTP_NOT_FOUND);
	return answer(connection, MHD_HTTP_OK, make_page(context, form_for(connection)));
}

static void run(void *context, uint32_t events)
{
	struct metrics_server *server = context;
	MHD_UNSIGNED_LONG_LONG wait_ms = 0;

	(void)events;
	/* What it has put off by itself makes no event. */
	for (int turn = 0; turn < TURNS && !wait_ms; turn++) {
		MHD_run(server->daemon);
		if (MHD_get_timeout(server->daemon, &wait_ms) != MHD_YES)
			return;
	}
}

__attribute__((format(printf, 2, 0))) static void take_log(void *context, const char *format,
							   va_list args)
{
	char text[256];

	(void)context;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug("metrics: %s", text);
}

static int start_daemon(struct metrics_server *server)
{
	const struct MHD_OptionItem options[] = {
		{MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)take_log, server},
		{MHD_OPTION_LISTEN_SOCKET, server->fd, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, CLIENTS, NULL},
		{MHD_OPTION_PER_IP_CONNECTION_LIMIT, CLIENTS_OF_ONE, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, SILENCE_S, NULL},
		{MHD_OPTION_END, 0, NULL},
	};

	server->daemon =
		MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, take_request,
				 server, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
	return server->daemon ? 0 : -EIO;
}

static int add_sources(struct metrics_server *server, struct loop *loop)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int err;

	if (!info)
		return -EIO;
	err = loop_add(loop, info->epoll_fd, EPOLLIN, run, server, &server->source);
	return err ?: loop_add_timer(loop, TICK_MS, run, server, &server->tick);
}

int metrics_server_new(struct metrics_server **out, const char *address, struct loop *loop,
		       metrics_fn fn, void *context)
{
	struct metrics_server *server = calloc(1, sizeof(*server));
	int err;

	if (!server)
		return -ENOMEM;
	server->fn = fn;
	server->context = context;
	err = listen_on(server, address);
	if (!err)
		err = start_daemon(server);
	if (!err)
		err = add_sources(server, loop);
	if (err) {
		log_error("metrics on %s: %s", address, strerror(-err));
		metrics_server_free(server);
		return err;
	}
	*out = server;
	return 0;
}

void metrics_server_free(struct metrics_server *server)
{
	if (!server)
		return;
	loop_remove(server->source);
	loop_remove(server->tick);
	if (server->daemon)
		MHD_stop_daemon(server->daemon); /* closes the socket */
	else if (server->fd >= 0)
		close(server->fd);
	if (server->path)
		unlink(server->path);
	free(server->path);
	free(server);
}
