// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* posix_spawn, with a memory file at each end: neither side ever waits for the other. */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int open_memory(const char *text)
{
	const size_t len = strlen(text);
	int fd = memfd_create("nolisten", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET)) {
		close(fd);
		return -EIO;
	}
	return fd;
}

static void read_first_line(int fd, char *line, size_t size)
{
	ssize_t len = pread(fd, line, size - 1, 0);

	line[len < 0 ? 0 : len] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

/* The loader blocks its signals; what it runs is not to inherit that. */
static int spawn(char *const argv[], int input_fd, int output_fd, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int err;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input_fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output_fd, STDERR_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	err = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return -ENOENT;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

int command_run(char *const argv[], const char *input, char *error, size_t error_size)
{
	int input_fd = open_memory(input), output_fd = open_memory("");
	int err = input_fd < 0 ? input_fd : output_fd < 0 ? output_fd : 0;
	pid_t pid;

	if (!err)
		err = spawn(argv, input_fd, output_fd, &pid);
	if (!err)
		err = wait_for(pid);
	snprintf(error, error_size, "%s", strerror(-err));
	if (err == -EIO && output_fd >= 0)
		read_first_line(output_fd, error, error_size);
	if (input_fd >= 0)
		close(input_fd);
	if (output_fd >= 0)
		close(output_fd);
	return err;
}

static char *read_all(int fd)
{
	struct stat status;
	char *text;
	ssize_t len;

	if (fstat(fd, &status))
		return NULL;
	text = malloc((size_t)status.st_size + 1);
	len = text ? pread(fd, text, (size_t)status.st_size, 0) : -1;
	if (text)
		text[len < 0 ? 0 : len] = '\0';
	return text;
}

int command_read(char *const argv[], char **out)
{
	int input_fd = open_memory(""), output_fd = open_memory("");
	int err = input_fd < 0 ? input_fd : output_fd < 0 ? output_fd : 0;
	pid_t pid;

	if (!err)
		err = spawn(argv, input_fd, output_fd, &pid);
	if (!err)
		err = wait_for(pid);
	if (!err) {
		*out = read_all(output_fd);
		err = *out ? 0 : -ENOMEM;
	}
	if (input_fd >= 0)
		close(input_fd);
	if (output_fd >= 0)
		close(output_fd);
	return err;
}
