/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The control socket, with a stranger at either end. The input is a list of acts: a byte that says which, a byte for a
 * length, and what is sent or named. As a client it sends messages, reads or does not, and goes; as a server it answers
 * the client's side with anything; and it takes names that look like a loader's. What is missing at the end is 0. Most
 * inputs meet sockets in memory (sockets.h), where no descriptor may be left at the end.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "control.h"
#include "control_server.h"
#include "input.h"
#include "own_netns.h"
#include "sockets.h"

#define IFNAME "fuzz0"
#define MAX_ACTS 64
#define STRANGERS (CONTROL_SERVER_CLIENTS + 2)

static struct loop *loops[2], *loop; /* the kernel's, that in memory; this input's */
static size_t own; /* descriptors in memory of the server that has no client */
static size_t asked;
static int strangers[STRANGERS];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The first byte of the command says what becomes of it. */
static int give_answer(void *context, const char *command, struct control_answer *answer)
{
	(void)context;
	asked++;
	check(strlen(command) < 64);
	switch (command[0] & 3) {
	case 0:
		return -ENOENT;
	case 1:
		return 0;
	case 2:
		return control_answer_add(answer, command + 1);
	}
	for (int i = 0; i < 300; i++)
		control_answer_add(answer, command);
	return command[1] == '!' ? -EIO : 0;
}

static void open_server(bool is_in_memory)
{
	struct control_server *server;
	int fd;

	sockets_in_memory = is_in_memory;
	fd = control_listen(IFNAME);
	check(fd >= 0 && loop_new(&loops[is_in_memory]) == 0);
	check(control_server_new(&server, fd, loops[is_in_memory], give_answer, NULL) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (geteuid() || !own_netns_enter())
		_exit(1);
	open_server(false);
	open_server(true);
	own = sockets_count();
	for (size_t i = 0; i < STRANGERS; i++)
		strangers[i] = -1;
	return 0;
}

static void turn_loop(void)
{
	for (int i = 0; i < 4; i++)
		if (loop_wait(loop, 0) <= 0)
			break;
}

static void leave(int *stranger)
{
	if (*stranger >= 0)
		close(*stranger);
	*stranger = -1;
}

static void come(int *stranger)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	const char text[] = "nolisten/" IFNAME;

	leave(stranger);
	memcpy(name.sun_path + 1, text, sizeof(text) - 1);
	*stranger = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	check(*stranger >= 0);
	if (connect(*stranger, (struct sockaddr *)&name,
		    offsetof(struct sockaddr_un, sun_path) + sizeof(text)))
		leave(stranger);
}

static void hear(int stranger)
{
	char answer[512];

	while (recv(stranger, answer, sizeof(answer), MSG_DONTWAIT) > 0)
		;
}

/* The client's side against a server that says anything. */
static void answer_client(struct input *input)
{
	int ends[2];
	char said[256], *message = NULL;
	size_t len = take_bytes(input, said);
	int got;

	check(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	check(len == 0 || send(ends[0], said, len, 0) == (ssize_t)len);
	close(ends[0]);
	got = control_read(ends[1], &message);
	check(got == (int)len && (!len || (message[len] == '\0' && !memcmp(message, said, len))));
	free(message);
	close(ends[1]);
}

static void see_name(void *context, const char *ifname)
{
	size_t *seen = context;

	check(*ifname && strlen(ifname) < 108);
	*seen += 1;
}

/* The list of loaders has names that anybody may take. */
static void take_name(struct input *input)
{
	static const char prefix[] = "nolisten/";
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	char text[256];
	size_t len = take_bytes(input, text), seen = 0;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (len > sizeof(name.sun_path) - sizeof(prefix))
		len = sizeof(name.sun_path) - sizeof(prefix);
	memcpy(name.sun_path + 1, prefix, sizeof(prefix) - 1);
	memcpy(name.sun_path + sizeof(prefix), text, len);
	if (!bind(fd, (struct sockaddr *)&name,
		  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(prefix) + len)))
		listen(fd, 1);
	check(control_visit(see_name, &seen) >= 1 && seen >= 1);
	close(fd);
}

static void act(struct input *input)
{
	int *stranger = &strangers[take_byte(input) % STRANGERS];
	char message[256];
	size_t len;

	switch (take_byte(input) % 8) {
	case 0:
		come(stranger);
		break;
	case 1:
		leave(stranger);
		break;
	case 2:
		if (*stranger >= 0)
			hear(*stranger);
		break;
	case 3:
		answer_client(input);
		break;
	case 4:
		take_name(input);
		break;
	default:
		len = take_bytes(input, message);
		if (*stranger < 0)
			come(stranger);
		if (*stranger >= 0)
			send(*stranger, message, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	turn_loop();
}

/* Whatever strangers have done, the next one with a question has its answer. */
static void check_still_answers(void)
{
	const size_t before = asked;
	int one = -1;

	come(&one);
	check(one >= 0);
	check(send(one, "q", 1, MSG_NOSIGNAL) == 1);
	for (int i = 0; i < 100 && asked == before; i++)
		loop_wait(loop, 0);
	check(asked == before + 1);
	leave(&one);
	turn_loop();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input input = {data, len};

	sockets_in_memory = sockets_choose(data, len);
	loop = loops[sockets_in_memory];
	for (int i = 0; i < MAX_ACTS && input.len; i++)
		act(&input);
	for (size_t i = 0; i < STRANGERS; i++)
		leave(&strangers[i]);
	turn_loop();
	check_still_answers();
	check(sockets_count() == own);
	return 0;
}
