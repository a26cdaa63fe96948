/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tracepoint that tells of closed sockets, by two programs (bpf/closed.h), and the ring of what they told. */
#include <errno.h>
#include <stdlib.h>

#include "kern_private.h"
#include "log.h"

#define TRACEPOINT "inet_sock_set_state"

struct closed_reader {
	struct bpf_link *first, *second; /* attached in this order, which the kernel keeps */
	struct ring_buffer *ring;
	uint32_t lost; /* of nol_closed_lost, what has been told */
	uint64_t missed[2]; /* of the programs' runs, what has been told */
	bool was_out
		[2]; /* in the last look: an end may be between the reading of one and of the other */
	int count; /* of this round */
	kern_closed_fn fn;
	void *context;
};

bool kern_tells_closed(void)
{
	return libbpf_find_vmlinux_btf_id(TRACEPOINT, BPF_TRACE_RAW_TP) > 0;
}

void closed_prepare(struct kern *kern)
{
	const uint32_t netns = kept_netns();
	const bool is_wanted = !kern->options.accepts && netns && kern_tells_closed();

	kern->skel->rodata->nol_netns = netns;
	bpf_program__set_autoload(kern->skel->progs.nol_tp_state, is_wanted);
	bpf_program__set_autoload(kern->skel->progs.nol_tp_missed, is_wanted);
}

static int take_word(void *context, void *data, size_t size)
{
	struct closed_reader *reader = context;

	if (size >= sizeof(struct nol_closed)) {
		reader->count++;
		reader->fn(reader->context, data);
	}
	return 0;
}

static void free_reader(struct closed_reader *reader)
{
	bpf_link__destroy(reader->first);
	bpf_link__destroy(reader->second);
	ring_buffer__free(reader->ring);
	free(reader);
}

static int open_reader(struct kern *kern, struct closed_reader *reader)
{
	reader->ring =
		ring_buffer__new(bpf_map__fd(kern->skel->maps.nol_closed), take_word, reader, NULL);
	if (!reader->ring)
		return -errno;
	reader->first = bpf_program__attach(kern->skel->progs.nol_tp_state);
	if (!reader->first)
		return -errno;
	reader->second = bpf_program__attach(kern->skel->progs.nol_tp_missed);
	return reader->second ? 0 : -errno;
}

int kern_closed_watch(struct kern *kern)
{
	struct closed_reader *reader;
	int err;

	if (!bpf_program__autoload(kern->skel->progs.nol_tp_state))
		return -EOPNOTSUPP;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	err = open_reader(kern, reader);
	if (err) {
		log_debug("tracepoint " TRACEPOINT ": %s", strerror(-err));
		free_reader(reader);
		return -EOPNOTSUPP;
	}
	kern->closed = reader;
	return bpf_map__fd(kern->skel->maps.nol_closed);
}

int kern_closed_take(struct kern *kern, kern_closed_fn fn, void *context)
{
	const uint32_t lost = __atomic_load_n(&kern->skel->bss->nol_closed_lost, __ATOMIC_RELAXED);
	struct closed_reader *reader = kern->closed;
	int err;

	reader->fn = fn;
	reader->context = context;
	reader->count = 0;
	err = ring_buffer__consume(reader->ring);
	if (err < 0)
		return err;
	err = lost == reader->lost ? reader->count : -ENOBUFS;
	reader->lost = lost;
	return err;
}

/* Has that program been left out since the last look? */
static bool has_been_left_out(const struct bpf_program *program, uint64_t *missed)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);
	bool has_been;

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len))
		return false;
	has_been = info.recursion_misses != *missed;
	*missed = info.recursion_misses;
	return has_been;
}

/* What had no room is counted, and what a program was left out of, but not which sockets it was about. One alone has the other. */
bool kern_closed_has_missed(struct kern *kern)
{
	const uint32_t lost = __atomic_load_n(&kern->skel->bss->nol_closed_lost, __ATOMIC_RELAXED);
	struct closed_reader *reader = kern->closed;
	const bool first = has_been_left_out(kern->skel->progs.nol_tp_state, &reader->missed[0]);
	const bool second = has_been_left_out(kern->skel->progs.nol_tp_missed, &reader->missed[1]);
	const bool both = (first || reader->was_out[0]) && (second || reader->was_out[1]);
	const bool has_missed = both || lost != reader->lost;

	reader->was_out[0] = first && !both;
	reader->was_out[1] = second && !both;
	reader->lost = lost;
	return has_missed;
}

void closed_close(struct kern *kern)
{
	if (kern->closed)
		free_reader(kern->closed);
	kern->closed = NULL;
}
