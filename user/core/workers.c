/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* As many workers as the options say, and their sums. */
#include "workers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "log.h"
#include "methods.h"
#include "passing.h"
#include "worker.h"

struct workers {
	struct workers_options options;
	struct worker *all[NOL_WORKERS_MAX];
	uint32_t count;
	uint32_t children; /* atomic: exec's, of all services */
	int failed_fd;
	struct loop_source *failed_source;
	bool is_stopping;
	bool has_left; /* nothing is held any more */
};

uint32_t workers_count(const struct workers *workers)
{
	return workers->count;
}

void workers_call(struct workers *workers, worker_fn fn, void *context)
{
	for (uint32_t i = 0; i < workers->count; i++)
		worker_call(workers->all[i], fn, context);
}

/* The main thread hears of it and ends. */
static void take_failure(void *context, uint32_t events)
{
	struct workers *workers = context;

	(void)events;
	workers->is_stopping = true;
}

static int open_failed(struct workers *workers)
{
	workers->failed_fd = eventfd(0, EFD_CLOEXEC);
	if (workers->failed_fd < 0)
		return -errno;
	return loop_add(workers->options.loop, workers->failed_fd, EPOLLIN, take_failure, workers,
			&workers->failed_source);
}

static int add_worker(struct workers *workers, uint32_t number, uint32_t count)
{
	const struct workers_options *all = &workers->options;
	struct worker_options options = {
		.number = number,
		.is_alone = count == 1,
		.config = all->config,
		.method = all->method,
		.loop = all->loop,
		.events = all->events,
		.closing = all->closing,
		.engine = *all->engine,
		.children = count > 1 ? &workers->children : NULL,
		.failed_fd = workers->failed_fd,
		.apart_fd = all->apart_fds ? all->apart_fds[number] : 0,
	};
	/* Half-open flows are bounded by the flow table, which all share; so is what limits RSTs. */
	int err = worker_new(&workers->all[number], &options);
	if (!err)
		workers->count++;
	return err;
}

int workers_new(struct workers **out, const struct workers_options *options)
{
	struct workers *workers = calloc(1, sizeof(*workers));
	const uint32_t count = options->config->workers;
	int err;

	if (!workers)
		return -ENOMEM;
	workers->options = *options;
	err = open_failed(workers);
	if (err)
		log_error("cannot watch the workers: %s", strerror(-err));
	for (uint32_t i = 0; i < count && !err; i++)
		err = add_worker(workers, i, count);
	if (err)
		workers_free(workers);
	else
		*out = workers;
	return err;
}

void workers_free(struct workers *workers)
{
	if (!workers)
		return;
	for (uint32_t i = 0; i < workers->count; i++)
		worker_free(workers->all[i]);
	loop_remove(workers->failed_source);
	if (workers->failed_fd >= 0)
		close(workers->failed_fd);
	free(workers);
}

static void stop_session(struct worker *worker, void *context)
{
	(void)context;
	session_stop(worker_session(worker));
}

void workers_stop(struct workers *workers)
{
	workers->is_stopping = true;
	/* Those with a thread serve what is left until they are freed. */
	if (workers->count == 1)
		worker_call(workers->all[0], stop_session, NULL);
}

static int first_error(const struct workers *workers)
{
	int err = 0;

	for (uint32_t i = 0; i < workers->count && !err; i++)
		err = worker_error(workers->all[i]);
	return err;
}

static int run_loop(struct workers *workers)
{
	int err = 0;

	while (!workers->is_stopping && err >= 0) {
		err = loop_wait(workers->options.loop, -1);
		events_flush(workers->options.events);
	}
	return err < 0 ? err : first_error(workers);
}

int workers_start(struct workers *workers)
{
	int err = 0;

	for (uint32_t i = 0; workers->count > 1 && i < workers->count && !err; i++)
		err = worker_start(workers->all[i]);
	return err;
}

int workers_run(struct workers *workers)
{
	if (workers->count == 1)
		return session_run(worker_session(workers->all[0]));
	return run_loop(workers);
}

static void drain(struct worker *worker, void *context)
{
	(void)context;
	session_drain(worker_session(worker));
}

void workers_drain(struct workers *workers)
{
	workers_call(workers, drain, NULL);
}

static void let_go(struct worker *worker, void *context)
{
	session_let_go(worker_session(worker), *(const uint64_t *)context);
}

