/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The thread: every so often, or when much has come, all that there is goes through the filter and to the file. */
#include "capture.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "capture_comment.h"
#include "capture_file.h"
#include "capture_filter.h"
#include "capture_queue.h"
#include "clock.h"
#include "confine.h"
#include "log.h"
#include "pcapng.h"

#define APPLICATION "nolisten"
#define PERIOD_MS 50
#define LATE_NS (20 * CLOCK_NS_PER_MS) /* in coming: a worker has to get to it */
#define QUIET_NS CLOCK_NS_PER_S /* without a failure, and packets are captured again */
#define TAKEN_AT_ONCE 64
#define BLOCKS_SIZE (256u << 10) /* of the file: more than the longest packet */
#define HEAD_SIZE (1u << 17) /* the filter may have 64 KB */

struct capture {
	struct capture_options options;
	uint32_t what;
	uint32_t snap_len;
	struct capture_queue *queue;
	struct capture_filter *filter; /* NULL: everything */
	struct capture_file *file;
	int wake_fd, epoll_fd;
	pthread_t thread;
	bool has_thread;
	bool is_stopping, is_to_reopen; /* atomic */
	uint64_t crowded; /* atomic: packets that the queue had no room for */
	bool is_crowd_reported; /* by capture_beat() */

	/* The thread's. */
	uint8_t *blocks;
	size_t blocks_len;
	uint64_t pending; /* packets in there */
	uint64_t offset_ns; /* from CLOCK_MONOTONIC to CLOCK_REALTIME */
	uint64_t started_ns;
	uint64_t lost_told; /* in the comments of packets */
	int err; /* why packets cannot be written now, as it was said; 0: they can */
	uint64_t failed_ns; /* the last time */

	pthread_mutex_t lock; /* of stats, which the thread alone changes */
	struct capture_stats stats;
};

bool capture_wants(const struct capture *capture, enum nol_capture_verdict verdict)
{
	return capture && capture->what >> verdict & 1;
}

static void wake(struct capture *capture)
{
	eventfd_write(capture->wake_fd, 1);
}

void capture_add(struct capture *capture, const struct captured *packet)
{
	const bool is_ethernet = capture->options.is_ethernet;
	struct captured cut = *packet;
	bool is_half;

	if (!capture_wants(capture, packet->verdict))
		return;
	cut.is_l3 = packet->is_l3 && is_ethernet;
	if (capture->snap_len && cut.snap_len > capture->snap_len)
		cut.snap_len = capture->snap_len;
	if (!capture_queue_add(capture->queue, &cut, &is_half))
		__atomic_add_fetch(&capture->crowded, 1, __ATOMIC_RELAXED);
	else if (is_half)
		wake(capture);
}

bool capture_reopen(struct capture *capture)
{
	if (!capture || !strcmp(capture->options.config->path, "-"))
		return false;
	__atomic_store_n(&capture->is_to_reopen, true, __ATOMIC_RELEASE);
	wake(capture);
	return true;
}

static uint64_t lost_in_kernel(const struct capture *capture)
{
	const struct capture_source *source = &capture->options.source;

	return source->fd < 0 ? 0 : source->lost(source->context);
}

static uint64_t count_crowded(const struct capture *capture)
{
	return __atomic_load_n(&capture->crowded, __ATOMIC_RELAXED) + lost_in_kernel(capture);
}

void capture_beat(struct capture *capture)
{
	if (!capture || capture->is_crowd_reported || !count_crowded(capture))
		return;
	log_warning("%s: packets are not captured: they come faster than they are written",
		    capture_file_name(capture->file));
	capture->is_crowd_reported = true;
}

/* What could not be written is in stats, what had no room is not. */
void capture_read(struct capture *capture, struct capture_stats *out)
{
	*out = (struct capture_stats){0};
	if (!capture)
		return;
	pthread_mutex_lock(&capture->lock);
	*out = capture->stats;
	pthread_mutex_unlock(&capture->lock);
	out->lost += count_crowded(capture);
}

static void count(struct capture *capture, uint64_t *counter, uint64_t by)
{
	pthread_mutex_lock(&capture->lock);
	*counter += by;
	pthread_mutex_unlock(&capture->lock);
}

/* On a full disk there may be room for a few packets now and then: that is not said each time. */
static bool is_news(struct capture *capture, int err)
{
	const uint64_t now_ns = clock_monotonic_ns();

	if (!err)
		return capture->err && now_ns - capture->failed_ns > QUIET_NS;
	capture->failed_ns = now_ns;
	return err != capture->err;
}

