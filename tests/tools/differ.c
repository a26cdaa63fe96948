/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * differ 4|6 GROUP KERNEL-IFNAME NOLISTEN-IFNAME PORT [NAME]: the same packets to a kernel listener and to nolisten, each
 * behind one interface of this namespace, and a comparison of what comes back. With DIFFER_METHOD=connect in the
 * environment, less what differs by the nature of that method. A step of all the cases goes
 * out before the next one, so that the answers are waited for together: until both sides have answered alike
 * and it is quiet, or until a deadline. One TAP line a case; NAME: only cases whose name contains it.
 *
 * Both servers have the address 10.0.0.2 or fd00::2 and the MAC address 02:00:00:00:00:02, and know our
 * 10.0.0.77 or fd00::77 as a neighbour. No kernel owns that address, so nobody interferes.
 */
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/differ_cases.h"
#include "tools/differ_text.h"
#include "tools/script.h"

#define QUIET_MS 100
#define DEADLINE_MS 700
#define BATCH 64
#define STEPS_MAX 8

/* One case on one side. */
struct conversation {
	uint16_t port;
	bool may_differ;
	struct script_state state;
	struct answer_text text;
};

struct side {
	const char *name;
	int fd;
	struct wire wire; /* who talks to whom */
	struct conversation conversations[BATCH];
};

static struct side sides[2] = {{.name = "kernel"}, {.name = "nolisten"}};
static size_t batch_len;
static unsigned int failures, number;
static uint16_t next_port;
static const char *only;

static void open_side(struct side *side, const char *ifname, bool is_v6, uint16_t port)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	address.sll_ifindex = (int)if_nametoindex(ifname);
	side->fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	setsockopt(side->fd, SOL_PACKET, PACKET_AUXDATA, &(int){1}, sizeof(int));
	setsockopt(side->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &(int){1}, sizeof(int));
	if (ioctl(side->fd, SIOCGIFHWADDR, &request) ||
	    bind(side->fd, (struct sockaddr *)&address, sizeof(address)))
		fail(ifname);
	memcpy(side->wire.local_mac, request.ifr_hwaddr.sa_data, 6);
	memcpy(side->wire.remote_mac, (uint8_t[]){2, 0, 0, 0, 0, 2}, 6);
	side->wire.is_v6 = is_v6;
	side->wire.remote_port = port;
	inet_pton(is_v6 ? AF_INET6 : AF_INET, is_v6 ? "fd00::77" : "10.0.0.77",
		  side->wire.local_addr);
	inet_pton(is_v6 ? AF_INET6 : AF_INET, is_v6 ? "fd00::2" : "10.0.0.2",
		  side->wire.remote_addr);
}

/* The checksum of what a veth peer sends may be unfinished: the kernel says so beside the packet. */
static bool is_checksum_there(struct msghdr *message)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	struct tpacket_auxdata aux = {0};

	if (control && control->cmsg_type == PACKET_AUXDATA)
		memcpy(&aux, CMSG_DATA(control), sizeof(aux));
	return !(aux.tp_status & TP_STATUS_CSUMNOTREADY);
}

