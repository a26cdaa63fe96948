/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A thread around a session, and calls into it by an eventfd of its loop. */
#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "icmp_socket.h"
#include "log.h"
#include "service_settings.h"
#include "socket_spec.h"

#define STEADY_SPINS 4

struct call {
	worker_fn fn;
	void *context;
	sem_t done;
};

struct worker {
	struct worker_options options;
	struct loop *loop;
	struct events *events;
	struct wire *wire;
	struct socket_maker *maker;
	struct service *service;
	struct session *session;
	struct icmp_sockets *icmp;

	pthread_t thread;
	bool has_thread;
	bool is_ended; /* the thread's */
	int err; /* atomic */
	int call_fd;
	struct call *call; /* atomic; at most one at a time */
	struct loop_source *call_source;
};

static void take_call(struct worker *worker)
{
	eventfd_t count;
	struct call *call;

	if (eventfd_read(worker->call_fd, &count))
		return;
	call = __atomic_exchange_n(&worker->call, NULL, __ATOMIC_ACQUIRE);
	if (!call)
		return;
	call->fn(worker, call->context);
	sem_post(&call->done);
}

static void read_call(void *context, uint32_t events)
{
	(void)events;
	take_call(context);
}

void worker_call(struct worker *worker, worker_fn fn, void *context)
{
	struct call call = {.fn = fn, .context = context};

	if (!worker->has_thread) {
		fn(worker, context);
		return;
	}
	sem_init(&call.done, 0, 0);
	__atomic_store_n(&worker->call, &call, __ATOMIC_RELEASE);
	eventfd_write(worker->call_fd, 1);
	while (sem_wait(&call.done) && errno == EINTR)
		;
	sem_destroy(&call.done);
}

/* A session that cannot go on is the main thread's to end: until then its calls are answered. */
static void *run_thread(void *context)
{
	struct worker *worker = context;
	int err = session_run(worker->session);

	if (err) {
		__atomic_store_n(&worker->err, err, __ATOMIC_RELEASE);
		eventfd_write(worker->options.failed_fd, 1);
	}
	while (!worker->is_ended)
		take_call(worker);
	return NULL;
}

int worker_start(struct worker *worker)
{
	char name[16];
	int err = -pthread_create(&worker->thread, NULL, run_thread, worker);

	if (err) {
		log_error("cannot start worker %u: %s", worker->options.number, strerror(-err));
		return err;
	}
	worker->has_thread = true;
	snprintf(name, sizeof(name), "worker-%u", (uint8_t)worker->options.number);
	pthread_setname_np(worker->thread, name);
	return 0;
}

int worker_error(const struct worker *worker)
{
	return __atomic_load_n(&worker->err, __ATOMIC_ACQUIRE);
}

static int open_loop(struct worker *worker)
{
	const struct worker_options *options = &worker->options;
	int err;

	if (options->is_alone) {
		worker->loop = options->loop;
		worker->events = options->events;
		return 0;
	}
	err = loop_new(&worker->loop);
	if (!err)
		err = events_join(&worker->events, options->events);
	if (err)
		return err;
	worker->call_fd = eventfd(0, EFD_CLOEXEC);
	if (worker->call_fd < 0)
		return -errno;
	return loop_add(worker->loop, worker->call_fd, EPOLLIN, read_call, worker,
			&worker->call_source);
}

/* Where no flow table and no sock_diag tell of a connection's end, its service does. */
static void tell_closed(void *context, const struct tuple *tuple, uint64_t flow_ns)
{
	struct worker *worker = context;

	session_closed(worker->session, tuple, flow_ns);
}

static void tell_news(void *context, const struct service_news *news)
{
	static const enum event_kind kinds[] = {
		[SERVICE_PAYLOAD] = EVENT_PAYLOAD,
		[SERVICE_NO_TARGET] = EVENT_RESET,
	};
	struct worker *worker = context;
	const struct event event = {
		.kind = kinds[news->kind],
		.tuple = news->tuple,
		.created_ns = news->flow_ns,
		.method = news->method,
		.rtt_us = -1,
		.handoff_us = -1,
		.reason = news->kind == SERVICE_NO_TARGET ? "no_target" : news->reason,
	};

	if (news->kind == SERVICE_PAYLOAD)
		events_payload(worker->events, &event, news->payload, news->payload_len);
	else
		events_emit(worker->events, &event);
}

