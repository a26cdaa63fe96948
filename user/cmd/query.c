/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Asking loaders over their control sockets; see query.h. */
#include "query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "log.h"

struct run {
	const struct query *query;
	void (*fn)(void *context, const json_t *object);
	void *context;
	int err; /* the first */
};

/* What flows and status take. */
const struct option_row query_options[] = {
	{"json", 'j', NULL, "JSON instead of text for people", option_take_flag,
	 OPTION_FIELD(query, is_json)},
	OPTION_HELP,
	{0},
};

const struct option_row query_arguments[] = {ARGUMENT_IFACE(query, ifname), {0}};

static int take_object(struct run *run, const char *ifname, const json_t *object)
{
	const char *error = json_string_value(json_object_get(object, "error"));

	if (error) {
		log_error("%s: the loader answers: %s", ifname, error);
		return -EREMOTEIO;
	}
	run->fn(run->context, object);
	return 0;
}

static int take_message(struct run *run, const char *ifname, const char *message)
{
	json_t *object = json_loads(message, 0, NULL);
	int err = 0;

	if (!json_is_object(object)) {
		log_error("%s: the loader's answer is not understood", ifname);
		err = -EPROTO;
	} else if (run->query->is_json && !json_object_get(object, "error")) {
		puts(message);
	} else {
		err = take_object(run, ifname, object);
	}
	json_decref(object);
	return err;
}

static int read_answer(struct run *run, const char *ifname, int fd)
{
	char *message;
	int len, err = 0;

	while (!err && (len = control_read(fd, &message)) != 0) {
		if (len < 0) {
			log_error("%s: cannot read the loader's answer: %s", ifname,
				  len == -EAGAIN ? "it does not come" : strerror(-len));
			return len;
		}
		err = take_message(run, ifname, message);
		free(message);
	}
	return err;
}

static int ask(struct run *run, const char *ifname)
{
	const char *command = run->query->command;
	int fd = run->query->ifname ? control_connect(ifname, command)
				    : control_connect_found(ifname, command);
	int err;

	if (fd < 0) {
		log_error("%s: %s", ifname, control_connect_error(fd));
		return fd;
	}
	err = read_answer(run, ifname, fd);
	close(fd);
	return err;
}

static void ask_one(void *context, const char *ifname)
{
	struct run *run = context;
	int err = ask(run, ifname);

	if (!run->err)
		run->err = err;
}

static int ask_all(struct run *run)
{
	int count = control_visit(ask_one, run);

	if (count < 0) {
		log_error("/proc/net/unix: %s", strerror(-count));
		return count;
	}
	if (count == 0) {
		log_error("no loader runs in this network namespace");
		return -ECONNREFUSED;
	}
	return run->err;
}

int query_run(const struct query *query, void (*fn)(void *context, const json_t *object),
	      void *context)
{
	struct run run = {.query = query, .fn = fn, .context = context};

	return query->ifname ? ask(&run, query->ifname) : ask_all(&run);
}

const char *query_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "-";
}

long long query_number(const json_t *object, const char *key)
{
	return (long long)json_number_value(json_object_get(object, key));
}
