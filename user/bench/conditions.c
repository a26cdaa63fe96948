/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conditions.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

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
