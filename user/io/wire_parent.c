/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A remote cannot reach the parent because its address is nobody's: no route leads there, and none leads to us for it. Should
 * somebody have one that does (an AnyIP route for all of IPv6), or connect() from this very host, then the filter
 * drops what is addressed to the parent itself, the SYN first. The children inherit it, and lose nothing by it: what is theirs is
 * addressed to the port that was answered.
 */
#include "wire_parent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "container.h"
#include "log.h"

#define BACKLOG 65535 /* net.core.somaxconn cuts it */

struct wire_parent {
	struct wire wire;
	struct kern *kern;
	uint32_t worker;
	struct addr at;
	const struct sockopts *sockopts;
	int fd;
	int old_fd; /* what is queued there comes first; -1: nothing */
};

static struct wire_parent *from_wire(struct wire *wire)
{
	return container_of(wire, struct wire_parent, wire);
}

int wire_parent_choose(struct addr *out)
{
	static const struct addr discard = {{0x01}};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 && errno != EAFNOSUPPORT)
		return -errno;
	if (fd < 0)
		return addr_parse("192.0.0.8", out) ? 0 : -EINVAL;
	close(fd);
	*out = discard;
	return getrandom(out->bytes + 8, 8, 0) == 8 ? 0 : -EIO;
}

#define DESTINATION_V4 16
#define DESTINATION_V6 24
#define VERSION_MASK 0xf0
#define KEEP 0xffffffff

/* One word of the destination address; another one: keep the packet. */
#define IS_WORD(offset, words, i, otherwise)                                            \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + (offset) + 4 * (i)), \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl((words)[i]), 0, otherwise)

/* The last word first: it is the one that tells others apart. */
static int filter_v6(int fd, const struct addr *at)
{
	uint32_t words[4];
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)SKF_NET_OFF),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, VERSION_MASK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x60, 0, 9),
		IS_WORD(DESTINATION_V6, (memcpy(words, at->bytes, sizeof(words)), words), 3, 7),
		IS_WORD(DESTINATION_V6, words, 2, 5),
		IS_WORD(DESTINATION_V6, words, 1, 3),
		IS_WORD(DESTINATION_V6, words, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, KEEP),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ? -errno : 0;
}

static int filter_v4(int fd, const struct addr *at)
{
	uint32_t word;
	struct sock_filter code[] = {
		IS_WORD(DESTINATION_V4, (memcpy(&word, at->bytes + 12, sizeof(word)), &word), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, KEEP),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ? -errno : 0;
}

/* Children inherit SO_REUSEADDR: a server that comes later may listen on their port. */
static int set_addressing(int fd, bool is_v4)
{
	const int on = 1;
	int err = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));

	if (!err)
		err = setsockopt(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
				 is_v4 ? IP_FREEBIND : IPV6_FREEBIND, &on, sizeof(on));
	return err ? -errno : 0;
}

/* IPv4 children need a socket that takes both families, whatever net.ipv6.bindv6only says. */
static int take_both(int fd, bool is_v4)
{
	const int off = 0;

	if (is_v4)
		return 0;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ? -errno : 0;
}

static int bind_to(int fd, const struct addr *at)
{
	const struct endpoint any_port = {.addr = *at};
	struct sockaddr_storage address;
	socklen_t len = endpoint_to_sockaddr(&any_port, 0, &address);

	return bind(fd, (struct sockaddr *)&address, len) ? -errno : 0;
}

/* The filter is there before the first SYN can be. */
static int open_parent(const struct addr *at, const struct sockopts *sockopts, int *out)
{
	const bool is_v4 = addr_is_v4(at);
	int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			IPPROTO_TCP);
	int err = fd < 0 ? -errno : 0;

	if (!err)
		err = set_addressing(fd, is_v4);
	if (!err)
		err = take_both(fd, is_v4);
	if (!err)
		err = is_v4 ? filter_v4(fd, at) : filter_v6(fd, at);
	if (!err)
		err = sockopts_apply(fd, sockopts, SOCKOPTS_LISTENER, NULL);
	if (!err)
		err = bind_to(fd, at);
	if (!err && listen(fd, BACKLOG))
		err = -errno;
	if (!err)
		*out = fd;
	else if (fd >= 0)
		close(fd);
	return err;
}

