/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A remote cannot reach it because its address is nobody's: no route leads there, and none leads to us for it. Should
 * somebody have one that does (an AnyIP route for all of IPv6), or connect() from this very host, then the filter
 * drops what is addressed to the parent itself, the SYN first. The children inherit it, and lose nothing by it: what is theirs is
 * addressed to the port that was answered.
 */
#include "hidden.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

int hidden_choose(struct addr *out)
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

static int set_freebind(int fd, bool is_v4)
{
	const int on = 1;

	return setsockopt(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
			  is_v4 ? IP_FREEBIND : IPV6_FREEBIND, &on, sizeof(on))
		       ? -errno
		       : 0;
}

int hidden_bind(int fd, const struct addr *at)
{
	const bool is_v4 = addr_is_v4(at);
	const struct endpoint any_port = {.addr = *at};
	struct sockaddr_storage address;
	socklen_t len = endpoint_to_sockaddr(&any_port, 0, &address);
	int err = set_freebind(fd, is_v4);

	if (!err)
		err = is_v4 ? filter_v4(fd, at) : filter_v6(fd, at);
	if (!err && bind(fd, (struct sockaddr *)&address, len))
		err = -errno;
	return err;
}
