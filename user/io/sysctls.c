/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A row a value. core/rmem_max is not among them: older kernels show it in the first network namespace alone;
 * but every socket that asks for a larger buffer is told.
 */
#include "sysctls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#define ROOT "/proc/sys/net/"
#define PATH_SIZE (sizeof(ROOT "ipv6/conf//mtu") + IF_NAMESIZE + 32)
#define CORE_RMEM_MAX 212992
#define HALF 128 /* of 256 */

static const struct row {
	const char *path; /* %s: the interface */
	unsigned int index; /* which of the file's numbers */
	int otherwise;
	size_t offset; /* in struct tcp_sysctls */
} rows[] = {
#define ROW(path, index, otherwise, field)                                  \
	{                                                                   \
		path, index, otherwise, offsetof(struct tcp_sysctls, field) \
	}
	ROW("ipv4/tcp_rmem", 1, 131072, rmem_default),
	ROW("ipv4/tcp_rmem", 2, 6291456, rmem_max),
	ROW("ipv4/tcp_adv_win_scale", 0, 1, adv_win_scale),
	ROW("ipv4/tcp_workaround_signed_windows", 0, 0, signed_windows),
	ROW("ipv4/tcp_timestamps", 0, 1, timestamps),
	ROW("ipv4/tcp_sack", 0, 1, sack),
	ROW("ipv4/tcp_window_scaling", 0, 1, window_scaling),
	ROW("ipv4/tcp_ecn", 0, 2, ecn),
	ROW("ipv4/tcp_synack_retries", 0, 5, synack_retries),
	ROW("ipv4/route/min_adv_mss", 0, 256, min_adv_mss_v4),
	ROW("ipv6/route/min_adv_mss", 0, 1220, min_adv_mss_v6),
	ROW("ipv6/conf/%s/mtu", 0, 0, mtu_v6),
#undef ROW
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

struct sysctls {
	char ifname[IF_NAMESIZE];
	int files[ROW_COUNT];
	int socket;
	bool heeds_adv_win_scale;
	struct tcp_sysctls last;
};

/* The file is there in newer ones too, and does nothing. */
static bool heeds_adv_win_scale(void)
{
	unsigned int major, minor;
	struct utsname name;

	if (uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return false;
	return major < 6 || (major == 6 && minor < 6);
}

int sysctls_new(struct sysctls **out, const char *ifname)
{
	struct sysctls *sysctls = calloc(1, sizeof(*sysctls));

	if (!sysctls)
		return -ENOMEM;
	snprintf(sysctls->ifname, sizeof(sysctls->ifname), "%s", ifname);
	for (size_t i = 0; i < ROW_COUNT; i++)
		sysctls->files[i] = -1;
	sysctls->heeds_adv_win_scale = heeds_adv_win_scale();
	sysctls->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	*out = sysctls;
	return 0;
}

static void close_file(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void sysctls_free(struct sysctls *sysctls)
{
	if (!sysctls)
		return;
	for (size_t i = 0; i < ROW_COUNT; i++)
		close_file(&sysctls->files[i]);
	close_file(&sysctls->socket);
	free(sysctls);
}

static int open_row(const struct sysctls *sysctls, const struct row *row)
{
	char path[PATH_SIZE], *end = stpcpy(path, ROOT);

	snprintf(end, path + sizeof(path) - end, row->path, sysctls->ifname);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int parse(char *text, unsigned int index, int otherwise)
{
	char *end;
	long value;

	do {
		value = strtol(text, &end, 10);
		if (end == text)
			return otherwise;
		text = end;
	} while (index--);
	return (int)value;
}

/* An interface's own files go, and come again, with its IPv6. */
static int read_row(struct sysctls *sysctls, size_t i)
{
	const struct row *row = &rows[i];
	int *fd = &sysctls->files[i];
	char text[128];
	ssize_t len;

	if (*fd < 0)
		*fd = open_row(sysctls, row);
	len = *fd < 0 ? -1 : pread(*fd, text, sizeof(text) - 1, 0);
	if (len <= 0) {
		close_file(fd);
		return row->otherwise;
	}
	text[len] = '\0';
	return parse(text, row->index, row->otherwise);
}

/* The kernel cuts what is asked for to the maximum, and doubles it. */
static uint32_t read_core_rmem_max(const struct sysctls *sysctls)
{
	int size = INT_MAX / 2;
	socklen_t len = sizeof(size);

	if (setsockopt(sysctls->socket, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) ||
	    getsockopt(sysctls->socket, SOL_SOCKET, SO_RCVBUF, &size, &len))
		return CORE_RMEM_MAX;
	return (uint32_t)size / 2;
}

/* How much larger does the kernel make the buffer of a socket that wants to wait for so many bytes? */
static uint32_t measure_ratio(int fd)
{
	int most = INT_MAX, before, after;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &before, &len) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &most, sizeof(most)) ||
	    getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &most, &len) ||
	    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &after, &len) || after <= before)
		return HALF;
	return (uint32_t)((uint64_t)most * 256 / (uint32_t)after);
}

/* A constant of the kernel, which was 65 in 6.6 and is 128 from 6.10 on. */
static uint32_t read_ratio(const struct sysctls *sysctls)
{
	uint32_t ratio = HALF;
	int fd;

	if (sysctls->heeds_adv_win_scale)
		return 0;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		ratio = measure_ratio(fd);
	close_file(&fd);
	return ratio > 0 && ratio < 256 ? ratio : HALF;
}

bool sysctls_read(struct sysctls *sysctls, struct tcp_sysctls *out)
{
	bool is_new;

	for (size_t i = 0; i < ROW_COUNT; i++)
		*(int *)((char *)out + rows[i].offset) = read_row(sysctls, i);
	out->core_rmem_max = read_core_rmem_max(sysctls);
	out->scaling_ratio = sysctls->last.scaling_ratio;
	is_new = memcmp(out, &sysctls->last, sizeof(*out));
	if (is_new)
		out->scaling_ratio = read_ratio(sysctls);
	sysctls->last = *out;
	return is_new;
}