static int receive(struct wire *wire, uint32_t max, packet_fn fn, void *context)
{
	(void)wire, (void)max, (void)fn, (void)context;
	return 0;
}

static int send_segment(struct wire *wire, const struct segment *segment)
{
	(void)wire, (void)segment;
	return -EOPNOTSUPP;
}

static int replay(struct wire *wire, const struct held_packet *packet)
{
	(void)wire, (void)packet;
	return -EOPNOTSUPP;
}

static int flush(struct wire *wire)
{
	(void)wire;
	return 0;
}

static void set_mtu(struct wire *wire, uint32_t mtu)
{
	(void)wire, (void)mtu;
}

static int accept_at(int parent_fd, struct accepted *out)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	int fd = accept4(parent_fd, (struct sockaddr *)&address, &len, SOCK_CLOEXEC);

	if (fd < 0)
		return -errno;
	*out = (struct accepted){.fd = fd};
	endpoint_from_sockaddr((struct sockaddr *)&address, &out->tuple.remote);
	return 0;
}

static void close_old(struct wire_parent *parent)
{
	if (parent->old_fd >= 0)
		close(parent->old_fd);
	parent->old_fd = -1;
}

static int take(struct wire *wire, struct accepted *out)
{
	struct wire_parent *parent = from_wire(wire);
	int err;

	if (parent->old_fd >= 0) {
		err = accept_at(parent->old_fd, out);
		if (!err || err == -EMFILE || err == -ENFILE)
			return err;
		close_old(parent);
	}
	return accept_at(parent->fd, out);
}

static int set_parent(struct wire_parent *parent)
{
	struct endpoint where;
	int err = wire_local_of(parent->fd, &where);

	if (!err)
		kern_set_parent(parent->kern, parent->worker, &where);
	return err;
}

static int renew(struct wire *wire, bool is_kept)
{
	struct wire_parent *parent = from_wire(wire);
	const int old_fd = parent->fd;
	int err = open_parent(&parent->at, parent->sockopts, &parent->fd);

	if (err)
		return err;
	err = set_parent(parent);
	if (err) {
		close(parent->fd);
		parent->fd = old_fd;
		return err;
	}
	close_old(parent);
	parent->old_fd = old_fd;
	if (!is_kept)
		close_old(parent);
	return 0;
}

static int parent_fd(const struct wire *wire)
{
	return container_of(wire, const struct wire_parent, wire)->fd;
}

static void free_parent(struct wire *wire)
{
	struct wire_parent *parent = from_wire(wire);

	kern_set_parent(parent->kern, parent->worker, NULL);
	close_old(parent);
	close(parent->fd);
	free(parent);
}

static const struct wire_ops ops = {
	.shield = WIRE_SHIELD_HOLD,
	.receive = receive,
	.send = send_segment,
	.flush = flush,
	.replay = replay,
	.set_mtu = set_mtu,
	.accept = take,
	.renew = renew,
	.fd = parent_fd,
	.free = free_parent,
};

int wire_parent_new(struct wire **out, struct kern *kern, uint32_t worker, const struct addr *at,
		    const struct sockopts *sockopts)
{
	struct wire_parent *parent = calloc(1, sizeof(*parent));
	int err = -ENOMEM;

	if (parent) {
		*parent = (struct wire_parent){
			.wire.ops = &ops,
			.kern = kern,
			.worker = worker,
			.at = *at,
			.sockopts = sockopts,
			.old_fd = -1,
		};
		err = open_parent(at, sockopts, &parent->fd);
	}
	if (!err)
		err = set_parent(parent);
	if (err) {
		log_error("cannot listen where nobody is: %s", strerror(-err));
		free(parent);
		return err;
	}
	*out = &parent->wire;
	return 0;
}