static bool receive_one(struct side *side)
{
	static uint8_t frame[70000];
	char control[256];
	struct iovec part = {frame, sizeof(frame)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(side->fd, &message, MSG_DONTWAIT);
	struct wire_answer answer;

	if (len <= 0)
		return false;
	if (get16(frame + 12) != (side->wire.is_v6 ? ETH_P_IPV6 : ETH_P_IP) ||
	    !wire_parse(frame, (size_t)len, is_checksum_there(&message), &answer))
		return true;
	for (size_t i = 0; i < batch_len; i++) {
		struct conversation *conversation = &side->conversations[i];

		if (conversation->port == answer.local_port)
			answer_text_add(&conversation->text, &conversation->state, &answer);
	}
	return true;
}

static bool is_alike(void)
{
	for (size_t i = 0; i < batch_len; i++)
		if (!sides[0].conversations[i].may_differ &&
		    !answer_text_is_alike(&sides[0].conversations[i].text,
					  &sides[1].conversations[i].text))
			return false;
	return true;
}

static void collect(void)
{
	uint64_t deadline = now_ms() + DEADLINE_MS, quiet_since = now_ms();
	struct pollfd pollers[2] = {{sides[0].fd, POLLIN, 0}, {sides[1].fd, POLLIN, 0}};

	while (now_ms() < deadline && !(is_alike() && now_ms() - quiet_since >= QUIET_MS)) {
		if (poll(pollers, 2, 20) <= 0)
			continue;
		quiet_since = now_ms();
		for (int i = 0; i < 2; i++)
			while (receive_one(&sides[i]))
				;
	}
}

static void send_step(struct side *side, struct conversation *conversation, const char *step)
{
	char text[1024];
	char *save, *segment;

	snprintf(text, sizeof(text), "%s", step);
	for (segment = strtok_r(text, "&", &save); segment; segment = strtok_r(NULL, "&", &save)) {
		char words[1024];
		struct wire wire = side->wire;

		snprintf(words, sizeof(words), "%s", segment);
		wire.local_port = conversation->port;
		script_read_segment(words, &conversation->state, &wire);
		/* Answers to port 0 come to port 0. */
		conversation->port = wire.local_port;
		wire_send(side->fd, &wire);
	}
}

/* The step with that number, without its '~'; false: there are not so many. */
static bool find_step(const char *script, unsigned int index, char *out, size_t size, bool *is_sum)
{
	const char *end;

	for (; index; index--) {
		script = strchr(script, ';');
		if (!script)
			return false;
		script++;
	}
	script += strspn(script, " ");
	*is_sum = *script == '~';
	script += *is_sum;
	end = strchrnul(script, ';');
	snprintf(out, size, "%.*s", (int)(end - script), script);
	return true;
}

static void run_step(const struct differ_case *cases, unsigned int index)
{
	char step[1024];
	bool is_sum;

	for (size_t i = 0; i < batch_len; i++) {
		if (!find_step(cases[i].script, index, step, sizeof(step), &is_sum))
			continue;
		for (int s = 0; s < 2; s++) {
			answer_text_begin(&sides[s].conversations[i].text, is_sum,
					  strchr(step, '&'));
			send_step(&sides[s], &sides[s].conversations[i], step);
		}
	}
	collect();
	for (size_t i = 0; i < batch_len; i++)
		for (int s = 0; s < 2; s++)
			answer_text_end(&sides[s].conversations[i].text);
}

static bool is_as_meant(const struct differ_case *one, const struct answer_text *kernel,
			const struct answer_text *nolisten)
{
	bool is_same = !strcmp(kernel->text, nolisten->text);

	/* What a hand-off cannot do, connect-back may. */
	if (one->differs && !(answer_text_is_of_connect && is_same))
		return !strcmp(one->differs, nolisten->shape);
	return is_same;
}

static void judge(const struct differ_case *one, const struct answer_text *kernel,
		  const struct answer_text *nolisten)
{
	bool is_good = is_as_meant(one, kernel, nolisten);

	failures += !is_good;
	printf("%sok %u - %s\n", is_good ? "" : "not ", ++number, one->name);
	if (one->differs)
		printf("# differs: %s\n", one->reason);
	if (is_good && !one->differs)
		return;
	printf("#   script:   %s\n#   kernel:   %s\n#   nolisten: %s\n", one->script, kernel->text,
	       nolisten->text);
	if (one->differs)
		printf("#   accepted: %s\n", one->differs);
}

/* At most BATCH cases side by side. */
static void run_side_by_side(const struct differ_case *cases, size_t count)
{
	batch_len = count;
	for (size_t i = 0; i < count; i++, next_port++) {
		for (int s = 0; s < 2; s++) {
			struct conversation *conversation = &sides[s].conversations[i];

			memset(conversation, 0, sizeof(*conversation));
			conversation->port = next_port;
			conversation->may_differ = cases[i].differs != NULL;
			conversation->state.sent_tsval = SCRIPT_TSVAL;
		}
	}
	for (unsigned int step = 0; step < STEPS_MAX; step++)
		run_step(cases, step);
}

/*
 * One case that differs makes all of its batch wait, and then retransmissions mix with answers. So what differs is tried
 * once more, alone.
 */
static void run_batch(const struct differ_case *cases, size_t count)
{
	static struct answer_text texts[2][BATCH];

	run_side_by_side(cases, count);
	for (size_t i = 0; i < count; i++)
		for (int s = 0; s < 2; s++)
			texts[s][i] = sides[s].conversations[i].text;
	for (size_t i = 0; i < count; i++) {
		const struct answer_text *kernel = &texts[0][i], *nolisten = &texts[1][i];

		if (!is_as_meant(&cases[i], kernel, nolisten)) {
			run_side_by_side(&cases[i], 1);
			kernel = &sides[0].conversations[0].text;
			nolisten = &sides[1].conversations[0].text;
		}
		judge(&cases[i], kernel, nolisten);
	}
}

static bool has_counter(const char *name)
{
	char line[16384];
	bool is_there = false;
	FILE *file = fopen("/proc/net/netstat", "re");

	while (file && fgets(line, sizeof(line), file))
		is_there |= strstr(line, name) != NULL;
	if (file)
		fclose(file);
	return is_there;
}

static bool is_wanted(const struct differ_case *one)
{
	if (only && !strstr(one->name, only))
		return false;
	if (one->family && (one->family == '6') != sides[0].wire.is_v6)
		return false;
	if (!one->needs || has_counter(one->needs))
		return true;
	printf("ok %u - %s # SKIP this kernel has no %s\n", ++number, one->name, one->needs);
	return false;
}

static void run_cases(const struct differ_case *cases, size_t count)
{
	struct differ_case batch[BATCH];
	size_t in_batch = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_wanted(&cases[i]))
			batch[in_batch++] = cases[i];
		if (in_batch == BATCH || (i + 1 == count && in_batch)) {
			run_batch(batch, in_batch);
			in_batch = 0;
		}
	}
}