static int open_service(struct worker *worker)
{
	const struct config *config = worker->options.config;
	struct service_options options = service_settings(config);
	const char *error;
	int err;

	options.children = worker->options.children;
	options.closed = method_accepts(config->method) ? tell_closed : NULL;
	options.tell = tell_news;
	options.apart_fd = worker->options.apart_fd;
	options.context = worker;
	err = service_new(&worker->service, config->service, &options, worker->loop, &error);

	if (err == -EINVAL)
		log_error("--service: '%s': %s", config->service, error);
	else if (err)
		log_error("cannot start the service: %s", strerror(-err));
	return err;
}

/* Another process that is to have the connection may wait for this very CPU. */
static bool serves_elsewhere(const struct worker_options *options)
{
	struct socket_spec applications;

	return options->apart_fd || socket_spec_of_service(options->config->service, &applications);
}

static int open_session(struct worker *worker)
{
	const struct worker_options *options = &worker->options;
	const uint64_t spin_ns = options->config->spin_us * CLOCK_NS_PER_US;
	const struct session_options session = {
		.loop = worker->loop,
		.wire = worker->wire,
		.flows = options->method->flows,
		.maker = worker->maker,
		.service = worker->service,
		.events = worker->events,
		.closing = options->closing,
		.engine = options->engine,
		.is_first = !options->number,
		.spin_ns = spin_ns,
		.steady_spin_ns = spin_ns * (serves_elsewhere(options) ? 1 : STEADY_SPINS),
	};

	return session_new(&worker->session, &session);
}

static void take_icmp_error(void *context, const struct icmp_error *error)
{
	struct worker *worker = context;

	session_take_icmp_error(worker->session, error);
}

/* Each worker hears of all, and knows its own flows. */
static int open_icmp(struct worker *worker)
{
	int err = icmp_sockets_new(&worker->icmp, worker->loop, take_icmp_error, worker);

	if (err)
		log_error("cannot listen to ICMP errors: %s", strerror(-err));
	return err;
}

static int open_all(struct worker *worker)
{
	struct method *method = worker->options.method;
	int err = open_loop(worker);

	if (err) {
		log_error("cannot make an event loop: %s", strerror(-err));
		return err;
	}
	err = method_open_wire(method, worker->options.number, &worker->wire);
	if (!err)
		err = method_open_maker(method, worker->wire, &worker->maker);
	if (!err)
		err = open_service(worker);
	if (!err)
		err = open_session(worker);
	return err ?: open_icmp(worker);
}

int worker_new(struct worker **out, const struct worker_options *options)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int err;

	if (!worker)
		return -ENOMEM;
	worker->options = *options;
	worker->call_fd = -1;
	err = open_all(worker);
	if (err)
		worker_free(worker);
	else
		*out = worker;
	return err;
}

static void end_thread(struct worker *worker, void *context)
{
	(void)context;
	session_stop(worker->session);
	worker->is_ended = true;
}

static void free_loop(struct worker *worker)
{
	if (worker->options.is_alone)
		return;
	loop_remove(worker->call_source);
	if (worker->call_fd >= 0)
		close(worker->call_fd);
	events_free(worker->events);
	loop_free(worker->loop);
}

void worker_free(struct worker *worker)
{
	if (!worker)
		return;
	if (worker->has_thread) {
		worker_call(worker, end_thread, NULL);
		pthread_join(worker->thread, NULL);
	}
	icmp_sockets_free(worker->icmp);
	service_free(worker->service);
	session_free(worker->session);
	socket_maker_free(worker->maker);
	wire_free(worker->wire);
	free_loop(worker);
	free(worker);
}

struct session *worker_session(struct worker *worker)
{
	return worker->session;
}

void worker_set_mtu(struct worker *worker, uint32_t mtu)
{
	worker->wire->ops->set_mtu(worker->wire, mtu);
}

struct service *worker_service(struct worker *worker)
{
	return worker->service;
}
