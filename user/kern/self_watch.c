/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Loads self.bpf.c and reads its ring. */
#include "self_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <self.skel.h>

#include "load_failure.h"
#include "log.h"

struct self_watch {
	struct self_bpf *skel;
	struct ring_buffer *ring;
	self_watch_fn fn;
	void *context;
};

static int take_event(void *context, void *data, size_t size)
{
	const struct self_watch *watch = context;

	if (size >= sizeof(struct nol_self_event))
		watch->fn(watch->context, data);
	return 0;
}

static int own_netns(uint32_t *out)
{
	struct stat status;

	if (stat("/proc/self/ns/net", &status))
		return -errno;
	*out = (uint32_t)status.st_ino;
	return 0;
}

static int load_object(struct self_watch *watch, uint32_t netns)
{
	watch->skel = self_bpf__open();
	if (!watch->skel)
		return -errno;
	watch->skel->rodata->nol_self_netns = netns;
	return self_bpf__load(watch->skel);
}

static int load(struct self_watch *watch, bool is_everywhere, struct load_failure *failure)
{
	uint32_t netns = 0;
	int err = is_everywhere ? 0 : own_netns(&netns);

	if (err)
		return load_failure_set(failure, err, "look up the network namespace");
	load_log_begin(failure);
	err = load_log_end(load_object(watch, netns));
	if (err)
		return err;
	watch->ring = ring_buffer__new(bpf_map__fd(watch->skel->maps.nol_self_events), take_event,
				       watch, NULL);
	return watch->ring ? 0 : load_failure_set(failure, -errno, "map the ring buffer");
}

int self_watch_new(struct self_watch **out, bool is_everywhere, self_watch_fn fn, void *context)
{
	struct self_watch *watch = calloc(1, sizeof(*watch));
	struct load_failure failure;
	char why[LOAD_TEXT_SIZE];
	int err;

	if (!watch)
		return -ENOMEM;
	watch->fn = fn;
	watch->context = context;
	err = load(watch, is_everywhere, &failure);
	if (err) {
		load_failure_format(&failure, why);
		log_error("cannot watch the kernel's sockets: %s", why);
		load_failure_log(&failure);
	} else {
		err = self_bpf__attach(watch->skel);
		if (err)
			log_error("cannot watch the kernel's sockets: %s", load_error_text(err));
	}
	if (err)
		self_watch_free(watch);
	else
		*out = watch;
	return err;
}

int self_watch_probe(struct load_failure *failure)
{
	struct self_watch watch = {0};
	int err = load(&watch, false, failure);

	ring_buffer__free(watch.ring);
	self_bpf__destroy(watch.skel);
	return err;
}

void self_watch_free(struct self_watch *watch)
{
	if (!watch)
		return;
	ring_buffer__free(watch->ring);
	self_bpf__destroy(watch->skel);
	free(watch);
}

int self_watch_fd(const struct self_watch *watch)
{
	return ring_buffer__epoll_fd(watch->ring);
}

int self_watch_read(struct self_watch *watch, uint64_t *lost)
{
	int count = ring_buffer__consume(watch->ring);

	*lost = watch->skel->bss->nol_self_lost;
	return count < 0 ? count : 0;
}
