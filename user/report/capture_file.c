/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A file can be read at any moment: it gets whole blocks, and what the disk had room for of the last ones is cut off again. A
 * pipe cannot take anything back, so what has been begun there is finished before anything else.
 */
#include "capture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "pcapng.h"

#define END_SIZE 256
#define LAST_MOMENT_MS 1000

struct capture_file {
	struct capture_file_options options;
	const char *name;
	uint8_t *head;
	int fd; /* -1: it could not be opened anew, which is tried again */
	int stop_fd; /* readable once it is to end */
	bool is_regular; /* else a pipe, or a device */
	bool is_torn; /* a pipe: a block has been begun, and will not be finished */
	bool is_last; /* moment */
	bool has_ended; /* and is to be renamed before the next one */
	uint64_t len;
};

const char *capture_file_name(const struct capture_file *file)
{
	return file->name;
}

static bool is_standard_output(const struct capture_file *file)
{
	return !strcmp(file->options.path, "-");
}

static int write_regular(struct capture_file *file, const uint8_t *bytes, size_t len)
{
	size_t done = 0;
	int err = 0;

	while (done < len && !err) {
		const ssize_t written = write(file->fd, bytes + done, len - done);

		if (written > 0)
			done += (size_t)written;
		else if (written == 0 || errno != EINTR)
			err = written ? -errno : -EIO;
	}
	if (!err) {
		file->len += len;
		return 0;
	}
	if (ftruncate(file->fd, (off_t)file->len) ||
	    lseek(file->fd, (off_t)file->len, SEEK_SET) < 0)
		return -EIO;
	return err;
}

/* Room for a piece of PIPE_BUF bytes, in which case a write() does not wait. */
static int await_room(const struct capture_file *file)
{
	struct pollfd fds[] = {
		{.fd = file->fd, .events = POLLOUT},
		{.fd = file->is_last ? -1 : file->stop_fd, .events = POLLIN},
	};
	const int count = poll(fds, 2, file->is_last ? LAST_MOMENT_MS : -1);

	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[0].revents & POLLERR)
		return -EPIPE;
	if (fds[0].revents)
		return 1;
	return count ? 0 : -ECANCELED;
}

