/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stream_client HOST PORT BYTES: one connection to an echo service, BYTES out and the same BYTES back at the
 * same time, every byte compared, then the end of the stream. Prints "N bytes intact in both directions".
 */
#include <poll.h>
#include <unistd.h>

#include "tools/tool.h"

#define CHUNK (256 * 1024)
#define SILENCE_MS 15000
#define SEED 7

struct stream {
	int fd;
	uint64_t total, sent, received;
	uint8_t out[CHUNK], in[CHUNK], expected[CHUNK];
	size_t out_start, out_end;
};

static void send_some(struct stream *stream)
{
	ssize_t sent;

	if (stream->out_start == stream->out_end) {
		uint64_t left = stream->total - stream->sent;

		stream->out_start = 0;
		stream->out_end = left < CHUNK ? (size_t)left : CHUNK;
		fill_pattern(stream->out, stream->out_end, SEED, stream->sent);
	}
	sent = send(stream->fd, stream->out + stream->out_start,
		    stream->out_end - stream->out_start, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN)
		fail("send");
	if (sent < 0)
		return;
	stream->out_start += (size_t)sent;
	stream->sent += (uint64_t)sent;
	if (stream->sent == stream->total)
		shutdown(stream->fd, SHUT_WR);
}

/* false: the stream has ended. */
static bool receive_some(struct stream *stream)
{
	ssize_t got = recv(stream->fd, stream->in, CHUNK, MSG_DONTWAIT);

	if (got < 0 && errno != EAGAIN)
		fail("recv");
	if (got <= 0)
		return got < 0;
	fill_pattern(stream->expected, (size_t)got, SEED, stream->received);
	if (memcmp(stream->in, stream->expected, (size_t)got)) {
		fprintf(stderr, "damaged after byte %llu\n", (unsigned long long)stream->received);
		exit(1);
	}
	stream->received += (uint64_t)got;
	return true;
}

static void run(struct stream *stream)
{
	bool is_open = true;

	while (is_open) {
		struct pollfd poller = {.fd = stream->fd, .events = POLLIN};

		if (stream->sent < stream->total)
			poller.events |= POLLOUT;
		if (poll(&poller, 1, SILENCE_MS) != 1) {
			errno = ETIMEDOUT;
			fail("nothing moves");
		}
		if (poller.revents & POLLOUT)
			send_some(stream);
		if (poller.revents & (POLLIN | POLLHUP | POLLERR))
			is_open = receive_some(stream);
	}
}

int main(int argc, char **argv)
{
	static struct stream stream;
	struct sockaddr_storage peer;
	socklen_t peer_len;

	if (argc != 4)
		usage("HOST PORT BYTES");
	peer_len = resolve(argv[1], argv[2], &peer);
	stream.total = strtoull(argv[3], NULL, 10);
	stream.fd = socket(peer.ss_family, SOCK_STREAM, 0);
	if (connect(stream.fd, (struct sockaddr *)&peer, peer_len))
		fail("connect");
	run(&stream);
	printf("%llu of %llu bytes intact in both directions\n",
	       (unsigned long long)stream.received, (unsigned long long)stream.total);
	close(stream.fd);
	return stream.received == stream.total ? 0 : 1;
}