static void report(struct capture *capture, int err)
{
	const char *name = capture_file_name(capture->file);

	if (!is_news(capture, err))
		return;
	if (err == -EPIPE)
		log_warning("%s: nothing is captured any more: nobody reads it", name);
	else if (err == -ECANCELED)
		log_warning("%s: the last packets are lost: the reader is too slow", name);
	else if (err)
		log_warning("%s: packets are not captured: %s", name, strerror(-err));
	else
		log_info("%s: packets are captured again", name);
	capture->err = err;
}

static void flush(struct capture *capture)
{
	int err;

	if (!capture->blocks_len)
		return;
	err = capture_file_write(capture->file, capture->blocks, capture->blocks_len);
	report(capture, err);
	count(capture, err ? &capture->stats.lost : &capture->stats.written, capture->pending);
	capture->blocks_len = 0;
	capture->pending = 0;
}

static void write_packet(void *context, const struct captured *packet)
{
	struct capture *capture = context;
	char comment[CAPTURE_COMMENT_SIZE];
	struct pcapng_packet block = {
		.time_ns = packet->taken_ns + capture->offset_ns,
		.frame = packet->frame,
		.snap_len = packet->snap_len,
		.frame_len = packet->frame_len,
		.is_outgoing = packet->is_outgoing,
		.comment = comment,
	};
	struct capture_stats stats;

	if (capture->filter && !capture_filter_takes(capture->filter, packet->frame,
						     packet->snap_len, packet->frame_len)) {
		count(capture, &capture->stats.filtered, 1);
		return;
	}
	if (BLOCKS_SIZE - capture->blocks_len <
	    packet->snap_len + PCAPNG_BLOCK_MAX + CAPTURE_COMMENT_SIZE)
		flush(capture);
	if (!capture->pending) {
		capture_read(capture, &stats);
		block.lost = stats.lost - capture->lost_told;
		capture->lost_told = stats.lost;
	}
	capture_comment_build(packet, capture->options.is_ethernet,
			      capture->options.community_id_seed, comment);
	capture->blocks_len += pcapng_build_packet(capture->blocks + capture->blocks_len,
						   BLOCKS_SIZE - capture->blocks_len, &block);
	capture->pending++;
}

/* Half a queue at a time, so that there is room for those who leave theirs. True: there may be more. */
static bool take_from_source(struct capture *capture)
{
	const struct capture_source *source = &capture->options.source;

	while (source->fd >= 0 && capture_queue_has_room(capture->queue)) {
		if (source->take(source->context, capture, TAKEN_AT_ONCE) < TAKEN_AT_ONCE)
			return false;
	}
	return source->fd >= 0;
}

/* What happened until then. True: there may be more. */
static bool write_until(struct capture *capture, uint64_t until_ns)
{
	bool has_more;

	if (__atomic_exchange_n(&capture->is_to_reopen, false, __ATOMIC_ACQUIRE))
		capture_file_reopen(capture->file);
	has_more = take_from_source(capture);
	capture->offset_ns = clock_realtime_ns() - clock_monotonic_ns();
	capture_queue_take(capture->queue, until_ns, write_packet, capture);
	flush(capture);
	return has_more;
}

static void await(const struct capture *capture)
{
	struct epoll_event events[2];

	epoll_wait(capture->epoll_fd, events, 2, PERIOD_MS);
}

