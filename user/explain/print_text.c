/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One line a step: conversation, microseconds, what happened. */
#include "addr.h"
#include "print.h"
#include "words.h"

static void print_heading(const struct printer *printer, const struct conversation *conversation)
{
	const struct nol_flow_key *key = &conversation->key;
	char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE];

	words_end(key->local_addr, key->local_port, local);
	words_end(key->remote_addr, key->remote_port, remote);
	fprintf(printer->out, "[%u] %s here, %s there\n", conversation->id, local, remote);
}

void print_text(void *context, const struct story_line *line)
{
	static const char *const arrows[] = {
		[STORY_HERE] = "   ", [STORY_IN] = "-->", [STORY_OUT] = "<--"};
	struct printer *printer = context;
	const char *text = line->text;

	if (line->conversation->id > printer->headed) {
		print_heading(printer, line->conversation);
		printer->headed = line->conversation->id;
	}
	fprintf(printer->out, "[%u] %10.1f us  %s ", line->conversation->id, story_us(line),
		arrows[line->side]);
	if (line->side != STORY_HERE)
		fprintf(printer->out, "%s%s", line->packet, *text ? ", " : "");
	fprintf(printer->out, "%s%s\n", text, line->is_inferred ? " (inferred)" : "");
}
