// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The context keeps its netlink socket, to which the tables that it owns are bound. */
#include "nft.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

#include <nftables/libnftables.h>

#define ERROR_SIZE 256
#define FDS_MAX 1024 /* it is opened early */
#define PORTS_TEXT_SIZE (65536 * 4) /* every second port */

struct nft {
	struct nft_ctx *context;
	int fd; /* of its socket */
	char error[ERROR_SIZE];
};

void nft_table_name(const char *ifname, char name[NFT_TABLE_SIZE])
{
	size_t used = (size_t)snprintf(name, NFT_TABLE_SIZE, "nolisten_");

	for (; *ifname && used + 4 < NFT_TABLE_SIZE; ifname++) {
		const unsigned char letter = (unsigned char)*ifname;

		if (isalnum(letter) || strchr("-._", letter))
			name[used++] = (char)letter;
		else
			used += (size_t)snprintf(name + used, NFT_TABLE_SIZE - used, "_%02x",
						 letter);
	}
	name[used] = '\0';
}

static bool is_netfilter_socket(int fd)
{
	int domain, protocol;
	socklen_t len = sizeof(domain);

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) && domain == AF_NETLINK &&
	       !getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) &&
	       protocol == NETLINK_NETFILTER;
}

/*
 * libnftables keeps its socket to itself. It would be passed on to every command that is run, and the tables that it owns live as
 * long as that.
 */
static int open_context(struct nft *nft)
{
	bool was_there[FDS_MAX];

	for (int fd = 0; fd < FDS_MAX; fd++)
		was_there[fd] = is_netfilter_socket(fd);
	nft->context = nft_ctx_new(NFT_CTX_DEFAULT);
	nft->fd = -1;
	for (int fd = 0; nft->context && nft->fd < 0 && fd < FDS_MAX; fd++)
		if (!was_there[fd] && is_netfilter_socket(fd))
			nft->fd = fd;
	return nft->context && fcntl(nft->fd, F_SETFD, FD_CLOEXEC) ? -errno : 0;
}

/* Where it cannot have this socket, libnftables ends the process. */
static int try_netlink(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int nft_new(struct nft **out)
{
	int err = try_netlink();
	struct nft *nft;

	if (err)
		return err;
	nft = calloc(1, sizeof(*nft));
	if (!nft)
		return -ENOMEM;
	err = open_context(nft);
	if (err || !nft->context) {
		nft_free(nft);
		return err ? err : -ENOMEM;
	}
	nft_ctx_buffer_output(nft->context);
	nft_ctx_buffer_error(nft->context);
	*out = nft;
	return 0;
}

void nft_free(struct nft *nft)
{
	if (!nft)
		return;
	if (nft->context)
		nft_ctx_free(nft->context);
	free(nft);
}

/* The message without its place in our text: "<cmdline>:1:1-9: Error: what". */
static void keep_error(struct nft *nft)
{
	const char *text = nft_ctx_get_error_buffer(nft->context);
	const char *what = strstr(text, "Error: ");

	if (what)
		text = what + strlen("Error: ");
	snprintf(nft->error, sizeof(nft->error), "%.*s", (int)strcspn(text, "\n"), text);
}

int nft_run(struct nft *nft, const char *format, ...)
{
	va_list args;
	char *command;
	int len, err;

	va_start(args, format);
	len = vasprintf(&command, format, args);
	va_end(args);
	if (len < 0)
		return -ENOMEM;
	/* Asking for a buffer empties it: what an earlier command said is gone. */
	nft_ctx_get_output_buffer(nft->context);
	nft_ctx_get_error_buffer(nft->context);
	err = nft_run_cmd_from_buffer(nft->context, command);
	free(command);
	keep_error(nft);
	return err ? -EINVAL : 0;
}

void nft_speak_json(struct nft *nft)
{
	nft_ctx_output_set_flags(nft->context, NFT_CTX_OUTPUT_JSON);
}

int nft_fd(const struct nft *nft)
{
	return nft->fd;
}

const char *nft_error(const struct nft *nft)
{
	return nft->error;
}

const char *nft_output(const struct nft *nft)
{
	return nft_ctx_get_output_buffer(nft->context);
}

char *nft_format_ports(const struct port_set *ports)
{
	char *text = malloc(PORTS_TEXT_SIZE);

	if (!text)
		return NULL;
	port_set_format(ports, text, PORTS_TEXT_SIZE);
	if (!strcmp(text, "all"))
		strcpy(text, "1-65535");
	return text;
}

char *nft_format_elements(const struct port_set *ports)
{
	char *text = nft_format_ports(ports), *elements = NULL;

	if (!text)
		return NULL;
	if (asprintf(&elements, *text ? "elements = { %s };" : "%s", text) < 0)
		elements = NULL;
	free(text);
	return elements;
}

int nft_write_ports(struct nft *nft, const char *table, const struct port_set *ports)
{
	char *text = nft_format_ports(ports);
	int err;

	if (!text)
		return -ENOMEM;
	err = nft_run(nft, "flush set inet %s ports\n%s%s%s%s%s\n", table,
		      *text ? "add element inet " : "", *text ? table : "",
		      *text ? " ports { " : "", text, *text ? " }" : "");
	free(text);
	return err;
}