static int write_pipe(struct capture_file *file, const uint8_t *bytes, size_t len)
{
	size_t done = 0;

	if (file->is_torn)
		return -EPIPE;
	file->is_torn = true;

	while (done < len) {
		const size_t piece = len - done < PIPE_BUF ? len - done : PIPE_BUF;
		const int room = await_room(file);
		ssize_t written;

		if (room < 0)
			return room;
		if (!room) {
			file->is_last |= poll(&(struct pollfd){file->stop_fd, POLLIN, 0}, 1, 0) > 0;
			continue;
		}
		written = write(file->fd, bytes + done, piece);
		if (written > 0)
			done += (size_t)written;
		else if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	file->is_torn = false;
	return 0;
}

static int write_bytes(struct capture_file *file, const uint8_t *bytes, size_t len)
{
	return file->is_regular ? write_regular(file, bytes, len) : write_pipe(file, bytes, len);
}

/* What was written before may be replaced, if it was a capture that is over; what else there is may not. */
static int check_existing(int fd)
{
	uint8_t first[4];
	const ssize_t len = pread(fd, first, sizeof(first), 0);

	if (len < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -ETXTBSY : -errno;
	return !len || pcapng_is_section(first, (size_t)len) ? 0 : -EEXIST;
}

/* O_NONBLOCK: a FIFO that nobody reads is an error, not a wait. */
static int open_path(const char *path, bool creates, struct stat *status)
{
	const int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = creates ? open(path, O_RDWR | O_CREAT | O_EXCL | flags, 0600) : -EEXIST, err;

	if (fd < 0 && (!creates || errno == EEXIST)) {
		if (lstat(path, status))
			return -errno;
		fd = open(path, (S_ISREG(status->st_mode) ? O_RDWR : O_WRONLY) | flags);
	}
	if (fd < 0)
		return -errno;
	err = fstat(fd, status) ? -errno : 0;
	if (!err && S_ISREG(status->st_mode))
		err = check_existing(fd);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* A pipe is opened anew: others have the description that was given to us, and may make a write() wait. */
static int open_standard_output(struct stat *status)
{
	int fd = -1;

	if (fstat(STDOUT_FILENO, status))
		return -errno;
	if (S_ISFIFO(status->st_mode))
		fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return fd < 0 ? -errno : fd;
}

static const char *reason_of(int err)
{
	switch (err) {
	case -EEXIST:
		return "it is no capture, and is not overwritten";
	case -ETXTBSY:
		return "another process writes to it";
	case -ELOOP:
		return "it is a symbolic link";
	case -ENXIO:
		return "nobody reads from it";
	default:
		return strerror(-err);
	}
}

static int begin_file(struct capture_file *file)
{
	int err = 0;

	if (file->is_regular && ftruncate(file->fd, 0))
		err = -errno;
	file->len = 0;
	return err ?: write_bytes(file, file->head, file->options.head_len);
}

/* Opens what path names, and writes the head. */
static int open_file(struct capture_file *file)
{
	struct stat status;
	int err;

	file->fd = is_standard_output(file) ? open_standard_output(&status)
					    : open_path(file->options.path, true, &status);
	if (file->fd < 0)
		return file->fd;
	/* What others append to as well is not ours to cut. */
	file->is_regular = S_ISREG(status.st_mode) && !(fcntl(file->fd, F_GETFL) & O_APPEND);
	err = begin_file(file);
	if (err) {
		close(file->fd);
		file->fd = -1;
	}
	return err;
}

static void end_file(struct capture_file *file)
{
	uint8_t bytes[END_SIZE];
	size_t len;

	if (file->fd < 0)
		return;
	len = file->options.end(file->options.context, bytes, sizeof(bytes));
	if (len)
		write_bytes(file, bytes, len);
	close(file->fd);
	file->fd = -1;
}

/* FILE, or FILE.1 and so on: what was there before, the newest first. */
static void name_of(const struct capture_file *file, uint32_t number, char name[PATH_MAX])
{
	if (number)
		snprintf(name, PATH_MAX, "%s.%u", file->options.path, number);
	else
		snprintf(name, PATH_MAX, "%s", file->options.path);
}

/* The oldest one goes. One file only: that one is emptied when it is opened. */
static int shift_files(const struct capture_file *file)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (uint32_t i = file->options.count - 1; i > 0; i--) {
		name_of(file, i - 1, from);
		name_of(file, i, to);
		if (rename(from, to) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static bool has_packets(const char *path)
{
	struct stat status;

	return !lstat(path, &status) && S_ISREG(status.st_mode) && status.st_size;
}

/* A capture of an earlier run is kept, where several files are. */
static int shift_earlier(const struct capture_file *file)
{
	struct stat status;
	int fd;

	if (!file->options.size || is_standard_output(file) || !has_packets(file->options.path))
		return 0;
	fd = open_path(file->options.path, true, &status);
	if (fd < 0)
		return fd;
	close(fd);
	return shift_files(file);
}

/* The one before may still have to make room for it. */
static int begin_next(struct capture_file *file)
{
	const int err = file->has_ended ? shift_files(file) : 0;

	if (err)
		return err;
	file->has_ended = false;
	return open_file(file);
}

static bool is_full(const struct capture_file *file, size_t len)
{
	return file->fd >= 0 && file->options.size && file->is_regular &&
	       !is_standard_output(file) && file->len > file->options.head_len &&
	       file->len + len > file->options.size;
}

int capture_file_write(struct capture_file *file, const uint8_t *blocks, size_t len)
{
	int err = 0;

	if (is_full(file, len)) {
		end_file(file);
		file->has_ended = true;
	}
	if (file->fd < 0)
		err = begin_next(file);
	return err ?: write_bytes(file, blocks, len);
}

void capture_file_stop(struct capture_file *file)
{
	eventfd_write(file->stop_fd, 1);
}

static bool is_still_open(const struct capture_file *file)
{
	struct stat there, open;

	return file->fd >= 0 && !lstat(file->options.path, &there) && !fstat(file->fd, &open) &&
	       there.st_dev == open.st_dev && there.st_ino == open.st_ino;
}

void capture_file_reopen(struct capture_file *file)
{
	int err;

	if (is_standard_output(file) || is_still_open(file))
		return;
	end_file(file);
	err = open_file(file);
	if (err)
		log_error("%s: cannot open for packets again: %s", file->name, reason_of(err));
}

int capture_file_check(const char *path)
{
	struct stat status;
	int fd = open_path(path, false, &status);

	if (fd >= 0)
		close(fd);
	else
		log_error("%s: cannot open for packets: %s", path, reason_of(fd));
	return fd < 0 ? fd : 0;
}

int capture_file_open(struct capture_file **out, const struct capture_file_options *options)
{
	struct capture_file *file = calloc(1, sizeof(*file));
	int err = -ENOMEM;

	if (!file)
		return err;
	file->options = *options;
	file->name = is_standard_output(file) ? "standard output" : options->path;
	file->fd = -1;
	file->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	file->head = malloc(options->head_len);
	if (file->stop_fd >= 0 && file->head) {
		memcpy(file->head, options->head, options->head_len);
		err = shift_earlier(file);
		if (!err)
			err = open_file(file);
	}
	if (!err) {
		*out = file;
		return 0;
	}
	log_error("%s: cannot open for packets: %s", file->name, reason_of(err));
	capture_file_free(file);
	return err;
}

void capture_file_free(struct capture_file *file)
{
	if (!file)
		return;
	end_file(file);
	if (file->stop_fd >= 0)
		close(file->stop_fd);
	free(file->head);
	free(file);
}
