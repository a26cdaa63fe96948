/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Loads cwnd.bpf.c; an iterator is made for each walk. */
#include "cwnd.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cwnd.skel.h>

struct cwnd {
	struct cwnd_bpf *skel;
	struct bpf_link *link;
	pthread_mutex_t lock; /* one walk at a time */
};

static int load(struct cwnd *cwnd, struct load_failure *failure)
{
	load_log_begin(failure);
	cwnd->skel = cwnd_bpf__open_and_load();
	return load_log_end(cwnd->skel ? 0 : -errno);
}

static void unload(struct cwnd *cwnd)
{
	bpf_link__destroy(cwnd->link);
	cwnd_bpf__destroy(cwnd->skel);
}

int cwnd_new(struct cwnd **out)
{
	struct cwnd *cwnd = calloc(1, sizeof(*cwnd));
	struct load_failure failure;
	int err;

	if (!cwnd)
		return -ENOMEM;
	pthread_mutex_init(&cwnd->lock, NULL);
	err = load(cwnd, &failure);
	if (!err) {
		cwnd->link = bpf_program__attach_iter(cwnd->skel->progs.nol_cwnd, NULL);
		err = cwnd->link ? 0 : -errno;
	}
	if (err)
		cwnd_free(cwnd);
	else
		*out = cwnd;
	return err;
}

void cwnd_free(struct cwnd *cwnd)
{
	if (!cwnd)
		return;
	unload(cwnd);
	pthread_mutex_destroy(&cwnd->lock);
	free(cwnd);
}

int cwnd_probe(struct load_failure *failure)
{
	struct cwnd cwnd = {0};
	int err = load(&cwnd, failure);

	unload(&cwnd);
	return err;
}

/* The walk is a read: what it finds is one byte, which is as much as there is room for. */
static int walk(const struct cwnd *cwnd)
{
	char found;
	int fd = bpf_iter_create(bpf_link__fd(cwnd->link)), err = 0;
	ssize_t got = -1;

	if (fd < 0)
		return -errno;
	/* EAGAIN: it goes on where it was. */
	do
		got = read(fd, &found, sizeof(found));
	while (got < 0 && (errno == EAGAIN || errno == EINTR));
	if (got < 0)
		err = -errno;
	else if (!got)
		err = -ENOENT;
	close(fd);
	return err;
}

int cwnd_set(struct cwnd *cwnd, int fd, int segments)
{
	uint64_t cookie;
	socklen_t len = sizeof(cookie);
	int err;

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len))
		return -errno;
	pthread_mutex_lock(&cwnd->lock);
	cwnd->skel->bss->nol_cwnd_cookie = cookie;
	cwnd->skel->bss->nol_cwnd_segments = segments;
	err = walk(cwnd) ?: cwnd->skel->bss->nol_cwnd_result;
	pthread_mutex_unlock(&cwnd->lock);
	return err;
}
