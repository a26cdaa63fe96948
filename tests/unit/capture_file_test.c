/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where captured packets are written: which files there are, what becomes of those that are there, and that each is whole. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/pcapng_walk.h"

#include "capture_file.h"
#include "log.h"
#include "pcapng.h"

static char folder[] = "/tmp/nolisten-capture-XXXXXX";
static char path[64];
static uint8_t head[128], packet[512];
static size_t head_len, packet_len;
static struct capture_file *file;

static size_t build_end(void *context, uint8_t *out, size_t size)
{
	static const struct pcapng_statistics statistics;

	(void)context;
	return pcapng_build_statistics(out, size, &statistics);
}

static struct capture_file_options options_of(uint64_t size, uint32_t count)
{
	return (struct capture_file_options){
		.path = path,
		.size = size,
		.count = count,
		.head = head,
		.head_len = head_len,
		.end = build_end,
	};
}

static int try_open(uint64_t size, uint32_t count)
{
	const struct capture_file_options options = options_of(size, count);

	return capture_file_open(&file, &options);
}

static void close_file(void)
{
	capture_file_free(file);
	file = NULL;
}

static void write_packets(size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(capture_file_write(file, packet, packet_len), 0);
}

static const char *numbered(unsigned int number)
{
	static char name[80];

	snprintf(name, sizeof(name), number ? "%s.%u" : "%s", path, number);
	return name;
}

static bool exists(unsigned int number)
{
	return !access(numbered(number), F_OK);
}

static void write_text(const char *text)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static int make_folder(void **state)
{
	static const uint8_t frame[100];
	static const struct pcapng_interface interface = {.link = PCAPNG_LINK_RAW, .name = "lo"};
	static const struct pcapng_packet one = {
		.frame = frame, .snap_len = 100, .frame_len = 100, .comment = "verdict=held"};

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	log_open("capture_file_test", LOG_ERROR);
	head_len = pcapng_build_section(head, sizeof(head), "test");
	head_len += pcapng_build_interface(head + head_len, sizeof(head) - head_len, &interface);
	packet_len = pcapng_build_packet(packet, sizeof(packet), &one);
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	close_file();
	for (unsigned int i = 0; i < 10; i++)
		unlink(numbered(i));
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void a_file_is_for_its_owner_alone(void **state)
{
	const mode_t mask = umask(0);
	struct stat status;

	(void)state;
	assert_int_equal(try_open(0, 1), 0);
	umask(mask);
	write_packets(3);
	close_file();
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(walk_file(path).packets, 3);
	assert_int_equal(walk_file(path).statistics, 1);
}

/* It may be read while it is written, and after a kill. */
static void a_file_is_whole_at_any_time(void **state)
{
	(void)state;
	assert_int_equal(try_open(0, 1), 0);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(walk_file(path).packets, i);
		write_packets(1);
	}
	assert_int_equal(walk_file(path).statistics, 0);
}

static void an_earlier_capture_is_replaced_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(try_open(0, 1), 0);
	write_packets(5);
	close_file();
	assert_int_equal(try_open(0, 1), 0);
	close_file();
	assert_int_equal(walk_file(path).packets, 0);
	write_text("my letters\n");
	assert_int_equal(try_open(0, 1), -EEXIST);
	assert_int_equal(try_open(1000, 3), -EEXIST);
	assert_true(exists(0) && !exists(1));
	write_text("");
	assert_int_equal(try_open(0, 1), 0);
}

static void two_do_not_write_to_one_file(void **state)
{
	struct capture_file *first;

	(void)state;
	assert_int_equal(try_open(0, 1), 0);
	write_packets(2);
	first = file;
	assert_int_equal(try_open(0, 1), -ETXTBSY);
	assert_int_equal(try_open(1000, 3), -ETXTBSY);
	file = first;
	write_packets(1);
	assert_int_equal(walk_file(path).packets, 3);
}

static void a_link_and_a_folder_are_refused(void **state)
{
	(void)state;
	assert_int_equal(symlink("/tmp/nowhere", path), 0);
	assert_int_equal(try_open(0, 1), -ELOOP);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(try_open(0, 1), -EISDIR);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(try_open(0, 1), -ENXIO);
}

static void the_oldest_of_several_files_goes(void **state)
{
	(void)state;
	/* Two packets fit. */
	assert_int_equal(try_open(head_len + 2 * packet_len, 3), 0);
	write_packets(9);
	assert_int_equal(walk_file(path).packets, 1);
	assert_int_equal(walk_file(numbered(1)).packets, 2);
	assert_int_equal(walk_file(numbered(2)).packets, 2);
	assert_int_equal(walk_file(numbered(2)).statistics, 1);
	assert_false(exists(3));
}

static void one_file_begins_anew(void **state)
{
	(void)state;
	assert_int_equal(try_open(head_len + 2 * packet_len, 1), 0);
	write_packets(5);
	assert_int_equal(walk_file(path).packets, 1);
	assert_false(exists(1));
}

