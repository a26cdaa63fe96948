/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every object in every variant, as --check loads it; and what is told when this kernel's verifier says no. */
#include <dirent.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <linux/capability.h>

#include <cap-ng.h>

#include "fixture.h"

#include "loadable.h"
#include "method.h"

static const struct kern_options sizes = {.ring_size = 1 << 16, .max_flows = 16};
static struct load_failure failure;
static char text[LOAD_TEXT_SIZE];

static size_t count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static bool is_accepting(enum loadable_kind kind)
{
	return kind == LOADABLE_ACCEPT || kind == LOADABLE_CAPTURE_ACCEPT;
}

static void every_object_loads_in_every_variant_and_leaves_nothing(void **state)
{
	const size_t before = count_descriptors();

	(void)state;
	for (const struct loadable *one = loadable_table; one->object; one++) {
		const bool is_possible = !is_accepting(one->kind) || kern_can_accept();

		loadable_try(one, &sizes, &failure);
		if (!is_possible) {
			assert_int_equal(failure.err, -ENOTSUP);
			continue;
		}
		if (failure.err) {
			load_failure_format(&failure, text);
			print_message("%s %s: %s\n%s", one->object, one->variant, text,
				      failure.log);
		}
		assert_int_equal(failure.err, 0);
		assert_string_equal(failure.reason, "");
	}
	assert_int_equal(count_descriptors(), before);
	assert_false(system("bpftool -j net show | grep -q nol_") == 0);
}

/* Instead of what nol_xdp_send does; without what not every kernel can load. The skeleton is to be destroyed. */
static struct nolisten_bpf *load_with(const struct bpf_insn *insns, size_t count)
{
	struct nolisten_bpf *skel = nolisten_bpf__open();

	assert_non_null(skel);
	bpf_program__set_autoload(skel->progs.nol_tc_ingress, false);
	bpf_program__set_autoload(skel->progs.nol_tc_syn, false);
	assert_int_equal(bpf_program__set_insns(skel->progs.nol_xdp_send, (void *)insns, count), 0);
	load_log_begin(&failure);
	load_log_end(nolisten_bpf__load(skel));
	load_failure_format(&failure, text);
	return skel;
}

static void a_rejection_names_the_program_and_the_reason(void **state)
{
	/* r0 = *(u64 *)(r1 + 4096); exit */
	static const struct bpf_insn beyond_the_context[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 0, .src_reg = 1, .off = 4096},
		{.code = BPF_JMP | BPF_EXIT},
	};

	(void)state;
	nolisten_bpf__destroy(load_with(beyond_the_context, 2));
	assert_int_equal(failure.err, -EACCES);
	assert_true(failure.is_rejected);
	assert_string_equal(text, "nol_xdp_send is rejected by the verifier: "
				  "invalid bpf_context access off=4096 size=8");
	assert_non_null(strstr(failure.log, "processed "));
}

static void the_states_behind_an_endless_loop_are_not_the_reason(void **state)
{
	/* r0 = 0; again: goto again */
	static const struct bpf_insn endless[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_JA, .off = -1},
		{.code = BPF_JMP | BPF_EXIT},
	};

	(void)state;
	nolisten_bpf__destroy(load_with(endless, 3));
	assert_true(failure.is_rejected);
	assert_string_equal(failure.name, "nol_xdp_send");
	assert_null(strstr(failure.reason, "state"));
	assert_int_not_equal(failure.reason[0], '\0');
}

static void set_capability(unsigned int capability, bool is_on)
{
	assert_int_equal(capng_get_caps_process(), 0);
	capng_update(is_on ? CAPNG_ADD : CAPNG_DROP, CAPNG_EFFECTIVE, capability);
	assert_int_equal(capng_apply(CAPNG_SELECT_CAPS), 0);
}

static void let_verifier_trust_us(bool is_on)
{
	set_capability(CAP_SYS_ADMIN, is_on);
	set_capability(CAP_PERFMON, is_on);
}

