/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two life lines, the remote end's on the left and this host's on the right; arrows for packets, and beside our line
 * what the kernel did between them.
 */
#include "addr.h"
#include "explain_print.h"
#include "explain_words.h"

#define LANE 58 /* characters between the life lines */
#define LEAD 4 /* of them, in front of an arrow's label */

static void print_heading(const struct printer *printer, const struct conversation *conversation)
{
	const struct nol_flow_key *key = &conversation->key;
	char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE];

	words_end(key->local_addr, key->local_port, local);
	words_end(key->remote_addr, key->remote_port, remote);
	fprintf(printer->out, "\n[%u]%s\n", conversation->id,
		conversation->id > printer->headed ? "" : " continued");
	fprintf(printer->out, "%10s  %-*s here\n", "us", LANE - 3, "there");
	fprintf(printer->out, "%10s  %-*s %s\n", "", LANE - 3, remote, local);
}

/* A label of which as much is kept as fits; len: what it takes, blanks around it included. */
static void format_label(const char *packet, char label[LANE], int *len)
{
	*len = snprintf(label, LANE - LEAD * 2, " %s ", packet);
	if (*len >= LANE - LEAD * 2)
		*len = LANE - LEAD * 2 - 1;
}

static void print_dashes(FILE *out, int count)
{
	for (int i = 0; i < count; i++)
		fputc('-', out);
}

static void print_arrow(FILE *out, enum story_side side, const char *packet)
{
	char label[LANE];
	int len;

	format_label(packet, label, &len);
	fputs(side == STORY_IN ? "|" : "|<", out);
	print_dashes(out, LEAD);
	fputs(label, out);
	print_dashes(out, LANE - LEAD - len - 1);
	fputs(side == STORY_IN ? ">|" : "|", out);
}

void print_drawing(void *context, const struct story_line *line)
{
	struct printer *printer = context;
	const struct conversation *conversation = line->conversation;

	if (conversation->id != printer->id) {
		print_heading(printer, conversation);
		printer->id = conversation->id;
		if (conversation->id > printer->headed)
			printer->headed = conversation->id;
	}
	fprintf(printer->out, "%10.1f  ", story_us(line));
	if (line->side == STORY_HERE)
		fprintf(printer->out, "|%*s|", LANE, "");
	else
		print_arrow(printer->out, line->side, line->packet);
	fprintf(printer->out, "%s%s%s\n", line->text[0] ? "  " : "", line->text,
		line->is_inferred ? " (inferred)" : "");
}