/* By edges: what is waiting anyway wakes nobody, but the word that there is much of it does. */
static int watch(const struct capture *capture, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	if (fd < 0)
		return 0;
	return epoll_ctl(capture->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_wake(struct capture *capture)
{
	capture->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	capture->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (capture->wake_fd < 0 || capture->epoll_fd < 0)
		return -errno;
	return watch(capture, capture->wake_fd) ?: watch(capture, capture->options.source.fd);
}

static void *run_thread(void *context)
{
	struct capture *capture = context;
	uint64_t rest = CAPTURE_BUFFER_SIZE / sizeof(struct nol_capture);

	if (!capture->options.keeps_capabilities)
		confine_thread();
	while (!__atomic_load_n(&capture->is_stopping, __ATOMIC_ACQUIRE)) {
		if (!write_until(capture, clock_monotonic_ns() - LATE_NS))
			await(capture);
	}
	/* What is still to come is bounded: nothing is attached any more. */
	while (write_until(capture, UINT64_MAX) && rest--)
		;
	return NULL;
}

/* Signals are for the main thread. */
static int start_thread(struct capture *capture)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	sigdelset(&all, SIGSYS); /* a call that is refused ends in the thread that has made it */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = -pthread_create(&capture->thread, NULL, run_thread, capture);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	capture->has_thread = !err;
	if (err)
		log_error("cannot start the thread of --pcap: %s", strerror(-err));
	else
		pthread_setname_np(capture->thread, "capture");
	return err;
}

static size_t build_end(void *context, uint8_t *out, size_t size)
{
	struct capture *capture = context;
	struct pcapng_statistics statistics = {
		.started_ns = capture->started_ns,
		.ended_ns = clock_realtime_ns(),
	};
	struct capture_stats stats;

	capture_read(capture, &stats);
	statistics.written = stats.written;
	statistics.lost = stats.lost;
	statistics.accepted = stats.written + stats.lost;
	statistics.received = statistics.accepted + stats.filtered;
	return pcapng_build_statistics(out, size, &statistics);
}

static int open_file(struct capture *capture)
{
	const struct capture_config *config = capture->options.config;
	const struct pcapng_interface interface = {
		.link = capture->options.is_ethernet ? PCAPNG_LINK_ETHERNET : PCAPNG_LINK_RAW,
		.name = capture->options.ifname,
		.filter = config->filter,
		.snap_len = config->snap_len,
	};
	static uint8_t head[HEAD_SIZE]; /* copied at once */
	size_t section = pcapng_build_section(head, sizeof(head), APPLICATION);
	const struct capture_file_options file = {
		.path = config->path,
		.size = (uint64_t)config->size_mib << 20,
		.count = config->files ?: CAPTURE_FILES,
		.head = head,
		.head_len = section + pcapng_build_interface(head + section, sizeof(head) - section,
							     &interface),
		.end = build_end,
		.context = capture,
	};

	return capture_file_open(&capture->file, &file);
}

static int open_filter(struct capture *capture)
{
	const char *expression = capture->options.config->filter;
	char why[CAPTURE_FILTER_WHY];
	int err;

	if (!expression)
		return 0;
	err = capture_filter_new(
		&capture->filter, expression,
		capture->options.is_ethernet ? PCAPNG_LINK_ETHERNET : PCAPNG_LINK_RAW, why);
	if (err)
		log_error("--pcap-filter: '%s': on %s: %s", expression, capture->options.ifname,
			  why);
	return err;
}

static int open_all(struct capture *capture)
{
	int err = open_filter(capture);

	if (err)
		return err;
	capture->blocks = malloc(BLOCKS_SIZE);
	err = capture->blocks ? capture_queue_new(&capture->queue, CAPTURE_BUFFER_SIZE) : -ENOMEM;
	if (!err)
		err = open_wake(capture);
	if (err)
		log_error("%s: cannot capture: %s", capture->options.ifname, strerror(-err));
	else
		err = open_file(capture);
	return err ?: start_thread(capture);
}

int capture_new(struct capture **out, const struct capture_options *options)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int err;

	if (!capture)
		return -ENOMEM;
	signal(SIGPIPE, SIG_IGN);
	capture->options = *options;
	capture->what = options->config->what ?: CAPTURE_WHAT;
	capture->snap_len = options->config->snap_len;
	capture->started_ns = clock_realtime_ns();
	capture->wake_fd = capture->epoll_fd = -1;
	pthread_mutex_init(&capture->lock, NULL);
	err = open_all(capture);
	if (err)
		capture_free(capture);
	else
		*out = capture;
	return err;
}

static void end_thread(struct capture *capture)
{
	struct capture_stats stats;

	__atomic_store_n(&capture->is_stopping, true, __ATOMIC_RELEASE);
	capture_file_stop(capture->file);
	wake(capture);
	pthread_join(capture->thread, NULL);
	capture_read(capture, &stats);
	if (stats.written || stats.lost)
		log_info("%s: %" PRIu64 " packets captured, %" PRIu64 " lost",
			 capture_file_name(capture->file), stats.written, stats.lost);
}

void capture_free(struct capture *capture)
{
	if (!capture)
		return;
	if (capture->has_thread)
		end_thread(capture);
	capture_file_free(capture->file);
	capture_filter_free(capture->filter);
	capture_queue_free(capture->queue);
	if (capture->wake_fd >= 0)
		close(capture->wake_fd);
	if (capture->epoll_fd >= 0)
		close(capture->epoll_fd);
	free(capture->blocks);
	pthread_mutex_destroy(&capture->lock);
	free(capture);
}
