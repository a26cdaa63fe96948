/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where captured packets are written: a file, and those before it when it has reached its size; a pipe; or standard output.
 * Each begins with the same blocks. One thread calls all of it but capture_file_stop().
 */
#ifndef NOLISTEN_CAPTURE_FILE_H
#define NOLISTEN_CAPTURE_FILE_H

#include <stddef.h>
#include <stdint.h>

struct capture_file;

/* The last block of a file that ends here; its length. */
typedef size_t (*capture_file_end_fn)(void *context, uint8_t *out, size_t size);

struct capture_file_options {
	const char *path; /* "-": standard output. Borrowed */
	uint64_t size; /* bytes of a file, at most, if one packet is not longer; 0: no limit */
	uint32_t count; /* with size: files, this one included */
	const uint8_t *head; /* of each file; copied */
	size_t head_len;
	capture_file_end_fn end;
	void *context;
};

/* The head is written. Errors are logged. What is no capture is not overwritten. */
int capture_file_open(struct capture_file **out, const struct capture_file_options *options);
/* What that would say of a file that exists, which stays as it is. */
int capture_file_check(const char *path);
/*
 * Whole blocks, all of them or none: -errno. A pipe makes it wait until there is room, or capture_file_stop(): -ECANCELED. -EPIPE: its
 * reader is gone.
 */
int capture_file_write(struct capture_file *file, const uint8_t *blocks, size_t len);
/* Of any thread: who waits for a pipe's reader waits a moment longer, and no more. */
void capture_file_stop(struct capture_file *file);
/* If path is no longer the file that is open, end that one and begin another, as after a rename. Errors are logged. */
void capture_file_reopen(struct capture_file *file);
/* Ends it with its last block. NULL is legal. */
void capture_file_free(struct capture_file *file);

/* For messages: the path, or "standard output". */
const char *capture_file_name(const struct capture_file *file);

#endif
