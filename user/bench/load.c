/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "load.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock.h"

const char load_message[LOAD_MESSAGE_LEN] =
	"nolisten benchmark: sixty-four bytes that ought to come back....";

/* Only the last 32 bits count: a range of sources does not go beyond them. */
static struct addr choose_source(const struct load_options *options, uint64_t sequence)
{
	struct addr source = options->source;
	uint32_t low;

	memcpy(&low, source.bytes + 12, sizeof(low));
	low = htonl(ntohl(low) + (uint32_t)(sequence % options->source_count));
	memcpy(source.bytes + 12, &low, sizeof(low));
	return source;
}

/* The port is chosen by connect(), among those free for this remote end: bind() would look at the whole port. */
static int bind_source(const struct load_options *options, uint64_t sequence, int fd)
{
	struct endpoint local = {0};
	struct sockaddr_storage sockaddr;
	socklen_t len;
	int one = 1;

	if (!options->source_count)
		return 0;
	local.addr = choose_source(options, sequence);
	if (options->first_port)
		local.port = (uint16_t)(options->first_port + sequence);
	len = endpoint_to_sockaddr(&local, 0, &sockaddr);
	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&sockaddr, len))
		return -errno;
	return 0;
}

static int set_closing(const struct load_options *options, int fd)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (options->has_fin)
		return 0;
	return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) ? -errno : 0;
}

int load_open(const struct load_options *options, uint64_t sequence, int type)
{
	int family = addr_is_v4(&options->remote.addr) ? AF_INET : AF_INET6, err;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | type, 0);

	if (fd < 0)
		return -errno;
	err = bind_source(options, sequence, fd);
	if (!err)
		err = set_closing(options, fd);
	if (err)
		close(fd);
	return err ?: fd;
}

static int exchange(int fd, const struct sockaddr_storage *remote, socklen_t len)
{
	struct timeval timeout = {.tv_sec = LOAD_TIMEOUT_MS / 1000};
	char echo[LOAD_MESSAGE_LEN];
	ssize_t got;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)))
		return -errno;
	if (connect(fd, (const struct sockaddr *)remote, len))
		return errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	if (send(fd, load_message, sizeof(load_message), MSG_NOSIGNAL) < 0)
		return -errno;
	got = recv(fd, echo, sizeof(echo), MSG_WAITALL);
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (got != sizeof(echo))
		return -ECONNRESET;
	return memcmp(echo, load_message, sizeof(echo)) ? -EBADMSG : 0;
}

int load_one(const struct load_options *options, uint64_t sequence, uint64_t *latency_ns)
{
	struct sockaddr_storage remote;
	socklen_t len = endpoint_to_sockaddr(&options->remote, 0, &remote);
	int fd = load_open(options, sequence, 0), err;
	uint64_t start_ns;

	if (fd < 0)
		return fd;
	start_ns = clock_monotonic_ns();
	err = exchange(fd, &remote, len);
	*latency_ns = clock_monotonic_ns() - start_ns;
	close(fd);
	return err;
}

int load_wait_for_server(const struct load_options *options, uint32_t wait_ms)
{
	uint64_t deadline_ns = clock_monotonic_ns() + wait_ms * CLOCK_NS_PER_MS, latency_ns;
	uint64_t sequence = 0;
	int err;

	while ((err = load_one(options, sequence++, &latency_ns))) {
		if (clock_monotonic_ns() >= deadline_ns)
			return err;
		poll(NULL, 0, 5);
	}
	return 0;
}

void load_count_failure(struct load_result *result, int err)
{
	if (!result->failed++)
		result->first_error = err;
}

static void run_serial(const struct load_options *options, struct load_result *out)
{
	uint64_t begin_ns = clock_monotonic_ns() + options->warmup_ms * CLOCK_NS_PER_MS;
	uint64_t end_ns = begin_ns + options->duration_ms * CLOCK_NS_PER_MS;
	uint64_t latency_ns, now_ns = 0;
	int err;

	for (uint64_t i = 0; now_ns < end_ns && out->failed < LOAD_FAILURES_MAX; i++) {
		bool is_counted = now_ns >= begin_ns;

		err = load_one(options, i, &latency_ns);
		if (err)
			load_count_failure(out, err);
		else if (is_counted)
			histogram_add(&out->latency, latency_ns);
		now_ns = clock_monotonic_ns();
	}
	out->counted_ns = now_ns > begin_ns ? now_ns - begin_ns : 0;
}

int load_run(const struct load_options *options, struct load_result *out)
{
	int err = 0;

	memset(out, 0, sizeof(*out));
	if (options->parallel > 1)
		err = load_run_parallel(options, out);
	else
		run_serial(options, out);
	out->connections = out->latency.count;
	return err;
}
