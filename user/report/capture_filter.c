/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "capture_filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#define SNAP_LEN 262144 /* as tcpdump's: not what decides */

struct capture_filter {
	struct bpf_program program;
};

static void say(char why[CAPTURE_FILTER_WHY], const char *text)
{
	snprintf(why, CAPTURE_FILTER_WHY, "%.*s", (int)strcspn(text, "\n"), text);
}

static int compile(struct bpf_program *program, const char *expression, enum pcapng_link link,
		   char why[CAPTURE_FILTER_WHY])
{
	pcap_t *pcap =
		pcap_open_dead(link == PCAPNG_LINK_ETHERNET ? DLT_EN10MB : DLT_RAW, SNAP_LEN);
	int err = 0;

	if (!pcap)
		return -ENOMEM;
	if (pcap_compile(pcap, program, expression, 1, PCAP_NETMASK_UNKNOWN)) {
		say(why, pcap_geterr(pcap));
		err = -EINVAL;
	}
	pcap_close(pcap);
	return err;
}

int capture_filter_new(struct capture_filter **out, const char *expression, enum pcapng_link link,
		       char why[CAPTURE_FILTER_WHY])
{
	struct capture_filter *filter = calloc(1, sizeof(*filter));
	int err;

	say(why, strerror(ENOMEM));
	if (!filter)
		return -ENOMEM;
	err = compile(&filter->program, expression, link, why);
	if (err)
		free(filter);
	else
		*out = filter;
	return err;
}

bool capture_filter_takes(const struct capture_filter *filter, const uint8_t *frame,
			  uint32_t snap_len, uint32_t frame_len)
{
	const struct pcap_pkthdr header = {.caplen = snap_len, .len = frame_len};

	return pcap_offline_filter(&filter->program, &header, frame);
}

void capture_filter_free(struct capture_filter *filter)
{
	if (filter)
		pcap_freecode(&filter->program);
	free(filter);
}

bool capture_filter_check(const char *expression, char why[CAPTURE_FILTER_WHY])
{
	static const enum pcapng_link links[] = {PCAPNG_LINK_RAW, PCAPNG_LINK_ETHERNET};
	struct capture_filter *filter = NULL;
	int err = -EINVAL;

	for (size_t i = 0; err && i < sizeof(links) / sizeof(links[0]); i++)
		err = capture_filter_new(&filter, expression, links[i], why);
	if (!err)
		capture_filter_free(filter);
	return !err;
}
