/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A failure is an end that nobody asked for, with an exit status that is not 0, or before COMMAND has listened at all, or soon after its
 * start. Each in a row doubles the time to the next start. After FAILURES_MAX those who wait get a RST, and so they do after each further
 * one; a command that is restarted and waits for nobody is given up.
 */
#include "life.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "life_watch.h"
#include "log.h"

#define FAILURES_MAX 5
#define DELAY_FIRST_MS 100
#define DELAY_MAX_MS 30000
#define SOON_MS 10000 /* after its start; who has lived longer has not failed to start */
#define LISTEN_MS 30000 /* COMMAND has to listen by then */
#define SETTLE_MS 1000 /* then it has bound all that it wants */
#define UNWANTED_MS 30000 /* then it will not have them any more */
#define STOP_MS 10000 /* and to end, once it is told */
#define TICK_MIN_MS 100
#define TICK_MAX_MS 1000
#define KEPT_BACKLOG 65535 /* net.core.somaxconn cuts it */

enum life_state {
	LIFE_NEW,
	LIFE_WAITING,
	LIFE_DELAYED,
	LIFE_RUNNING,
	LIFE_STOPPING,
	LIFE_OVER,
};

struct life {
	struct life_options options;
	struct supervisor *supervisor;
	struct loop *loop;
	struct life_watch *watch;
	enum life_state state;
	bool is_ending; /* with COMMAND, whatever the options say */
	bool starts_again; /* STOPPING: for another one */
	bool has_listened;
	bool is_awaiting; /* as await() was told */
	bool has_come; /* somebody waits since then */
	uint64_t listened_ns; /* when it was seen first */
	uint64_t
		unwanted_ns; /* since when there are listeners that COMMAND, which runs, has not; 0: none */
	uint32_t failures; /* in a row */
	uint64_t started_ns, busy_ns, stopping_ns;
	struct loop_source *tick, *delay;
};

bool life_is_kept(const struct life_options *options)
{
	return options->is_on_demand || options->restart != LIFE_RESTART_NO;
}

static void end(struct life *life, int status)
{
	if (life->state == LIFE_OVER)
		return;
	life->state = LIFE_OVER;
	life->options.over(life->options.context, status);
}

static uint64_t ms_since(uint64_t then_ns)
{
	return (clock_monotonic_ns() - then_ns) / CLOCK_NS_PER_MS;
}

static void say(const struct life *life, const char *what)
{
	if (!life->options.is_quiet)
		log_info("run: '%s' %s", life->options.name, what);
}

static void stop(struct life *life, bool starts_again)
{
	life->state = LIFE_STOPPING;
	life->starts_again = starts_again;
	life->stopping_ns = clock_monotonic_ns();
	supervisor_signal(life->supervisor, life->options.stop_signal);
}

static int await(struct life *life, bool is_on)
{
	if (!life->options.await || life->is_awaiting == is_on)
		return 0;
	life->is_awaiting = is_on;
	life->has_come &= is_on;
	return life->options.await(life->options.context, is_on);
}

static void check_listening(struct life *life)
{
	const struct run_socket *socket = run_sockets_first(supervisor_sockets(life->supervisor));

	while (socket && socket->state != RUN_LISTENING)
		socket = socket->next;
	if (socket && !life->has_listened)
		life->listened_ns = clock_monotonic_ns();
	life->has_listened |= socket != NULL;
	if (life->has_listened && ms_since(life->listened_ns) >= SETTLE_MS)
		await(life, false);
	if (life->has_listened || !life->options.is_on_demand ||
	    ms_since(life->started_ns) < LISTEN_MS)
		return;
	log_warning("run: '%s' has not listened for %d s", life->options.name, LISTEN_MS / 1000);
	stop(life, false);
}

static struct run_socket *find_kept(const struct life *life)
{
	struct run_socket *one = run_sockets_first(supervisor_sockets(life->supervisor));

	while (one && one->state != RUN_KEPT)
		one = one->next;
	return one;
}

