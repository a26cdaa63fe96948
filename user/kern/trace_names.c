/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of the running kernel. Functions stay in the order of the file: a search looks at all of them. */
#include "trace_names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "log.h"

#define KALLSYMS "/proc/kallsyms"
#define MODULES "/proc/modules"

struct function {
	uint64_t address;
	char *name;
};

struct trace_names {
	struct btf *kernel;
	struct function *functions;
	size_t count, space;
	uint64_t kernel_begin,
		kernel_end; /* of the kernel's own text: modules are elsewhere, above or below */
	uint64_t modules; /* which there were when the functions were read */
};

/* "ffffffff81000000 T name [module]"; false if it is no function with an address. */
static bool parse_symbol(char *line, struct function *out)
{
	char *end;

	out->address = strtoull(line, &end, 16);
	if (!out->address || !end[0] || !strchr("tTwW", end[1]) || end[2] != ' ')
		return false;
	out->name = end + 3;
	/* The compiler's suffixes (.isra.0, .constprop.0) say nothing here. */
	out->name[strcspn(out->name, ".\t\n ")] = '\0';
	return out->name[0];
}

static int add_function(struct trace_names *names, const struct function *function)
{
	struct function *grown = names->functions;

	if (names->count == names->space) {
		const size_t space = names->space ? names->space * 2 : 65536;

		grown = reallocarray(names->functions, space, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		names->functions = grown;
		names->space = space;
	}
	grown[names->count] = *function;
	grown[names->count].name = strdup(function->name);
	if (!grown[names->count].name)
		return -ENOMEM;
	names->count++;
	return 0;
}

/* The number of modules and a sum of their names: "NAME SIZE ..." in each line. 0: the kernel has none. */
static uint64_t mark_modules(void)
{
	FILE *file = fopen(MODULES, "re");
	uint64_t mark = 0;
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		mark += (uint64_t)1 << 32;
		for (const char *c = line; *c && *c != ' '; c++)
			mark += (uint8_t)*c * (uint64_t)(c - line + 1);
	}
	free(line);
	if (file)
		fclose(file);
	return mark;
}

static int read_functions(struct trace_names *names)
{
	FILE *file = fopen(KALLSYMS, "re");
	struct function function;
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	if (!file)
		return -errno;
	names->modules = mark_modules();
	while (!err && getline(&line, &size, file) > 0) {
		if (!parse_symbol(line, &function))
			continue;
		if (!strcmp(function.name, "_stext"))
			names->kernel_begin = function.address;
		else if (!strcmp(function.name, "_etext"))
			names->kernel_end = function.address;
		err = add_function(names, &function);
	}
	free(line);
	fclose(file);
	return err;
}

static void forget_functions(struct trace_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->functions[i].name);
	free(names->functions);
	names->functions = NULL;
	names->count = names->space = 0;
}

/* A module that came later has its functions where, as far as was known, another one's had ended. */
static void read_functions_again(struct trace_names *names)
{
	int err;

	forget_functions(names);
	err = read_functions(names);
	if (err)
		log_warning("%s: %s: some functions are not named", KALLSYMS, strerror(-err));
}

int trace_names_new(struct trace_names **out)
{
	struct trace_names *names = calloc(1, sizeof(*names));
	int err;

	if (!names)
		return -ENOMEM;
	names->kernel = btf__load_vmlinux_btf();
	if (!names->kernel)
		log_warning("no BTF of the kernel: reasons are shown as numbers");
	err = read_functions(names);
	if (err == -ENOMEM) {
		trace_names_free(names);
		return err;
	}
	if (err)
		log_warning("%s: %s: functions are not named", KALLSYMS, strerror(-err));
	*out = names;
	return 0;
}

void trace_names_free(struct trace_names *names)
{
	if (!names)
		return;
	forget_functions(names);
	btf__free(names->kernel);
	free(names);
}

/* The enumerator's name without the prefix that all of them have. */
static const char *find_enumerator(const struct btf *btf, const char *type, const char *prefix,
				   uint32_t value)
{
	const int id = btf ? btf__find_by_name_kind(btf, type, BTF_KIND_ENUM) : -ENOENT;
	const struct btf_type *enumeration = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);
	const struct btf_enum *values = enumeration ? btf_enum(enumeration) : NULL;
	const char *name;

	for (int i = 0; enumeration && i < btf_vlen(enumeration); i++) {
		if ((uint32_t)values[i].val != value)
			continue;
		name = btf__name_by_offset(btf, values[i].name_off);
		return strncmp(name, prefix, strlen(prefix)) ? name : name + strlen(prefix);
	}
	return NULL;
}

static void name_reason(const char *name, uint32_t reason, char out[TRACE_NAME_SIZE])
{
	if (name)
		snprintf(out, TRACE_NAME_SIZE, "%s", name);
	else
		snprintf(out, TRACE_NAME_SIZE, "reason %u", reason);
}

void trace_names_drop(const struct trace_names *names, uint32_t reason, char out[TRACE_NAME_SIZE])
{
	name_reason(find_enumerator(names->kernel, "skb_drop_reason", "SKB_DROP_REASON_", reason),
		    reason, out);
}

void trace_names_reset(const struct trace_names *names, uint32_t reason, char out[TRACE_NAME_SIZE])
{
	name_reason(find_enumerator(names->kernel, "sk_rst_reason", "SK_RST_REASON_", reason),
		    reason, out);
}

void trace_names_function(struct trace_names *names, uint64_t address, char out[TRACE_NAME_SIZE])
{
	const bool is_kernel = address >= names->kernel_begin && address < names->kernel_end;
	const struct function *found = NULL;

	if (!is_kernel && names->modules != mark_modules())
		read_functions_again(names);
	for (size_t i = 0; i < names->count; i++) {
		const struct function *function = &names->functions[i];

		if (function->address <= address && (!found || function->address > found->address))
			found = function;
	}
	snprintf(out, TRACE_NAME_SIZE, "%s", found ? found->name : "?");
}