void workers_let_go(struct workers *workers, uint64_t end_ns)
{
	workers_call(workers, let_go, &end_ns);
}

static void leave(struct worker *worker, void *context)
{
	(void)context;
	session_leave(worker_session(worker));
}

void workers_leave(struct workers *workers)
{
	workers_call(workers, leave, NULL);
	workers->has_left = true;
}

static void set_session(struct worker *worker, void *context)
{
	session_set(worker_session(worker), context);
}

void workers_set(struct workers *workers, const struct engine_settings *settings)
{
	struct engine_settings copy = *settings;

	workers_call(workers, set_session, &copy);
}

static void set_mtu(struct worker *worker, void *context)
{
	worker_set_mtu(worker, *(const uint32_t *)context);
}

void workers_set_mtu(struct workers *workers, uint32_t mtu)
{
	workers_call(workers, set_mtu, &mtu);
}

static void read_counts(struct worker *worker, void *context)
{
	const struct service *service = worker_service(worker);

	*(struct worker_counts *)context = (struct worker_counts){
		.session = *session_stats(worker_session(worker)),
		.half_open = session_half_open(worker_session(worker)),
		.connections = service_active(service),
		.refused = service_refused(service),
	};
	passing_read(service, &((struct worker_counts *)context)->passing);
	service_read_stats(service, &((struct worker_counts *)context)->service);
}

static void add_session(struct session_stats *sum, const struct session_stats *one)
{
#define ADD(name, text) sum->name += one->name;
	SESSION_STATS(ADD)
#undef ADD
	for (size_t i = 0; i < ENGINE_REASON_COUNT; i++)
		sum->reasons[i] += one->reasons[i];
	times_unite(&sum->handshake, &one->handshake);
	times_unite(&sum->handoff, &one->handoff);
}

static void add_passing(struct passing_stats *sum, const struct passing_stats *one)
{
#define ADD(name, text) sum->name += one->name;
	PASSING_STATS(ADD)
#undef ADD
}

static void add_service(struct service_stats *sum, const struct service_stats *one)
{
#define ADD(name, text) sum->name += one->name;
	SERVICE_STATS(ADD)
#undef ADD
}

void workers_read(struct workers *workers, struct worker_counts *each, struct worker_counts *sum)
{
	struct worker_counts one;

	*sum = (struct worker_counts){0};
	for (uint32_t i = 0; i < workers->count; i++) {
		worker_call(workers->all[i], read_counts, &one);
		if (each)
			each[i] = one;
		add_session(&sum->session, &one.session);
		add_passing(&sum->passing, &one.passing);
		add_service(&sum->service, &one.service);
		sum->half_open += one.half_open;
		sum->connections += one.connections;
		sum->refused += one.refused;
	}
	/* Of a tarpit, in whichever session they have ended; they are nobody's once we leave. */
	if (!workers->has_left)
		sum->connections += sum->session.tarpit_held - sum->session.tarpit_ended;
	/* Where the kernel makes the sockets, the sessions have counted. */
	if (workers->options.closing && !method_accepts(workers->options.config->method)) {
		sum->session.closed = closing_count(workers->options.closing);
		sum->session.closed_unheard = closing_unheard(workers->options.closing);
	}
}

struct visit {
	flow_fn fn;
	void *context;
	int count;
	bool is_over;
};

static bool visit_connection(void *context, const struct tuple *tuple, uint64_t created_ns)
{
	struct visit *visit = context;
	const struct nol_flow flow = {
		.state = NOL_FLOW_HANDED_OFF,
		.created_ns = created_ns,
		.method = NOL_METHOD_ACCEPT,
	};

	visit->count++;
	visit->is_over = !visit->fn(visit->context, tuple, &flow);
	return !visit->is_over;
}

static void visit_worker(struct worker *worker, void *context)
{
	service_visit(worker_service(worker), visit_connection, context);
}

int workers_visit(struct workers *workers, flow_fn fn, void *context)
{
	struct visit visit = {.fn = fn, .context = context};

	for (uint32_t i = 0; i < workers->count && !visit.is_over; i++)
		worker_call(workers->all[i], visit_worker, &visit);
	return visit.count;
}

uint64_t workers_connections(struct workers *workers)
{
	struct worker_counts sum;

	workers_read(workers, NULL, &sum);
	return sum.connections;
}