/* All 256 values of the flags byte. */
static void run_flags(const char *port_word)
{
	static struct differ_case cases[256];
	static char names[256][32], scripts[256][64];

	for (unsigned int flags = 0; flags < 256; flags++) {
		snprintf(names[flags], sizeof(names[flags]), "flags 0x%02x%s", flags, port_word);
		snprintf(scripts[flags], sizeof(scripts[flags]), "0x%02x ^77%s", flags, port_word);
		cases[flags] = (struct differ_case){names[flags], scripts[flags]};
		/* The sixteen SYNs with both ECE and CWR ask for ECN. */
		if ((flags & 0xd7) == 0xc2) {
			cases[flags].differs = *port_word ? NULL : "S.";
			cases[flags].reason = "ECN cannot survive the hand-off";
		}
	}
	run_cases(cases, 256);
}

#define RUN(table) run_cases(table, sizeof(table) / sizeof(table[0]))

/*
 * Retransmissions of an earlier run in the same namespaces must not meet this one: each group and family has its
 * own thousand ports.
 */
static uint16_t base_port(const char *group, bool is_v6)
{
	static const char *const groups[] = {"segments",  "options", "packets",
					     "time-wait", "flags",   "closed-flags"};
	unsigned int index = 0;

	while (index < 6 && strcmp(groups[index], group))
		index++;
	return (uint16_t)(10000 + index * 2000 + is_v6 * 1000);
}

static void run_group(const char *group)
{
	next_port = base_port(group, sides[0].wire.is_v6);
	if (!strcmp(group, "segments"))
		RUN(segment_cases);
	else if (!strcmp(group, "options"))
		RUN(option_cases);
	else if (!strcmp(group, "packets"))
		RUN(packet_cases);
	else if (!strcmp(group, "time-wait"))
		RUN(time_wait_cases);
	else if (!strcmp(group, "flags"))
		run_flags("");
	else if (!strcmp(group, "closed-flags"))
		run_flags(" closed");
	else
		usage("4|6 segments|options|packets|time-wait|flags|closed-flags IF IF PORT");
}

int main(int argc, char **argv)
{
	if (argc < 6 || argc > 7)
		usage("4|6 GROUP KERNEL-IFNAME NOLISTEN-IFNAME PORT [NAME]");
	only = argc == 7 ? argv[6] : NULL;
	answer_text_is_of_connect = !strcmp(getenv("DIFFER_METHOD") ?: "", "connect");
	for (int s = 0; s < 2; s++)
		open_side(&sides[s], argv[3 + s], *argv[1] == '6', (uint16_t)atoi(argv[5]));
	run_group(argv[2]);
	printf("1..%u\n", number);
	return failures ? 1 : 0;
}
