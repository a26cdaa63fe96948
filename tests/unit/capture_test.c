/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a packet that somebody has to a packet of the file: filter, order, link header, comment, and what is lost. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/pcapng_walk.h"

#include "capture.h"
#include "capture_comment.h"
#include "capture_filter.h"
#include "clock.h"
#include "log.h"
#include "segment.h"

#define V4_REMOTE "10.0.0.1:50814"
#define V4_LOCAL "10.0.0.2:34567"
#define V6_REMOTE "[fd00::1]:50814"
#define V6_LOCAL "[fd00::2]:34567"
#define ETHERNET_LEN 14
#define DEADLINE_NS (10 * CLOCK_NS_PER_S)

static char folder[] = "/tmp/nolisten-capture-XXXXXX";
static char path[64];
static struct capture *capture;
static uint8_t bytes[128];

static int make_folder(void **state)
{
	(void)state;
	log_open("capture_test", LOG_ERROR);
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int remove_file(void **state)
{
	(void)state;
	capture_free(capture);
	capture = NULL;
	unlink(path);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static struct capture_config config;

static int try_open(bool is_ethernet)
{
	const struct capture_options options = {
		.config = &config,
		.ifname = "eth0",
		.is_ethernet = is_ethernet,
		.source = {.fd = -1},
	};

	config.path = path;
	return capture_new(&capture, &options);
}

static void open_capture(const struct capture_config *wanted, bool is_ethernet)
{
	config = *wanted;
	assert_int_equal(try_open(is_ethernet), 0);
}

static struct walked close_capture(void)
{
	capture_free(capture);
	capture = NULL;
	return walk_file(path);
}

/* An IP packet, from source to destination. */
static struct captured packet_of(const char *source, const char *destination, uint64_t taken_ns)
{
	struct segment segment = {.flags = TCP_SYN, .window = 500};

	assert_true(endpoint_parse(source, &segment.tuple.local));
	assert_true(endpoint_parse(destination, &segment.tuple.remote));
	return (struct captured){
		.taken_ns = taken_ns,
		.verdict = NOL_CAPTURE_HELD,
		.reason = NOL_CAPTURE_REASON(held_syn),
		.method = NOL_METHOD_ENGINE,
		.is_l3 = true,
		.frame = bytes,
		.snap_len = (uint32_t)segment_build(&segment, bytes, sizeof(bytes)),
		.frame_len = 40,
	};
}

static void add_packet(const char *source, const char *destination, uint64_t taken_ns)
{
	const struct captured packet = packet_of(source, destination, taken_ns);

	capture_add(capture, &packet);
}

/* What is still to come is not written before the end, so that all of it is in one round. */
static void times_are_real_and_in_order(void **state)
{
	static const struct capture_config plain = {0};
	const uint64_t later_ns = clock_monotonic_ns() + 3600 * CLOCK_NS_PER_S;
	struct walked walked;

	(void)state;
	open_capture(&plain, false);
	for (uint64_t i = 0; i < 1000; i++)
		add_packet(V4_REMOTE, V4_LOCAL, later_ns - (i * 7919 % 1000) * 1000);
	walked = close_capture();
	assert_int_equal(walked.packets, 1000);
	assert_int_equal(walked.disorder, 0);
	assert_in_range(clock_realtime_ns() + 3600 * CLOCK_NS_PER_S - walked.last_ns, 0,
			DEADLINE_NS);
	assert_int_equal(walked.link, 101);
	assert_int_equal(walked.lost, 0);
}

static void a_link_header_is_made_where_there_is_none(void **state)
{
	static const struct capture_config plain = {0};
	static const uint8_t addresses[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
	struct captured packet = packet_of(V6_LOCAL, V6_REMOTE, 1);
	struct walked walked;

	(void)state;
	packet.addresses = addresses;
	packet.is_outgoing = true;
	open_capture(&plain, true);
	capture_add(capture, &packet);
	walked = close_capture();
	assert_int_equal(walked.link, 1);
	assert_int_equal(walked.snap_len, ETHERNET_LEN + packet.snap_len);
	assert_memory_equal(walked.frame, addresses, sizeof(addresses));
	assert_memory_equal(walked.frame + 12, "\x86\xdd", 2);
	assert_memory_equal(walked.frame + ETHERNET_LEN, bytes, packet.snap_len);
}

static void packets_are_cut_if_that_is_asked_for(void **state)
{
	static const struct capture_config cut = {.snap_len = 24};
	struct walked walked;

	(void)state;
	open_capture(&cut, false);
	add_packet(V4_REMOTE, V4_LOCAL, 1);
	walked = close_capture();
	assert_int_equal(walked.snap_len, 24);
	assert_int_equal(walked.frame_len, 40);
	assert_non_null(strstr(walked.comment, " community_id=1:"));
}

static void only_verdicts_that_are_asked_for_are_written(void **state)
{
	static const struct capture_config drops = {.what = NOL_CAPTURE_BIT(DROPPED)};

	(void)state;
	open_capture(&drops, false);
	add_packet(V4_REMOTE, V4_LOCAL, 1);
	assert_int_equal(close_capture().packets, 0);
}

static size_t count_through(const char *filter, bool is_ethernet)
{
	const struct capture_config filtered = {.filter = filter};

	open_capture(&filtered, is_ethernet);
	add_packet(V4_REMOTE, V4_LOCAL, 1);
	add_packet(V6_REMOTE, V6_LOCAL, 1);
	return close_capture().packets;
}

static void the_filter_knows_both_link_types(void **state)
{
	(void)state;
	for (int is_ethernet = 0; is_ethernet < 2; is_ethernet++) {
		assert_int_equal(count_through("tcp port 34567", is_ethernet), 2);
		assert_int_equal(count_through("net 10.0.0.0/8", is_ethernet), 1);
		assert_int_equal(count_through("ip6 host fd00::1", is_ethernet), 1);
		assert_int_equal(count_through("tcp[tcpflags] & tcp-rst != 0", is_ethernet), 0);
	}
}

static void what_the_filter_leaves_out_is_counted(void **state)
{
	static const struct capture_config filtered = {.filter = "ip"};
	struct capture_stats stats = {0};
	const uint64_t begin_ns = clock_monotonic_ns();

	(void)state;
	open_capture(&filtered, false);
	add_packet(V4_REMOTE, V4_LOCAL, 1);
	add_packet(V6_REMOTE, V6_LOCAL, 1);
	while (stats.written + stats.filtered < 2) {
		assert_true(clock_monotonic_ns() - begin_ns < DEADLINE_NS);
		poll(NULL, 0, 5);
		capture_read(capture, &stats);
	}
	assert_int_equal(stats.written, 1);
	assert_int_equal(stats.filtered, 1);
	assert_int_equal(stats.lost, 0);
}

static void a_filter_that_is_none_is_explained(void **state)
{
	char why[CAPTURE_FILTER_WHY];

	(void)state;
	assert_true(capture_filter_check("tcp", why));
	assert_true(capture_filter_check("", why));
	assert_true(capture_filter_check("ether host 02:00:00:00:00:01", why));
	assert_false(capture_filter_check("tcp[", why));
	assert_non_null(strstr(why, "syntax error"));
	assert_null(strchr(why, '\n'));
}

static void a_filter_for_another_link_type_is_an_error(void **state)
{
	(void)state;
	config = (struct capture_config){.filter = "ether host 02:00:00:00:00:01"};
	assert_int_not_equal(try_open(false), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(try_open(true), 0);
}

/* More than there is room for at once, and nobody reads: the rest is lost, and who has packets is not kept waiting. */
static void what_nobody_reads_is_lost_and_counted(void **state)
{
	static const struct capture_config plain = {0};
	struct captured packet = packet_of(V4_REMOTE, V4_LOCAL, 1);
	static uint8_t frame[60000];
	const uint64_t begin_ns = clock_monotonic_ns();
	struct capture_stats stats;
	int fd;

	(void)state;
	memcpy(frame, bytes, packet.snap_len);
	packet.frame = frame;
	packet.snap_len = packet.frame_len = sizeof(frame);
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	open_capture(&plain, false);
	for (size_t i = 0; i < 4 * CAPTURE_BUFFER_SIZE / sizeof(frame); i++)
		capture_add(capture, &packet);
	assert_true(clock_monotonic_ns() - begin_ns < DEADLINE_NS);
	capture_read(capture, &stats);
	assert_int_equal(stats.written, 0);
	assert_true(stats.lost > 0);
	close(fd); /* so that the end does not wait for it */
}

static void a_renamed_file_is_followed_by_another(void **state)
{
	static const struct capture_config plain = {0};
	const uint64_t begin_ns = clock_monotonic_ns();
	char renamed[sizeof(path) + 4];

	(void)state;
	assert_false(capture_reopen(NULL));
	open_capture(&plain, false);
	add_packet(V4_REMOTE, V4_LOCAL, 1);
	snprintf(renamed, sizeof(renamed), "%s.old", path);
	assert_int_equal(rename(path, renamed), 0);
	assert_true(capture_reopen(capture));
	while (access(path, F_OK)) {
		assert_true(clock_monotonic_ns() - begin_ns < DEADLINE_NS);
		poll(NULL, 0, 5);
	}
	add_packet(V4_REMOTE, V4_LOCAL, 1);
	assert_in_range(close_capture().packets, 1, 2); /* the first may have been on its way */
	assert_int_equal(walk_file(renamed).statistics, 1);
	unlink(renamed);
}

#define THREADS 4
#define EACH 500

static void *add_many(void *context)
{
	const struct captured *packet = context;

	for (size_t i = 0; i < EACH; i++)
		capture_add(capture, packet);
	return NULL;
}

static void several_threads_share_it(void **state)
{
	static const struct capture_config plain = {0};
	const struct captured packet = packet_of(V4_REMOTE, V4_LOCAL, 1);
	pthread_t threads[THREADS];

	(void)state;
	open_capture(&plain, true);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, (void *)&packet), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(close_capture().packets, THREADS * EACH);
}

static void comment_of(const struct captured *packet, char out[CAPTURE_COMMENT_SIZE])
{
	capture_comment_build(packet, false, 0, out);
}

/* Everything up to the ID, which is the same for both directions. */
static void a_comment_has_verdict_reason_method_and_id(void **state)
{
	char in[CAPTURE_COMMENT_SIZE], back[CAPTURE_COMMENT_SIZE], other[CAPTURE_COMMENT_SIZE];
	struct captured packet = packet_of(V4_REMOTE, V4_LOCAL, 1);

	(void)state;
	comment_of(&packet, in);
	assert_memory_equal(in, "verdict=held reason=held_syn method=engine community_id=1:", 58);
	packet = packet_of(V4_LOCAL, V4_REMOTE, 1);
	packet.verdict = NOL_CAPTURE_SENT;
	packet.reason = NOL_CAPTURE_NO_REASON;
	packet.is_outgoing = true;
	comment_of(&packet, back);
	assert_memory_equal(back, "verdict=sent method=engine community_id=1:", 42);
	assert_string_equal(back + 42, in + 58);
	packet = packet_of("10.0.0.1:50815", V4_LOCAL, 1);
	comment_of(&packet, other);
	assert_string_not_equal(other, in);
}

static void what_is_no_tcp_has_no_id(void **state)
{
	char comment[CAPTURE_COMMENT_SIZE];
	struct captured packet = packet_of(V4_REMOTE, V4_LOCAL, 1);

	(void)state;
	bytes[9] = 17;
	comment_of(&packet, comment);
	assert_null(strstr(comment, "community_id"));
	bytes[9] = 6;
	for (packet.snap_len = 0; packet.snap_len < 24; packet.snap_len++) {
		comment_of(&packet, comment);
		assert_null(strstr(comment, "community_id"));
	}
	comment_of(&packet, comment);
	assert_non_null(strstr(comment, "community_id"));
}

static void verdicts_are_words(void **state)
{
	uint32_t bits = 0;

	(void)state;
	assert_true(capture_what_parse("answered,dropped", &bits));
	assert_int_equal(bits, NOL_CAPTURE_BIT(ANSWERED) | NOL_CAPTURE_BIT(DROPPED));
	assert_true(capture_what_parse("all", &bits));
	assert_int_equal(bits, (1u << NOL_CAPTURE_VERDICTS) - 1);
	assert_false(capture_what_parse("", &bits));
	assert_false(capture_what_parse("answere", &bits));
	assert_false(capture_what_parse("answered,,dropped", &bits));
	assert_false(capture_what_parse("answered,", &bits));
}

#define capture_test(f) cmocka_unit_test_teardown(f, remove_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		capture_test(times_are_real_and_in_order),
		capture_test(a_link_header_is_made_where_there_is_none),
		capture_test(packets_are_cut_if_that_is_asked_for),
		capture_test(only_verdicts_that_are_asked_for_are_written),
		capture_test(the_filter_knows_both_link_types),
		capture_test(what_the_filter_leaves_out_is_counted),
		capture_test(a_filter_that_is_none_is_explained),
		capture_test(a_filter_for_another_link_type_is_an_error),
		capture_test(what_nobody_reads_is_lost_and_counted),
		capture_test(a_renamed_file_is_followed_by_another),
		capture_test(several_threads_share_it),
		cmocka_unit_test(a_comment_has_verdict_reason_method_and_id),
		cmocka_unit_test(what_is_no_tcp_has_no_id),
		cmocka_unit_test(verdicts_are_words),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