/* What COMMAND has closed, or never wanted, and goes on without: nobody is to wait there for ever. */
static void check_unwanted(struct life *life)
{
	struct run_socket *kept = find_kept(life);

	if (!kept || !life->has_listened) {
		life->unwanted_ns = 0;
		return;
	}
	if (!life->unwanted_ns)
		life->unwanted_ns = clock_monotonic_ns();
	while (kept && ms_since(life->unwanted_ns) >= UNWANTED_MS) {
		run_sockets_drop(supervisor_sockets(life->supervisor), kept);
		kept = find_kept(life);
	}
}

static void check_idle(struct life *life)
{
	if (!life->options.is_on_demand || !life->options.idle_s || !life->has_listened)
		return;
	if (life_watch_is_busy(life->watch))
		life->busy_ns = clock_monotonic_ns();
	if (ms_since(life->busy_ns) < life->options.idle_s * 1000)
		return;
	say(life, "has no connections, and is ended");
	stop(life, false);
}

static void tick(void *context, uint32_t events)
{
	struct life *life = context;

	(void)events;
	if (life->state == LIFE_RUNNING)
		check_listening(life);
	if (life->state == LIFE_RUNNING)
		check_unwanted(life);
	if (life->state == LIFE_RUNNING)
		check_idle(life);
	if (life->state != LIFE_STOPPING || ms_since(life->stopping_ns) < STOP_MS)
		return;
	log_warning("run: '%s' has not ended in %d s, it is killed", life->options.name,
		    STOP_MS / 1000);
	life->stopping_ns = clock_monotonic_ns();
	supervisor_signal(life->supervisor, SIGKILL);
}

static void start_again(struct life *life);

/* Ports of which it has had listeners have these. */
static int wait_for_somebody(struct life *life)
{
	int err = await(life, true);

	life->state = LIFE_WAITING;
	life_watch_set(life->watch, true);
	if (!err && life->has_come)
		start_again(life);
	return err;
}

static void fail(struct life *life, int status);

static int start(struct life *life, int *status)
{
	int err;

	life_watch_set(life->watch, false);
	life->has_listened = life->starts_again = false;
	life->state = LIFE_RUNNING;
	life->unwanted_ns = 0;
	life->started_ns = life->busy_ns = clock_monotonic_ns();
	err = supervisor_start(life->supervisor, status);
	if (err)
		life->state = LIFE_NEW;
	return err;
}

static void start_again(struct life *life)
{
	int status = 1;

	if (start(life, &status))
		fail(life, status);
}

static void take_come(void *context)
{
	struct life *life = context;

	if (life->state == LIFE_WAITING)
		start_again(life);
}

void life_take_come(struct life *life)
{
	life->has_come = life->is_awaiting;
	take_come(life);
}

void life_await_again(struct life *life)
{
	if (life->is_awaiting)
		life->options.await(life->options.context, true);
}

static bool is_restarted(const struct life *life, int status)
{
	return life->options.restart == LIFE_RESTART_ALWAYS ||
	       (life->options.restart == LIFE_RESTART_ON_FAILURE && status);
}

static void end_delay(void *context, uint32_t events)
{
	struct life *life = context;

	(void)events;
	loop_remove(life->delay);
	life->delay = NULL;
	if (life->options.is_on_demand)
		wait_for_somebody(life);
	else
		start_again(life);
}

static void reset_waiting(struct life *life)
{
	await(life, false);
	life_watch_reset_waiting(life->watch);
	log_warning("run: '%s' has failed %" PRIu32
		    " times in a row: connections that wait for it are reset",
		    life->options.name, life->failures);
}

