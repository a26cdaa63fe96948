/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Plays scene after scene: a sentence, the play under watch, what came of it. Everything runs on one CPU, so that
 * the packet path of a scene takes the same turns every time.
 */
#include "explain_demo.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "clock.h"
#include "explain_lab.h"
#include "explain_scenes.h"
#include "explain_server.h"
#include "loader_path.h"
#include "log.h"

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

static volatile sig_atomic_t is_interrupted;

static void interrupt(int number)
{
	(void)number;
	is_interrupted = 1;
}

/* Without SA_RESTART: whatever waits stops waiting, and the scene is taken down in order. */
static void catch_signals(void)
{
	const struct sigaction action = {.sa_handler = interrupt};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

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
	struct pollfd steps = {.fd = trace_fd(watch->trace), .events = POLLIN};
	int err = watch_take(watch);
	bool is_quiet = false;

	while (!err && clock_monotonic_ns() < deadline &&
	       (!is_quiet || conversation_has_socket(watch->table))) {
		is_quiet = poll(&steps, 1, QUIET_MS) == 0;
		err = watch_take(watch);
	}
	return err;
}

static int play_watched(struct demo *demo, const struct scene *scene)
{
	const struct trace_options options = {.ifindex = if_nametoindex(scene->ifname)};
	struct watch watch;
	int result = 0, err;

	err = watch_open(&watch, &options, demo->look, demo->names);
	if (err)
		return err;
	err = scene->play(&demo->lab, scene->port, &result);
	if (err && !is_interrupted)
		log_error("%s: cannot be played: %s", scene->name, strerror(-err));
	else if (!is_interrupted)
		err = watch_until_quiet(&watch);
	watch_close(&watch);
	if (!err && !is_interrupted)
		say(demo, "%s: %s.\n\n", scene->who, result ? strerror(result) : "it worked");
	return err;
}

static int play(struct demo *demo, const struct scene *scene)
{
	char text[SERVER_REASON_SIZE];
	const char *reason = NULL;
	struct server server = {0};
	int err;

	say(demo, "%u. %s: %s\n", ++demo->number, scene->name, scene->intro);
	if (scene->method && !demo->has_loader)
		reason = demo->no_loader;
	else if (scene->method &&
		 server_start(&server, demo->loader, LAB_IFNAME, scene->method, text))
		reason = text;
	if (reason) {
		if (!is_interrupted)
			say(demo, "Skipped: %s.\n\n", reason);
		return 0;
	}
	err = play_watched(demo, scene);
	server_stop(&server);
	return err;
}

static const struct scene *find_scene(const char *name)
{
	for (const struct scene *scene = scene_table; scene->name; scene++)
		if (strcmp(scene->name, name) == 0)
			return scene;
	return NULL;
}

const char *explain_demo_scene(size_t index)
{
	return scene_table[index].name;
}

bool explain_demo_has(const char *name)
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
	    "Can TCP connect when nobody listens? A client is at " LAB_CLIENT
	    ", a server at " LAB_SERVER "; this\n"
	    "is what the server's kernel does. --> is a packet that comes in, <-- one that goes out, and\n"
	    "between them stands what becomes of it, in microseconds since the first packet.\n\n");
}

static void conclude(const struct demo *demo)
{
	say(demo,
	    "So it can. The kernel's RST is all that is in the way: keep it in, and anybody may answer.\n"
	    "Both namespaces are gone, and all that was in them.\n");
}

static void stay_on_one_cpu(void)
{
	cpu_set_t allowed, one;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &allowed))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

int explain_demo(enum watch_look look, const char *name)
{
	struct demo demo = {.look = look};
	int err;

	err = look_for_loader(&demo, name);
	if (!err)
		err = trace_names_new(&demo.names);
	if (!err)
		err = explain_lab_open(&demo.lab);
	if (err)
		goto out;
	stay_on_one_cpu();
	catch_signals();
	if (!name)
		introduce(&demo);
	for (const struct scene *scene = scene_table; scene->name; scene++)
		if (!err && !is_interrupted && (!name || strcmp(scene->name, name) == 0))
			err = play(&demo, scene);
	explain_lab_close(&demo.lab);
	if (!name && !err && !is_interrupted)
		conclude(&demo);
out:
	trace_names_free(demo.names);
	return is_interrupted ? 0 : err;
}
