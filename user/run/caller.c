/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All by /proc, which knows threads by their number, and pidfd_getfd(2). */
#include "caller.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* Linux 6.9 */
#endif

/* The kernel's own number for a call that a signal has interrupted. */
#define ERESTARTSYS 512

#define PATH_SIZE 64
#define STATUS_SIZE 4096
#define LINK_SIZE 64

int caller_open_memory(pid_t tid)
{
	char path[PATH_SIZE];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", tid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int caller_read(int memory, uint64_t address, void *out, size_t len)
{
	return pread(memory, out, len, (off_t)address) == (ssize_t)len ? 0 : -EFAULT;
}

int caller_write(int memory, uint64_t address, const void *data, size_t len)
{
	return pwrite(memory, data, len, (off_t)address) == (ssize_t)len ? 0 : -EFAULT;
}

int caller_write_result(int memory, uint64_t address, uint64_t len_address, const void *from,
			size_t from_len)
{
	int room, len = (int)from_len;
	int err = caller_read(memory, len_address, &room, sizeof(room));

	if (err || room < 0)
		return err ? err : -EINVAL;
	if (room)
		err = caller_write(memory, address, from, (size_t)(room < len ? room : len));
	return err ? err : caller_write(memory, len_address, &len, sizeof(len));
}

static uint64_t read_socket_link(int folder, const char *path)
{
	char text[LINK_SIZE];
	const ssize_t len = readlinkat(folder, path, text, sizeof(text) - 1);

	if (len <= 0)
		return 0;
	text[len] = '\0';
	return strncmp(text, "socket:[", 8) ? 0 : strtoull(text + 8, NULL, 10);
}

uint64_t caller_socket(pid_t tid, int fd)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", tid, fd);
	return read_socket_link(AT_FDCWD, path);
}

/* A kernel without kcmp(2) has to be believed that numbers of sockets come again seldom. */
bool caller_has_same(pid_t tid, int fd, int own_fd)
{
	const long order = syscall(SYS_kcmp, tid, getpid(), KCMP_FILE, fd, own_fd);

	return order == 0 || (order < 0 && errno == ENOSYS);
}

/* Into text, which is empty if there is no such thread. */
static void read_status(pid_t tid, char text[STATUS_SIZE])
{
	char path[PATH_SIZE];
	ssize_t len = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, text, STATUS_SIZE - 1);
		close(fd);
	}
	text[len < 0 ? 0 : len] = '\0';
}

/* 0 if it does not say. name: with what is around it, "\nTgid:". */
static unsigned long long find_status(const char *text, const char *name, int base)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, base) : 0;
}

/* Of a thread from Linux 6.9, of its process before. */
static int open_pidfd(pid_t tid)
{
	char status[STATUS_SIZE];
	int fd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD);

	if (fd >= 0 || errno != EINVAL)
		return fd < 0 ? -errno : fd;
	read_status(tid, status);
	fd = (int)syscall(SYS_pidfd_open, (pid_t)find_status(status, "\nTgid:", 10), 0);
	return fd < 0 ? -errno : fd;
}

int caller_take_fd(pid_t tid, int fd)
{
	const int pidfd = open_pidfd(tid);
	int own, err;

	if (pidfd < 0)
		return pidfd;
	own = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	err = own < 0 ? -errno : 0;
	close(pidfd);
	return err ? err : own;
}

bool caller_is_cloexec(pid_t tid, int fd)
{
	char path[PATH_SIZE], line[128];
	bool is_cloexec = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", tid, fd);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "flags:", 6))
			is_cloexec = strtoul(line + 6, NULL, 8) & O_CLOEXEC;
	fclose(file);
	return is_cloexec;
}

/*
 * What only this thread can take has the kernel decide, by how the handler was set up. What another thread may take before it is EINTR, or
 * the program might see the kernel's own number.
 */
int caller_interruption(pid_t tid)
{
	unsigned long long blocked, own, shared;
	char status[STATUS_SIZE];

	read_status(tid, status);
	blocked = find_status(status, "\nSigBlk:", 16) | find_status(status, "\nSigIgn:", 16);
	own = find_status(status, "\nSigPnd:", 16) & ~blocked;
	shared = find_status(status, "\nShdPnd:", 16) & ~blocked;
	if (!own && !shared)
		return 0;
	return own || find_status(status, "\nThreads:", 10) == 1 ? -ERESTARTSYS : -EINTR;
}

/* Its place, or -1. */
static int find_in_process(const char *pid, uint64_t socket)
{
	char path[PATH_SIZE];
	struct dirent *entry;
	int fd = -1;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	folder = opendir(path);
	if (!folder)
		return -1;
	while (fd < 0 && (entry = readdir(folder)))
		if (read_socket_link(dirfd(folder), entry->d_name) == socket)
			fd = atoi(entry->d_name);
	closedir(folder);
	return fd;
}

/* Until fn says true. */
static bool each_holder(uint64_t socket, bool (*fn)(void *context, pid_t pid, int fd),
			void *context)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	bool is_done = false;

	while (processes && !is_done && (entry = readdir(processes))) {
		const pid_t pid =
			isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : 0;
		const int fd = pid && pid != getpid() ? find_in_process(entry->d_name, socket) : -1;

		is_done = fd >= 0 && fn(context, pid, fd);
	}
	if (processes)
		closedir(processes);
	return is_done;
}

struct place {
	pid_t *pid;
	int *fd;
};

static bool note_place(void *context, pid_t pid, int fd)
{
	const struct place *place = context;

	*place->pid = pid;
	*place->fd = fd;
	return true;
}

int caller_find_holder(uint64_t socket, pid_t *pid, int *fd)
{
	struct place place = {pid, fd};

	return each_holder(socket, note_place, &place) ? 0 : -ENOENT;
}

struct visit {
	void (*fn)(void *context, pid_t pid);
	void *context;
};

static bool pass_on(void *context, pid_t pid, int fd)
{
	const struct visit *visit = context;

	(void)fd;
	visit->fn(visit->context, pid);
	return false;
}

void caller_each_holder(uint64_t socket, void (*fn)(void *context, pid_t pid), void *context)
{
	struct visit visit = {fn, context};

	each_holder(socket, pass_on, &visit);
}
