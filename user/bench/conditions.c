/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conditions.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "log.h"

#define DESCRIPTORS 1048576 /* as many as the kernel lets a process have */

void conditions_look(const struct lab *lab, struct machine *out)
{
	char text[MACHINE_TEXT_SIZE];

	machine_measure(lab->cpus[LAB_SERVER], lab->cpus[LAB_CLIENT], out);
	for (size_t i = 0; machine_warning(out, i, text); i++)
		log_warning("bench: warning: %s", text);
}

void conditions_allow_descriptors(void)
{
	const struct rlimit many = {DESCRIPTORS, DESCRIPTORS};
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_max < DESCRIPTORS)
		setrlimit(RLIMIT_NOFILE, &many);
}

static void read_processor(char *text, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256], *colon;

	snprintf(text, size, "unknown processor");
	while (file && fgets(line, sizeof(line), file)) {
		colon = strchr(line, ':');
		if (!colon || strncmp(line, "model name", strlen("model name")))
			continue;
		colon[strcspn(colon, "\n")] = '\0';
		snprintf(text, size, "%s", colon + 2);
		break;
	}
	if (file)
		fclose(file);
}

void conditions_describe(const struct lab *lab, const struct plan *plan,
			 char text[BOARD_CONDITIONS_SIZE])
{
	struct utsname host;
	char processor[100];

	uname(&host);
	read_processor(processor, sizeof(processor));
	snprintf(
		text, BOARD_CONDITIONS_SIZE,
		"%s, Linux %.60s, veth, server on CPU %d, client on CPU %d; %u rounds of %u ms slices",
		processor, host.release, lab->cpus[LAB_SERVER], lab->cpus[LAB_CLIENT], plan->rounds,
		plan->slice_ms);
}

/* For a shell: whatever may mean something to it is between quotes. */
static void write_argument(FILE *out, const char *argument)
{
	const char *at = argument;

	while (isalnum((unsigned char)*at) || (*at && strchr("-_=,.:/+@", *at)))
		at++;
	if (*argument && !*at) {
		fputs(argument, out);
		return;
	}
	fputc('\'', out);
	for (at = argument; *at; at++) {
		if (*at == '\'')
			fputs("'\\'", out);
		fputc(*at, out);
	}
	fputc('\'', out);
}

char *conditions_read_command(void)
{
	FILE *file = fopen("/proc/self/cmdline", "re"), *out;
	char *text = NULL, *argument = NULL;
	size_t text_size, size = 0;
	bool is_first = true;

	if (!file)
		return NULL;
	out = open_memstream(&text, &text_size);
	while (out && getdelim(&argument, &size, '\0', file) > 0) {
		fputs(is_first ? "" : " ", out);
		write_argument(out, argument);
		is_first = false;
	}
	if (out)
		fclose(out);
	fclose(file);
	free(argument);
	return text;
}
