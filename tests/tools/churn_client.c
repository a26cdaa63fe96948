/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * churn_client HOST PORT COUNT SECONDS AT_ONCE [SOURCE]: connections to an echo service one after the other, AT_ONCE at a
 * time, until there were COUNT or SECONDS are over (0: no such end), or SIGTERM comes. Each sends a few bytes, reads them
 * back and closes. With SOURCE, an IPv4 address, each comes from one of the 4096 addresses from there on. Prints
 * "ready", and at the end "N connections: N served, N refused, N reset, N silent, N cut". A failure ends nothing: what is
 * expected is for the caller to say.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tools/tool.h"

#define SOURCES 4096
#define PATIENCE_MS 15000
#define REST_MS 10
#define BATCH 64

static const char message[] = "once more";

enum outcome {
	SERVED,
	REFUSED,
	RESET,
	SILENT, /* nothing came for PATIENCE_MS */
	CUT, /* the end of the stream came first */
	OUTCOMES,
};

struct connection {
	int fd; /* -1: none */
	bool is_connected;
	size_t have; /* bytes of the echo */
	uint64_t since_ms;
	uint64_t
		rests_until_ms; /* after a failure, or a refusal would be met by thousands of attempts */
};

struct churn {
	struct sockaddr_storage peer;
	socklen_t peer_len;
	uint32_t source; /* host order; 0: whichever */
	uint64_t wanted, started, active, deadline_ms;
	uint64_t outcomes[OUTCOMES];
	int epoll_fd;
	struct connection *connections;
	size_t at_once;
};

static volatile sig_atomic_t is_stopped;

static void take_signal(int number)
{
	(void)number;
	is_stopped = 1;
}

static void bind_source(const struct churn *churn, int fd)
{
	struct sockaddr_in from = {.sin_family = AF_INET};

	from.sin_addr.s_addr = htonl(churn->source + (uint32_t)(churn->started % SOURCES));
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)))
		fail("bind");
}

static void end(struct churn *churn, struct connection *connection, enum outcome outcome)
{
	churn->outcomes[outcome]++;
	churn->active--;
	close(connection->fd);
	connection->fd = -1;
	connection->rests_until_ms = outcome == SERVED ? 0 : now_ms() + REST_MS;
}

static enum outcome outcome_of(int err)
{
	return err == ECONNREFUSED ? REFUSED : err == ETIMEDOUT ? SILENT : RESET;
}