/* Without CAP_PERFMON the verifier is stricter, how much so is the kernel's affair: 6.18 takes none of the programs. */
static void what_is_refused_is_refused_with_name_and_reason(void **state)
{
	const size_t before = count_descriptors();
	size_t refused = 0;

	(void)state;
	for (const struct loadable *one = loadable_table; one->object; one++) {
		let_verifier_trust_us(false);
		loadable_try(one, &sizes, &failure);
		let_verifier_trust_us(true);
		if (!failure.err)
			continue;
		refused++;
		load_failure_format(&failure, text);
		assert_int_not_equal(failure.reason[0], '\0');
		assert_null(strchr(text, '\n'));
		assert_int_equal(failure.is_rejected, failure.log[0] != '\0');
		assert_true(failure.name[0] || !failure.is_rejected);
	}
	/* Those on tracepoints are for none but who has it. */
	assert_true(refused >= 2);
	assert_int_equal(count_descriptors(), before);
}

static bool is_stricter_without_trust(void)
{
	let_verifier_trust_us(false);
	loadable_try(&loadable_table[0], &sizes, &failure);
	let_verifier_trust_us(true);
	return failure.is_rejected;
}

/* What the loader says of such a kernel. */
static void log_of_loader(enum nol_method method, uint32_t workers, char *out, size_t size)
{
	const struct config options = {.ifname = "lo",
				       .method = method,
				       .workers = workers,
				       .ring_size = 1 << 16,
				       .max_flows = 16};
	const struct link_info link = {.ifindex = 1, .has_link_header = true, .is_loopback = true};
	int saved = dup(STDERR_FILENO), file = memfd_create("log", MFD_CLOEXEC);
	struct method opened = {0};
	ssize_t len;

	assert_true(saved >= 0 && file >= 0 && dup2(file, STDERR_FILENO) >= 0);
	let_verifier_trust_us(false);
	assert_int_not_equal(method_open(&opened, &options, &link), 0);
	let_verifier_trust_us(true);
	dup2(saved, STDERR_FILENO);
	close(saved);
	len = pread(file, out, size - 1, 0);
	assert_true(len > 0);
	out[len] = '\0';
	close(file);
}

static void the_loader_says_it_in_one_line_with_the_way_out(void **state)
{
	static const struct {
		enum nol_method method;
		uint32_t workers;
		const char *way_out;
	} cases[] = {
		{NOL_METHOD_NONE, 1,
		 "(methods nfqueue, filter and raw do without BPF; --check -v tells more)"},
		{NOL_METHOD_CONNECT, 1, "(method engine asks less of the kernel; nfqueue, "},
		{NOL_METHOD_NONE, 2, "(--workers=1 asks less of the kernel; methods nfqueue, "},
	};
	char line[1024];

	(void)state;
	if (!is_stricter_without_trust()) {
		print_message("this kernel's verifier takes the programs without CAP_PERFMON\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		log_of_loader(cases[i].method, cases[i].workers, line, sizeof(line));
		assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
		assert_non_null(strstr(line, "lo: cannot load the programs: nol_"));
		assert_non_null(strstr(line, " is rejected by the verifier: R"));
		assert_non_null(strstr(line, cases[i].way_out));
	}
}

static void too_few_descriptors_are_told_of_whatever_they_are_needed_for(void **state)
{
	struct rlimit before, limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	for (limit.rlim_cur = count_descriptors(); limit.rlim_cur < 64; limit.rlim_cur++) {
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		loadable_try(&loadable_table[0], &sizes, &failure);
		if (!failure.err)
			break;
		load_failure_format(&failure, text);
		assert_false(failure.is_rejected);
		if (failure.err == -EMFILE)
			assert_non_null(strstr(text, strerror(EMFILE)));
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(failure.err, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_object_loads_in_every_variant_and_leaves_nothing),
		cmocka_unit_test(a_rejection_names_the_program_and_the_reason),
		cmocka_unit_test(the_states_behind_an_endless_loop_are_not_the_reason),
		cmocka_unit_test(what_is_refused_is_refused_with_name_and_reason),
		cmocka_unit_test(the_loader_says_it_in_one_line_with_the_way_out),
		cmocka_unit_test(too_few_descriptors_are_told_of_whatever_they_are_needed_for),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
