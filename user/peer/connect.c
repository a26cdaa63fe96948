/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An opener for each address, since what a SYN says depends on the route to it. */
#include "connect.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "connect_settings.h"
#include "connect_words.h"
#include "log.h"
#include "loop.h"
#include "opener.h"
#include "source_address.h"
#include "tcp_open.h"

struct attempt {
	const struct connect_options *options;
	struct connected *out;
	struct loop *loop;
	struct tuple tuple;
	uint32_t scope_id; /* the interface of a link-local address */
	bool is_over;
	int err;
	int signal; /* by which it is over */
};

static void stop(void *context, uint32_t signal)
{
	struct attempt *attempt = context;

	attempt->signal = (int)signal;
	attempt->err = -EINTR;
	attempt->is_over = true;
}

static void take_result(void *context, const struct opening_result *result)
{
	struct attempt *attempt = context;

	attempt->is_over = true;
	attempt->err = result->err;
	if (result->err) {
		connect_tell_failure(attempt->options, &attempt->tuple.remote, result);
		return;
	}
	attempt->out->fd = result->fd;
	attempt->out->tuple = result->tuple;
	if (attempt->options->is_verbose)
		connect_tell_success(attempt->options, result);
}

/* Our address, and the scope that both have. */
static int find_source(struct attempt *attempt)
{
	const struct connect_options *options = attempt->options;
	struct tuple *tuple = &attempt->tuple;
	int err = 0;

	if (!attempt->scope_id && addr_is_link_local(&tuple->remote.addr))
		attempt->scope_id = options->ifindex
					    ?: options->has_source
					       ? tcp_find_scope(&options->source.addr)
					       : 0;
	tuple->local = options->source;
	if (!options->has_source)
		err = source_address_find(&tuple->remote.addr, attempt->scope_id, options->ifindex,
					  &tuple->local.addr);
	/* What UDP may not send to a broadcast address, TCP has no route for. */
	return err == -EACCES ? -ENETUNREACH : err;
}

static int open_opener(struct opener **out, const struct attempt *attempt)
{
	const uint32_t ifindex = attempt->options->ifindex;
	struct opener_config config = {
		.max_openings = 1,
		.scope_id = attempt->scope_id,
		.ifindex = ifindex,
	};

	connect_settings_read(&attempt->tuple.local.addr, &attempt->tuple.remote.addr,
			      ifindex ?: attempt->scope_id, &config.settings, &config.syn_retries);
	return opener_new(out, attempt->loop, &config);
}

static void wait_for_result(struct attempt *attempt)
{
	while (!attempt->is_over) {
		if (loop_wait(attempt->loop, -1) >= 0)
			continue;
		attempt->is_over = true;
		attempt->err = -EIO;
	}
}

/* Logged, but for -EINTR. */
static int try_address(struct attempt *attempt)
{
	const struct opening_options opening = {
		.tuple = attempt->tuple,
		.syn = attempt->options->syn,
		.timeout_ns = attempt->options->timeout_s * CLOCK_NS_PER_S,
	};
	struct opener *opener = NULL;
	struct opening *unused;
	int err = open_opener(&opener, attempt);

	if (err)
		return err;
	err = opener_open(opener, &opening, take_result, attempt, &unused);
	if (err) {
		connect_tell_refusal(attempt->options, &attempt->tuple, err);
	} else {
		wait_for_result(attempt);
		err = attempt->err;
	}
	if (err)
		opener_free(opener);
	else
		attempt->out->opener = opener;
	return err;
}

static int take_address(struct attempt *attempt, const struct addrinfo *info)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)info->ai_addr;
	int err;

	if (!endpoint_from_sockaddr(info->ai_addr, &attempt->tuple.remote))
		return -EAFNOSUPPORT;
	attempt->scope_id = info->ai_family == AF_INET6 ? v6->sin6_scope_id : 0;
	err = addr_is_one_host(&attempt->tuple.remote.addr) ? find_source(attempt) : -ENETUNREACH;
	if (!err)
		return try_address(attempt);
	connect_tell_refusal(attempt->options, &attempt->tuple, err);
	return err;
}

static bool goes_with_source(const struct connect_options *options, const struct addrinfo *info)
{
	const int family = addr_is_v4(&options->source.addr) ? AF_INET : AF_INET6;

	return !options->has_source || info->ai_family == family;
}

static int try_all(struct attempt *attempt, const struct addrinfo *list)
{
	int err = -EAFNOSUPPORT;

	for (const struct addrinfo *one = list; one; one = one->ai_next) {
		if (!goes_with_source(attempt->options, one))
			continue;
		attempt->is_over = false;
		err = take_address(attempt, one);
		if (!err || err == -EINTR)
			return err;
	}
	if (err == -EAFNOSUPPORT)
		log_error("connect: %s has no address of the source's family",
			  attempt->options->host);
	return err;
}

static int resolve(const struct connect_options *options, struct addrinfo **out)
{
	const struct addrinfo hints = {.ai_family = options->family, .ai_socktype = SOCK_STREAM};
	int result = getaddrinfo(options->host, options->port, &hints, out);

	if (!result)
		return 0;
	log_error("connect: host \"%s\" port %s: %s", options->host, options->port,
		  result == EAI_SYSTEM ? strerror(errno) : gai_strerror(result));
	return -EHOSTUNREACH;
}

/* Never 0, 1 or 2: if one of these was closed at the start, it is not for the connection to take its place. */
static int move_up(struct connected *connected)
{
	const int fd = fcntl(connected->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (fd < 0)
		return -errno;
	close(connected->fd);
	connected->fd = fd;
	return 0;
}

int connect_open(const struct connect_options *options, struct connected *out, int *signal)
{
	static const int signals[] = {SIGINT, SIGTERM, 0};
	struct attempt attempt = {.options = options, .out = out};
	struct addrinfo *list = NULL;
	int err = resolve(options, &list);

	*out = (struct connected){.fd = -1};
	if (err)
		return err;
	err = loop_new(&attempt.loop);
	if (!err)
		err = loop_add_signals(attempt.loop, signals, stop, &attempt, NULL);
	if (err)
		log_error("connect: %s", strerror(-err));
	if (!err)
		err = try_all(&attempt, list);
	if (!err && out->fd <= STDERR_FILENO)
		err = move_up(out);
	*signal = attempt.signal;
	out->loop = attempt.loop;
	freeaddrinfo(list);
	if (err)
		connect_close(out);
	return err;
}

void connect_close(struct connected *connected)
{
	opener_free(connected->opener);
	loop_free(connected->loop);
	if (connected->fd >= 0)
		close(connected->fd);
	*connected = (struct connected){.fd = -1};
}