static void a_packet_that_is_longer_than_a_file_gets_one_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(try_open(10, 3), 0);
	write_packets(2);
	assert_int_equal(walk_file(path).packets, 1);
	assert_int_equal(walk_file(numbered(1)).packets, 1);
}

static void several_files_keep_an_earlier_capture(void **state)
{
	(void)state;
	assert_int_equal(try_open(1000, 3), 0);
	write_packets(2);
	close_file();
	assert_int_equal(try_open(1000, 3), 0);
	assert_int_equal(walk_file(path).packets, 0);
	assert_int_equal(walk_file(numbered(1)).packets, 2);
}

static void after_a_rename_another_file_begins(void **state)
{
	(void)state;
	assert_int_equal(try_open(0, 1), 0);
	write_packets(2);
	capture_file_reopen(file); /* nobody has renamed it */
	write_packets(1);
	assert_int_equal(walk_file(path).packets, 3);
	assert_int_equal(rename(path, numbered(1)), 0);
	write_packets(1);
	assert_false(exists(0));
	capture_file_reopen(file);
	write_packets(1);
	assert_int_equal(walk_file(numbered(1)).packets, 4);
	assert_int_equal(walk_file(numbered(1)).statistics, 1);
	assert_int_equal(walk_file(path).packets, 1);
}

static void set_disk(uint64_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Of the block that is the first without room a part fits. */
static void what_a_full_disk_has_no_room_for_is_cut_off(void **state)
{
	(void)state;
	assert_int_equal(try_open(0, 1), 0);
	set_disk(head_len + 2 * packet_len + 50);
	write_packets(2);
	assert_int_equal(capture_file_write(file, packet, packet_len), -EFBIG);
	assert_int_equal(capture_file_write(file, packet, packet_len), -EFBIG);
	assert_int_equal(walk_file(path).packets, 2);
	set_disk(RLIM_INFINITY);
	write_packets(1);
	close_file();
	assert_int_equal(walk_file(path).packets, 3);
}

static void a_disk_that_is_full_from_the_start_is_an_error(void **state)
{
	(void)state;
	set_disk(10);
	assert_int_equal(try_open(0, 1), -EFBIG);
	set_disk(RLIM_INFINITY);
}

/* Another file cannot begin: what is there stays, and it is tried again. */
static void a_full_disk_between_two_files_is_survived(void **state)
{
	(void)state;
	assert_int_equal(try_open(head_len + packet_len, 3), 0);
	write_packets(1);
	set_disk(20);
	assert_int_equal(capture_file_write(file, packet, packet_len), -EFBIG);
	assert_int_equal(capture_file_write(file, packet, packet_len), -EFBIG);
	assert_int_equal(walk_file(numbered(1)).packets, 1);
	assert_false(exists(2));
	set_disk(RLIM_INFINITY);
	write_packets(1);
	assert_int_equal(walk_file(path).packets, 1);
	assert_int_equal(walk_file(numbered(1)).packets, 1);
}

static int open_fifo(void)
{
	int fd;

	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(try_open(0, 1), 0);
	return fd;
}

static void a_pipe_gets_whole_blocks_until_its_reader_goes(void **state)
{
	const int fd = open_fifo();
	uint8_t bytes[4096];
	ssize_t len;

	(void)state;
	write_packets(2);
	len = read(fd, bytes, sizeof(bytes));
	assert_true(len > 0);
	assert_int_equal(walk_bytes(bytes, (size_t)len).packets, 2);
	close(fd);
	assert_int_equal(capture_file_write(file, packet, packet_len), -EPIPE);
	assert_int_equal(capture_file_write(file, packet, packet_len), -EPIPE);
}

static void nobody_waits_for_a_reader_at_the_end(void **state)
{
	static uint8_t flood[1 << 17];
	const int fd = open_fifo();

	(void)state;
	capture_file_stop(file);
	assert_int_equal(capture_file_write(file, flood, sizeof(flood)), -ECANCELED);
	/* A block has been begun: nothing can follow it. */
	assert_int_equal(capture_file_write(file, packet, packet_len), -EPIPE);
	close_file();
	close(fd);
}

#define file_test(f) cmocka_unit_test_teardown(f, remove_files)

int main(void)
{
	const struct CMUnitTest tests[] = {
		file_test(a_file_is_for_its_owner_alone),
		file_test(a_file_is_whole_at_any_time),
		file_test(an_earlier_capture_is_replaced_and_nothing_else),
		file_test(two_do_not_write_to_one_file),
		file_test(a_link_and_a_folder_are_refused),
		file_test(the_oldest_of_several_files_goes),
		file_test(one_file_begins_anew),
		file_test(a_packet_that_is_longer_than_a_file_gets_one_of_its_own),
		file_test(several_files_keep_an_earlier_capture),
		file_test(after_a_rename_another_file_begins),
		file_test(what_a_full_disk_has_no_room_for_is_cut_off),
		file_test(a_disk_that_is_full_from_the_start_is_an_error),
		file_test(a_full_disk_between_two_files_is_survived),
		file_test(a_pipe_gets_whole_blocks_until_its_reader_goes),
		file_test(nobody_waits_for_a_reader_at_the_end),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
