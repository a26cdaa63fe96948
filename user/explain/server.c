/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Start a loader; it says "answering" when it does. */
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "demo_lab.h"
#include "loader_path.h"

#define READY_WORD "answering"
#define READY_MS 10000

/* The last line that it said, without the program's name. */
static void find_reason(const struct job *server, char reason[JOB_REASON_SIZE])
{
	static const char name[] = LOADER_NAME ": ";
	char line[JOB_REASON_SIZE];
	const char *text = line;

	job_last_line(server, line);
	if (strncmp(text, name, sizeof(name) - 1) == 0)
		text += sizeof(name) - 1;
	snprintf(reason, JOB_REASON_SIZE, "%s", *text ? text : "it ended without a word");
}

int server_start(struct job *server, const struct lab *lab, const char *path, const char *method,
		 char reason[JOB_REASON_SIZE])
{
	/* Without a flood accept would answer at TC on a veth, and the story is that of a card with native XDP. */
	char *const generic = !strcmp(method, "accept") ? "--xdp=generic" : NULL;
	char *const argv[] = {(char *)path, DEMO_IFNAME, "-m", (char *)method, generic, NULL};
	const struct job_command command = {.argv = argv, .place = LAB_SERVER};
	int err = job_start_command(lab, &command, server);

	if (err) {
		snprintf(reason, JOB_REASON_SIZE, "%s", strerror(-err));
		return err;
	}
	err = job_await_text(server, READY_WORD, READY_MS);
	if (err == -ECHILD)
		find_reason(server, reason);
	else if (err)
		snprintf(reason, JOB_REASON_SIZE, "it does not get ready");
	if (err)
		job_stop(server);
	return err;
}
