/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A connection comes by a parent, as of any listener, or by a pair's end, in a batch. The lock is held while a batch is received
 * and while one is taken from it; accept4() needs none.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fd_message.h"
#include "lib.h"

static bool is_v4(const uint8_t addr[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(addr, mapped, sizeof(mapped));
}

static bool is_link_local(const uint8_t addr[16])
{
	return addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

static void write_address(union nolisten_address *out, const uint8_t addr[16], uint16_t port,
			  uint32_t scope_id)
{
	memset(out, 0, sizeof(*out));
	if (is_v4(addr)) {
		out->in.sin_family = AF_INET;
		out->in.sin_port = htons(port);
		memcpy(&out->in.sin_addr, addr + 12, 4);
		return;
	}
	out->in6.sin6_family = AF_INET6;
	out->in6.sin6_port = htons(port);
	memcpy(&out->in6.sin6_addr, addr, 16);
	out->in6.sin6_scope_id = is_link_local(addr) ? scope_id : 0;
}

void lib_describe(const struct app_record *record, uint32_t scope_id,
		  struct nolisten_connection *out)
{
	_Static_assert(NOLISTEN_SYN_OPTIONS == APP_SYN_OPTIONS, "one is copied to the other");

	memset(out, 0, sizeof(*out));
	write_address(&out->local, record->local_addr, record->local_port, scope_id);
	write_address(&out->remote, record->remote_addr, record->remote_port, scope_id);
	out->method = (enum nolisten_method)record->method;
	out->has_syn = record->has_syn;
	if (!record->has_syn)
		return;
	out->syn.window = record->syn_window;
	out->syn.mss = record->syn_mss;
	out->syn.ttl = record->syn_ttl;
	out->syn.wscale = record->syn_wscale;
	out->syn.option_count = record->syn_option_count;
	memcpy(out->syn.options, record->syn_options, sizeof(out->syn.options));
}

static bool has_more(const struct batch *batch)
{
	return batch->next < batch->count;
}

/* How many connections the next message brings. */
static size_t count_next(int fd)
{
	struct app_batch head;

	if (recv(fd, &head, app_batch_size(0), MSG_PEEK | MSG_DONTWAIT) <
	    (ssize_t)app_batch_size(0))
		return 0;
	return head.count < APP_BATCH ? head.count : APP_BATCH;
}

/*
 * What there is no descriptor for the kernel closes, with the message that brought it. So near the limit we look first
 * whether there is room for all, and leave them where they are otherwise.
 */
static bool has_room(const struct nolisten *nolisten, int fd)
{
	const size_t needed = nolisten->is_short ? count_next(fd) : 0;
	int fds[APP_BATCH];
	size_t count = 0;

	while (count < needed) {
		fds[count] = fcntl(nolisten->left_fd, F_DUPFD_CLOEXEC, 0);
		if (fds[count] < 0)
			break;
		count++;
	}
	fd_message_close(fds, count);
	return count == needed;
}

/* The lowest free numbers are given: they tell how many are in use. */
static bool is_near_limit(const int *fds, size_t count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return true;
	return count && (rlim_t)fds[count - 1] + 4 * APP_BATCH >= limit.rlim_cur;
}

static bool is_batch(const struct app_batch *message, ssize_t len)
{
	return len >= (ssize_t)app_batch_size(0) && message->magic == APP_MAGIC && message->count &&
	       message->count <= APP_BATCH && len == (ssize_t)app_batch_size(message->count);
}

/* Into the batch, which is empty. */
static int receive_batch(struct nolisten *nolisten, int fd)
{
	struct batch *batch = &nolisten->batch;
	struct app_batch message;
	size_t count;
	ssize_t len;

	if (!has_room(nolisten, fd))
		return -EMFILE;
	len = fd_message_receive(fd, &message, sizeof(message), batch->fds, APP_BATCH, &count);
	if (len < 0)
		return (int)len;
	if (!is_batch(&message, len) || count > message.count) {
		fd_message_close(batch->fds, count);
		return len ? -EPROTO : -ESHUTDOWN;
	}
	nolisten->is_short = count < message.count || is_near_limit(batch->fds, count);
	batch->next = 0;
	batch->count = (uint32_t)count;
	memcpy(batch->records, message.records, count * sizeof(message.records[0]));
	if (!count)
		return -EMFILE;
	if (count > 1)
		eventfd_write(nolisten->left_fd, 1);
	return 0;
}

/* Each pair in its turn: a busy one must not keep the others waiting. */
static int fill_batch(struct nolisten *nolisten)
{
	int err = -EAGAIN, end = -EAGAIN;

	for (uint32_t i = 0; i < nolisten->data_count; i++) {
		err = receive_batch(nolisten,
				    nolisten->fds[nolisten->turn++ % nolisten->data_count]);
		if (err != -EAGAIN && err != -ESHUTDOWN)
			return err;
		if (err == -ESHUTDOWN)
			end = err;
	}
	return end;
}

static int take_from_batch(struct nolisten *nolisten, struct app_record *record)
{
	struct batch *batch = &nolisten->batch;
	const uint32_t i = batch->next++;
	eventfd_t count;

	if (batch->count > 1 && !has_more(batch))
		eventfd_read(nolisten->left_fd, &count);
	*record = batch->records[i];
	return batch->fds[i];
}

static int take_passed(struct nolisten *nolisten, struct nolisten_connection *out)
{
	struct app_record record;
	int fd = 0;

	pthread_mutex_lock(&nolisten->lock);
	if (!has_more(&nolisten->batch))
		fd = fill_batch(nolisten);
	if (!fd)
		fd = take_from_batch(nolisten, &record);
	pthread_mutex_unlock(&nolisten->lock);
	if (fd >= 0 && out)
		lib_describe(&record, nolisten->scope_id, out);
	return fd;
}

static void read_address(const struct sockaddr_storage *from, union nolisten_address *out)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;

	memset(out, 0, sizeof(*out));
	if (from->ss_family == AF_INET)
		memcpy(&out->in, from, sizeof(out->in));
	else
		write_address(out, in6->sin6_addr.s6_addr, ntohs(in6->sin6_port),
			      in6->sin6_scope_id);
}

static int take_child(int parent, struct nolisten_connection *out)
{
	struct sockaddr_storage remote, local;
	socklen_t len = sizeof(remote);
	int fd = accept4(parent, out ? (struct sockaddr *)&remote : NULL, out ? &len : NULL,
			 SOCK_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!out)
		return fd;
	memset(out, 0, sizeof(*out));
	read_address(&remote, &out->remote);
	len = sizeof(local);
	if (!getsockname(fd, (struct sockaddr *)&local, &len))
		read_address(&local, &out->local);
	out->method = NOLISTEN_METHOD_ACCEPT;
	return fd;
}

static int take_children(struct nolisten *nolisten, struct nolisten_connection *out)
{
	const uint32_t count = __atomic_load_n(&nolisten->parent_count, __ATOMIC_ACQUIRE);
	int fd = -EAGAIN;

	for (uint32_t i = 0; i < count && fd == -EAGAIN; i++)
		fd = take_child(nolisten->fds[nolisten->data_count + i], out);
	return fd;
}

static int take(struct nolisten *nolisten, struct nolisten_connection *out)
{
	int fd = take_children(nolisten, out);

	return fd == -EAGAIN || fd == -EINVAL ? take_passed(nolisten, out) : fd;
}

/* Nobody has come: because it is over, or because they come by another way now? */
static int take_again(struct nolisten *nolisten, struct nolisten_connection *out)
{
	char byte;
	const ssize_t len =
		recv(nolisten->control_fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_PEEK);

	if (len <= 0)
		return len ? -EAGAIN : -ESHUTDOWN;
	lib_hear(nolisten);
	return take(nolisten, out);
}

static int set_mode(const struct nolisten *nolisten, int fd)
{
	int on = nolisten->is_nonblocking;

	ioctl(fd, FIONBIO, &on);
	return fd;
}

LIB_EXPORT int nolisten_accept(struct nolisten *nolisten, struct nolisten_connection *out)
{
	int fd = take(nolisten, out);

	if (fd == -EAGAIN)
		fd = take_again(nolisten, out);
	return fd < 0 ? fd : set_mode(nolisten, fd);
}
