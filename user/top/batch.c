/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two answers of each loader make a batch; the second of them is the first of the next one. */
#include "top.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "log.h"
#include "view.h"

#define MS_PER_S 1000

struct loader {
	char ifname[ASK_IFNAME_SIZE];
	struct reading now, before;
	bool is_away; /* and that has been said */
};

struct batch {
	const struct top_options *options;
	struct loader *loaders;
	size_t count;
	bool has_printed; /* something, of this batch */
	int err; /* why a loader did not answer at the start */
};

static int add_loader(struct batch *batch, const char *ifname)
{
	struct loader *grown;

	for (size_t i = 0; i < batch->count; i++)
		if (!strcmp(batch->loaders[i].ifname, ifname))
			return 0;
	grown = reallocarray(batch->loaders, batch->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	batch->loaders = grown;
	grown += batch->count++;
	*grown = (struct loader){0};
	snprintf(grown->ifname, sizeof(grown->ifname), "%s", ifname);
	return 0;
}

/* Those that have come meanwhile as well. */
static int find_loaders(struct batch *batch)
{
	struct ask_names names;
	int err = 0;

	if (batch->options->ifname)
		return add_loader(batch, batch->options->ifname);
	ask_list(&names, NULL);
	for (size_t i = 0; !err && i < names.count; i++)
		err = add_loader(batch, names.names[i]);
	return err;
}

static int ask(struct loader *loader, bool is_named)
{
	struct reading next = {0};
	char why[ASK_WHY_SIZE];
	int err = ask_once(loader->ifname, is_named, &next, why);

	if (err && !loader->is_away)
		log_error("%s: %s", loader->ifname, why);
	loader->is_away = err;
	reading_clear(&loader->before);
	loader->before = loader->now;
	loader->now = next;
	return err;
}

static void print_json(const struct figures *figures)
{
	json_t *object = figures_to_json(figures);

	if (object)
		json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

static void print_text(const struct figures *figures, enum figures_sort sort)
{
	struct view *view = calloc(1, sizeof(*view));

	if (!view)
		return;
	view_add_figures(view, figures, sort, FIGURES_SOURCES_MAX);
	for (size_t i = 0; i < view->count; i++)
		printf("%s\n", view->lines[i].text);
	free(view);
}

static void print(struct batch *batch, const struct loader *loader)
{
	struct figures *figures = calloc(1, sizeof(*figures));

	if (!figures)
		return;
	figures_read(figures, &loader->now, &loader->before, batch->options->sort);
	if (batch->options->is_json) {
		print_json(figures);
	} else {
		if (batch->has_printed)
			putchar('\n');
		print_text(figures, batch->options->sort);
	}
	batch->has_printed = true;
	free(figures);
}

/* 0; -ECONNREFUSED: nobody is there any more; -errno: it cannot be written. */
static int run_once(struct batch *batch)
{
	size_t there = 0;
	int err = find_loaders(batch);

	for (size_t i = 0; !err && i < batch->count; i++) {
		if (ask(&batch->loaders[i], batch->options->ifname))
			continue;
		there++;
		if (batch->loaders[i].before.status)
			print(batch, &batch->loaders[i]);
	}
	if (!err && (fflush(stdout) || ferror(stdout))) {
		err = -errno;
		log_error("top: cannot write: %s", strerror(-err));
	}
	return err ?: there ? 0 : -ECONNREFUSED;
}

static int begin(struct batch *batch)
{
	int err = find_loaders(batch), failed = 0;

	if (!err && !batch->count) {
		log_error("no loader runs in this network namespace");
		return -ECONNREFUSED;
	}
	for (size_t i = 0; !err && i < batch->count; i++)
		failed = ask(&batch->loaders[i], batch->options->ifname) ?: failed;
	return err ?: failed;
}

/* Of loaders that go away later the others do not suffer; with --count they are waited for no longer than that. */
static int run(struct batch *batch)
{
	const struct top_options *options = batch->options;
	int err = begin(batch);

	for (uint32_t i = 0; !err && (!options->count || i < options->count); i++) {
		poll(NULL, 0, (int)options->delay_s * MS_PER_S);
		err = run_once(batch);
		if (err == -ECONNREFUSED && i + 1 != options->count)
			err = 0;
	}
	return err;
}

int top_batch(const struct top_options *options)
{
	struct batch batch = {.options = options};
	int err = run(&batch);

	for (size_t i = 0; i < batch.count; i++) {
		reading_clear(&batch.loaders[i].now);
		reading_clear(&batch.loaders[i].before);
	}
	free(batch.loaders);
	return err;
}