static void begin(struct churn *churn, struct connection *connection)
{
	struct epoll_event event = {.events = EPOLLOUT, .data.ptr = connection};
	const int fd = socket(churn->peer.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	if (churn->source)
		bind_source(churn, fd);
	*connection = (struct connection){.fd = fd, .since_ms = now_ms()};
	churn->started++;
	churn->active++;
	if (connect(fd, (struct sockaddr *)&churn->peer, churn->peer_len) && errno != EINPROGRESS)
		end(churn, connection, outcome_of(errno));
	else if (epoll_ctl(churn->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		fail("epoll_ctl");
}

static void take_connected(struct churn *churn, struct connection *connection)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
	int err = 0;
	socklen_t len = sizeof(err);

	getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (!err && send(connection->fd, message, sizeof(message), MSG_NOSIGNAL) < 0)
		err = errno;
	if (err) {
		end(churn, connection, outcome_of(err));
		return;
	}
	connection->is_connected = true;
	connection->since_ms = now_ms();
	epoll_ctl(churn->epoll_fd, EPOLL_CTL_MOD, connection->fd, &event);
}

static void take_echo(struct churn *churn, struct connection *connection)
{
	char bytes[sizeof(message)];
	const ssize_t len = recv(connection->fd, bytes, sizeof(bytes) - connection->have, 0);

	if (len < 0 && errno == EAGAIN)
		return;
	if (len <= 0) {
		end(churn, connection, len ? outcome_of(errno) : CUT);
		return;
	}
	if (memcmp(bytes, message + connection->have, (size_t)len)) {
		errno = EBADMSG;
		fail("the echo differs");
	}
	connection->have += (size_t)len;
	if (connection->have == sizeof(message))
		end(churn, connection, SERVED);
}

static void give_up(struct churn *churn, struct connection *connection)
{
	fprintf(stderr, "nothing came for %d s %s\n", PATIENCE_MS / 1000,
		connection->is_connected ? "behind the handshake" : "in answer to the SYN");
	end(churn, connection, SILENT);
}

static void give_up_on_the_silent(struct churn *churn)
{
	static uint64_t looked_ms;
	const uint64_t now = now_ms();

	if (now < looked_ms + 100)
		return;
	looked_ms = now;
	for (size_t i = 0; i < churn->at_once; i++)
		if (churn->connections[i].fd >= 0 &&
		    now > churn->connections[i].since_ms + PATIENCE_MS)
			give_up(churn, &churn->connections[i]);
}

static bool is_over(const struct churn *churn)
{
	return is_stopped || now_ms() >= churn->deadline_ms ||
	       (churn->wanted && churn->started >= churn->wanted);
}

static void refill(struct churn *churn)
{
	const uint64_t now = now_ms();

	for (size_t i = 0; i < churn->at_once && churn->active < churn->at_once; i++)
		if (churn->connections[i].fd < 0 && churn->connections[i].rests_until_ms <= now &&
		    !is_over(churn))
			begin(churn, &churn->connections[i]);
}

static void turn(struct churn *churn)
{
	struct epoll_event events[BATCH];
	const int count = epoll_wait(churn->epoll_fd, events, BATCH, REST_MS);

	for (int i = 0; i < count; i++) {
		struct connection *connection = events[i].data.ptr;

		if (connection->fd < 0)
			continue;
		if (connection->is_connected)
			take_echo(churn, connection);
		else
			take_connected(churn, connection);
	}
	give_up_on_the_silent(churn);
}

static void run(struct churn *churn)
{
	do {
		refill(churn);
		turn(churn);
	} while (churn->active || !is_over(churn));
}

int main(int argc, char **argv)
{
	static struct churn churn;
	struct in_addr source = {};

	if (argc != 6 && argc != 7)
		usage("HOST PORT COUNT SECONDS AT_ONCE [SOURCE]");
	raise_descriptor_limit();
	signal(SIGTERM, take_signal);
	churn.peer_len = resolve(argv[1], argv[2], &churn.peer);
	churn.wanted = strtoull(argv[3], NULL, 10);
	churn.deadline_ms = strtoull(argv[4], NULL, 10);
	churn.deadline_ms = churn.deadline_ms ? now_ms() + churn.deadline_ms * 1000 : UINT64_MAX;
	churn.at_once = strtoul(argv[5], NULL, 10);
	if (argc == 7 && inet_pton(AF_INET, argv[6], &source) != 1)
		usage("HOST PORT COUNT SECONDS AT_ONCE [SOURCE]");
	churn.source = ntohl(source.s_addr);
	churn.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	churn.connections = calloc(churn.at_once, sizeof(*churn.connections));
	if (churn.epoll_fd < 0 || !churn.connections)
		fail("cannot begin");
	for (size_t i = 0; i < churn.at_once; i++)
		churn.connections[i].fd = -1;
	printf("ready\n");
	fflush(stdout);
	run(&churn);
	printf("%llu connections: %llu served, %llu refused, %llu reset, %llu silent, %llu cut\n",
	       (unsigned long long)churn.started, (unsigned long long)churn.outcomes[SERVED],
	       (unsigned long long)churn.outcomes[REFUSED],
	       (unsigned long long)churn.outcomes[RESET],
	       (unsigned long long)churn.outcomes[SILENT], (unsigned long long)churn.outcomes[CUT]);
	free(churn.connections);
	return 0;
}
