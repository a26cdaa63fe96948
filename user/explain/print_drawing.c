/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two life lines, the remote end's on the left and this host's on the right; arrows for packets, and on our side
 * what the kernel did between them.
 */
#include <string.h>

#include "addr.h"
#include "print.h"
#include "words.h"

#define LANE 54 /* characters between the life lines */
#define LEAD 3 /* of them, in front of an arrow's label */

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

static void print_dashes(FILE *out, int count)
{
	for (int i = 0; i < count; i++)
		fputc('-', out);
}

/* On our side of the lane; what is longer than the lane stands behind it. */
static void print_note(FILE *out, const struct story_line *line)
{
	char note[WORDS_SIZE];
	const int len = snprintf(note, sizeof(note), "%s%s", line->text,
				 line->is_inferred ? " (inferred)" : "");

	if (len < LANE)
		fprintf(out, "|%*s |\n", LANE - 1, note);
	else
		fprintf(out, "|%*s| %s\n", LANE, "", note);
}

static void print_arrow(FILE *out, const struct story_line *line)
{
	const enum story_side side = line->side;
	char label[WORDS_SIZE];

	words_label(line->step, label);
	fputs(side == STORY_IN ? "|" : "|<", out);
	print_dashes(out, LEAD);
	fprintf(out, " %s ", label);
	print_dashes(out, LANE - LEAD - (int)strlen(label) - 3);
	fprintf(out, "%s%s%s\n", side == STORY_IN ? ">|" : "|", line->text[0] ? " " : "",
		line->text);
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
		print_note(printer->out, line);
	else
		print_arrow(printer->out, line);
}
