/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Plays scene after scene: a sentence, the play under watch, what came of it. Everything runs on one CPU, so that
 * the packet path of a scene takes the same turns every time.
 */
#include "demo.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>

#include "clock.h"
#include "demo_lab.h"
#include "loader_path.h"
#include "log.h"
#include "scenes.h"
#include "server.h"

#define QUIET_MS 200
#define SCENE_NS_MAX (5 * CLOCK_NS_PER_S)

struct demo {
	enum watch_look look;
	struct trace_names *names;
	struct lab lab;
	unsigned int number; /* of the scene */
	bool has_loader;
	char loader[PATH_MAX]; /* where it is, or: */
	char no_loader[LOADER_REASON_SIZE];
};

static void say(const struct demo *demo, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* JSON has standard output for itself. */
static void say(const struct demo *demo, const char *format, ...)
{
	FILE *out = demo->look == WATCH_JSON ? stderr : stdout;
	va_list args;

	va_start(args, format);
	vfprintf(out, format, args);
	va_end(args);
	fflush(out);
}

/* Until every socket is gone, and nothing has happened for a while. */
static int watch_until_quiet(struct watch *watch)
{
	const uint64_t deadline = clock_monotonic_ns() + SCENE_NS_MAX;
	int err = watch_take(watch);
	bool is_quiet = false;

	while (!err && clock_monotonic_ns() < deadline &&
	       (!is_quiet || conversation_has_socket(watch->table))) {
		err = job_await(trace_fd(watch->trace), QUIET_MS);
		is_quiet = err == -ETIMEDOUT;
		if (!err || is_quiet)
			err = watch_take(watch);
	}
	return err;
}

static int play_watched(struct demo *demo, const struct scene *scene)
{
	struct trace_options options = {0};
	struct watch watch;
	int result = 0, err;

	err = lab_enter(&demo->lab, LAB_SERVER);
	if (err)
		return err;
	options.ifindex = if_nametoindex(scene->ifname);
	err = watch_open(&watch, &options, demo->look, demo->names);
	if (err)
		return err;
	err = scene->play(&demo->lab, scene->port, &result);
	if (err && !job_is_interrupted())
		log_error("%s: cannot be played: %s", scene->name, strerror(-err));
	else if (!job_is_interrupted())
		err = watch_until_quiet(&watch);
	watch_close(&watch);
	if (!err && !job_is_interrupted())
		say(demo, "%s: %s.\n\n", scene->who, result ? strerror(result) : "it worked");
	return err;
}

static int play(struct demo *demo, const struct scene *scene)
{
	struct job server = {.log_fd = -1};
	char text[JOB_REASON_SIZE];
	const char *reason = NULL;
	int err;

	say(demo, "%u. %s: %s\n", ++demo->number, scene->name, scene->intro);
	if (scene->method && !demo->has_loader)
		reason = demo->no_loader;
	else if (scene->method &&
		 server_start(&server, &demo->lab, demo->loader, scene->method, text))
		reason = text;
	if (reason) {
		if (!job_is_interrupted())
			say(demo, "Skipped: %s.\n\n", reason);
		return 0;
	}
	err = play_watched(demo, scene);
	job_stop(&server);
	return err;
}

static const struct scene *find_scene(const char *name)
{
	for (const struct scene *scene = scene_table; scene->name; scene++)
		if (strcmp(scene->name, name) == 0)
			return scene;
	return NULL;
}

const char *demo_scene(size_t index)
{
	return scene_table[index].name;
}

bool demo_has(const char *name)
{
	return find_scene(name);
}

/* The whole demonstration does without the loader's scenes, a single one does not. */
static int look_for_loader(struct demo *demo, const char *name)
{
	const struct scene *scene = name ? find_scene(name) : NULL;
	int err = loader_path_find(demo->loader, demo->no_loader);

	demo->has_loader = !err;
	if (!err || !scene || !scene->method)
		return 0;
	log_error("explain: %s: %s", name, demo->no_loader);
	return err;
}

static void introduce(const struct demo *demo)
{
	say(demo,
	    "Can TCP connect when nobody listens? A client is at " DEMO_CLIENT
	    ", a server at " DEMO_SERVER "; this\n"
	    "is what the server's kernel does. --> is a packet that comes in, <-- one that goes out, and\n"
	    "between them stands what becomes of it, in microseconds since the first packet.\n\n");
}

static void conclude(const struct demo *demo)
{
	say(demo,
	    "So it can. The kernel's RST is all that is in the way: keep it in, and anybody may answer.\n"
	    "Both namespaces are gone, and all that was in them.\n");
}

static void stay_on_one_cpu(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

int demo_play(enum watch_look look, const char *name)
{
	struct demo demo = {.look = look, .lab = LAB_NONE};
	int err;

	err = look_for_loader(&demo, name);
	if (!err)
		err = trace_names_new(&demo.names);
	if (!err)
		err = job_init();
	if (!err)
		err = lab_open(&demo.lab, &demo_lab_plan);
	if (err)
		goto out;
	stay_on_one_cpu(demo.lab.cpus[LAB_HOME]);
	if (!name)
		introduce(&demo);
	for (const struct scene *scene = scene_table; scene->name; scene++)
		if (!err && !job_is_interrupted() && (!name || strcmp(scene->name, name) == 0))
			err = play(&demo, scene);
	lab_close(&demo.lab);
	if (!name && !err && !job_is_interrupted())
		conclude(&demo);
out:
	trace_names_free(demo.names);
	return job_is_interrupted() ? 0 : err;
}
