/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What has waited for a loader, given to the new programs as if it came in just now. */
#include <errno.h>
#include <stddef.h>

#include "kern_private.h"

struct take {
	kern_frame_fn fn;
	void *context;
	uint32_t head; /* of a record, as its writer has it */
	uint32_t left;
};

/* The first fields of a record are the same in every version. */
static int take_record(void *context, void *data, size_t size)
{
	const struct nol_record *record = data;
	struct take *take = *(struct take **)context;

	if (size >= take->head && take->head > offsetof(struct nol_record, l3_offset) + 1 &&
	    record->snap_len <= size - take->head && record->snap_len == record->frame_len)
		take->fn(take->context, (const uint8_t *)data + take->head, record->snap_len,
			 record->l3_offset);
	/* A negative value ends the round after this record. */
	return --take->left ? 0 : -ECANCELED;
}

static int open_rings(struct kept *kept)
{
	for (uint32_t i = 0; i < kept->ring_count; i++) {
		if (!kept->rings[i])
			kept->rings[i] =
				ring_buffer__new(kept->ring_fds[i], take_record, &kept->take, NULL);
		if (!kept->rings[i])
			return -errno;
	}
	return 0;
}

int kern_kept_take(struct kern *kern, uint32_t max, kern_frame_fn fn, void *context)
{
	struct kept *kept = kern->kept;
	struct take take = {fn, context, kept ? kept->config.record_head : 0, max};
	int err = kept ? open_rings(kept) : 0;

	if (err || !kept)
		return err;
	kept->take = &take;
	for (uint32_t i = 0; i < kept->ring_count && take.left && !err; i++) {
		err = ring_buffer__consume(kept->rings[i]);
		if (err > 0 || err == -ECANCELED)
			err = 0;
	}
	kept->take = NULL;
	return err ?: (int)(max - take.left);
}

int kern_rerun(struct kern *kern, const void *frame, size_t len, struct kern_rerun *out)
{
	struct xdp_md context = {
		.data_end = (__u32)len,
		.ingress_ifindex = kern->options.ifindex,
	};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = (__u32)len,
		    .data_out = out->answer, .data_size_out = sizeof(out->answer),
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = 1);
	const int fd = bpf_program__fd(kern->skel->progs.nol_xdp_ingress);
	const int err = bpf_prog_test_run_opts(fd, &run);
	const bool is_cut = err == -ENOSPC; /* what comes out of it is no answer then */

	out->is_passed = (!err || is_cut) && run.retval == XDP_PASS;
	out->answer_len = !err && run.retval == XDP_TX ? run.data_size_out : 0;
	return is_cut && run.retval != XDP_TX ? 0 : err;
}
