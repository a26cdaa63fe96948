/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --pin, as the files that load and attach see it. Nothing is done where nothing is kept and nothing was left. */
#ifndef NOLISTEN_KEEP_H
#define NOLISTEN_KEEP_H

#include "kept.h"

struct kern;
struct bpf_program;

/* Before the load: what has the last loader left? -errno, logged. */
int keep_find(struct kern *kern);
/* Before the load, once it is open. -errno. */
int keep_reuse(struct kern *kern);
/* After it. */
void keep_configure(struct kern *kern);

/* Before attaching: pins what the programs need. -errno, logged; nothing is left then. */
int keep_begin(struct kern *kern);
/* Our program in place of the last loader's: the link, or -errno. -ENOENT: there is none. */
int keep_adopt(struct kern *kern, enum kept_link link, const struct bpf_program *program);
/* It is of no use to us. */
void keep_drop(struct kern *kern, enum kept_link link);
/* Is the last loader's XDP generic? */
bool keep_is_generic(const struct kern *kern);
/* Once all is attached: pins the links, or, without --pin, unpins everything. -errno, logged. */
int keep_finish(struct kern *kern);

/* Attaching has failed: back to what was. */
void keep_fail(struct kern *kern);

/* It goes on without us. */
void keep_let_go(struct kern *kern);
/* It goes with us. */
void keep_forget(struct kern *kern);

#endif