/* Nobody asked for its end, and it was not a good one. */
static void fail(struct life *life, int status)
{
	uint64_t delay_ms = DELAY_FIRST_MS;

	for (uint32_t i = 0; i < life->failures && delay_ms < DELAY_MAX_MS; i++)
		delay_ms *= 2;
	if (delay_ms > DELAY_MAX_MS)
		delay_ms = DELAY_MAX_MS;
	if (++life->failures >= FAILURES_MAX) {
		reset_waiting(life);
		if (!life->options.is_on_demand) {
			end(life, status);
			return;
		}
	}
	life->state = LIFE_DELAYED;
	if (loop_add_timer(life->loop, delay_ms, end_delay, life, &life->delay)) {
		log_error("run: cannot wait for the next start");
		end(life, status ? status : 1);
	}
}

static bool has_failed(const struct life *life, int status)
{
	if (status)
		return true;
	return !life->has_listened || (life->options.restart == LIFE_RESTART_ALWAYS &&
				       ms_since(life->started_ns) < SOON_MS);
}

static void go_on(struct life *life, int status)
{
	if (has_failed(life, status)) {
		if (ms_since(life->started_ns) >= SOON_MS)
			life->failures = 0;
		log_warning("run: '%s' has ended, status %d", life->options.name, status);
		fail(life, status);
		return;
	}
	life->failures = 0;
	if (life->options.restart == LIFE_RESTART_ALWAYS)
		start_again(life);
	else
		wait_for_somebody(life);
}

void life_take_end(struct life *life, int status)
{
	const bool was_stopping = life->state == LIFE_STOPPING;

	if (life->has_listened)
		await(life, false);
	if (life->is_ending ||
	    (!life->options.is_on_demand && !life->starts_again && !is_restarted(life, status))) {
		end(life, status);
	} else if (was_stopping && life->starts_again) {
		say(life, "is started again");
		start_again(life);
	} else if (was_stopping && life->has_listened) {
		life->failures = 0;
		wait_for_somebody(life);
	} else {
		go_on(life, status ? status : was_stopping);
	}
}

static bool ends_us(int signal)
{
	return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
}

void life_take_signal(struct life *life, int signal)
{
	if (ends_us(signal)) {
		life->is_ending = true;
		life->starts_again = false;
		if (!supervisor_is_running(life->supervisor))
			end(life, 128 + signal);
	} else if (signal == SIGHUP && life->options.restart != LIFE_RESTART_NO &&
		   life->state == LIFE_RUNNING && !life->is_ending) {
		stop(life, true);
	}
}

/* Those that come while nobody is there may be more than COMMAND has room for. */
bool life_keeps(struct life *life, const struct run_socket *socket)
{
	if (!life || !life_is_kept(&life->options) || life->is_ending)
		return false;
	life->has_listened = true;
	listen(socket->fd, KEPT_BACKLOG);
	return true;
}

static uint64_t tick_ms(const struct life *life)
{
	const uint64_t ms = life->options.idle_s * 1000 / 10;

	if (!ms || ms > TICK_MAX_MS)
		return TICK_MAX_MS;
	return ms < TICK_MIN_MS ? TICK_MIN_MS : ms;
}

int life_new(struct life **out, const struct life_options *options, struct supervisor *supervisor,
	     struct loop *loop)
{
	struct life *life = calloc(1, sizeof(*life));
	int err = life ? 0 : -ENOMEM;

	if (!err) {
		*life = (struct life){.options = *options, .supervisor = supervisor, .loop = loop};
		err = life_watch_new(&life->watch, supervisor_sockets(supervisor), loop, take_come,
				     life);
	}
	if (!err && life_is_kept(options))
		err = loop_add_timer(loop, tick_ms(life), tick, life, &life->tick);
	if (err) {
		log_error("run: %s", strerror(-err));
		life_free(life);
		return err;
	}
	*out = life;
	return 0;
}

void life_free(struct life *life)
{
	if (!life)
		return;
	loop_remove(life->tick);
	loop_remove(life->delay);
	life_watch_free(life->watch);
	free(life);
}

int life_begin(struct life *life, int *status)
{
	if (!life->options.is_on_demand)
		return start(life, status);
	*status = 1;
	if (!wait_for_somebody(life))
		say(life, "is started by the first connection");
	else
		return -EADDRINUSE;
	return 0;
}
