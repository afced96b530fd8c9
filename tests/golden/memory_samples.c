/* memory_samples: what memory is made of, and why it is resident, by hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden/samples.h"

#define KB 1024ull
#define MB (1024 * KB)

/* For tests: out of memory ends them. */
static void *must(void *pointer)
{
	if (!pointer)
		abort();
	return pointer;
}

static char *copy(const char *text)
{
	return text ? must(strdup(text)) : NULL;
}

static char **sentence(const char *text)
{
	char **list = must(calloc(2, sizeof(*list)));
	list[0] = copy(text);
	return list;
}

/* --- regions ------------------------------------------------------------------------ */

struct mapping {
	uint64_t start, kb;
	const char *access, *type, *name;
	uint64_t resident_kb, dirty_kb, shared_kb, swapped_kb;
};

static const struct mapping server[] = {
	{ 0x55d0c0a00000, 512, "r--p", "rodata", "/usr/bin/redis-server", 300, 0, 0, 0 },
	{ 0x55d0c0a80000, 1024, "r-xp", "text", "/usr/bin/redis-server", 900, 0, 0, 0 },
	{ 0x55d0c0b80000, 32, "r--p", "relro", "/usr/bin/redis-server", 32, 32, 0, 0 },
	{ 0x55d0c0b88000, 128, "rw-p", "bss", "", 96, 96, 0, 0 },
	{ 0x55d0c1000000, 65536, "rw-p", "heap", "[heap]", 60000, 60000, 0, 4000 },
	{ 0x7f2000000000, 4096, "rw-p", "thread arena", "", 2048, 2048, 0, 0 },
	{ 0x7f2004000000, 4, "---p", "guard", "", 0, 0, 0, 0 },
	{ 0x7f2004001000, 8192, "rw-p", "thread stack", "", 24, 24, 0, 0 },
	{ 0x7f2010000000, 2048, "rw-s", "shared memory", "/dev/shm/a pool", 2048, 2048,
	  1024, 0 },
	{ 0x7f2020000000, 1400, "r-xp", "text", "/usr/lib/x86_64-linux-gnu/libc.so.6",
	  1200, 0, 1200, 0 },
	{ 0x7ffd10000000, 132, "rw-p", "main stack", "[stack]", 24, 24, 0, 0 },
};

static void put_sizes(const struct mapping *mapping, struct vm_sizes *sizes)
{
	const uint64_t private_kb = mapping->resident_kb - mapping->shared_kb;
	sizes->bytes[VM_VIRTUAL] = mapping->kb * KB;
	sizes->bytes[VM_RESIDENT] = mapping->resident_kb * KB;
	sizes->bytes[VM_DIRTY] = mapping->dirty_kb * KB;
	sizes->bytes[VM_CLEAN] = (mapping->resident_kb - mapping->dirty_kb) * KB;
	sizes->bytes[VM_SWAPPED] = mapping->swapped_kb * KB;
	sizes->bytes[VM_PRIVATE] = private_kb * KB;
	sizes->bytes[VM_SHARED] = mapping->shared_kb * KB;
	sizes->bytes[VM_SHARE] = (private_kb + mapping->shared_kb / 2) * KB;
	sizes->bytes[VM_FOOTPRINT] = (mapping->dirty_kb + mapping->swapped_kb) * KB;
}

static void add_sizes(struct vm_sizes *sum, const struct vm_sizes *sizes)
{
	for (size_t i = 0; i < VM_NR_COLUMNS; i++)
		sum->bytes[i] += sizes->bytes[i];
}

static struct vm_row *row_of(struct vm_process *process, const char *type)
{
	for (size_t i = 0; i < process->rows.nr; i++)
		if (!strcmp(process->rows.items[i].type, type))
			return &process->rows.items[i];
	if (!vm_row_vec_push(&process->rows, (struct vm_row){ .type = type }))
		abort();
	return &process->rows.items[process->rows.nr - 1];
}

static void add_mapping(struct vm_process *process, const struct mapping *mapping)
{
	struct vm_region region = {
		.start = mapping->start,
		.end = mapping->start + mapping->kb * KB,
		.type = mapping->type,
		.name = copy(mapping->name),
	};
	snprintf(region.access, sizeof(region.access), "%s", mapping->access);
	put_sizes(mapping, &region.sizes);
	struct vm_row *row = row_of(process, mapping->type);
	row->regions++;
	add_sizes(&row->sizes, &region.sizes);
	add_sizes(&process->total, &region.sizes);
	if (!vm_region_vec_push(&process->regions, region))
		abort();
}

static struct vm_process *add_process(struct vm_report *report, const char *target,
				      pid_t pid)
{
	struct vm_process process = {
		.pid = pid,
		.target = copy(target),
		.known = (1u << VM_NR_COLUMNS) - 1,
		.stood_still = true,
		.threads = 2,
		.page_table_bytes = 180 * KB,
		.kernel_stack_bytes = 32 * KB,
		.swap_share_bytes = 4000 * KB,
		.pause_ms = 1.25,
		.charge = { true, 64248 * KB, 2400 * KB, 1024 * KB },
	};
	for (size_t i = 0; i < sizeof(server) / sizeof(server[0]); i++)
		add_mapping(&process, &server[i]);
	process.footprint_bytes = process.total.bytes[VM_FOOTPRINT] +
				  process.page_table_bytes + process.kernel_stack_bytes;
	if (!vm_process_vec_push(&report->processes, process))
		abort();
	return &report->processes.items[report->processes.nr - 1];
}

static struct vm_report *create_process(void)
{
	struct vm_report *report = must(calloc(1, sizeof(*report)));
	add_process(report, "redis-server (412)", 412);
	report->compressed = (struct vm_compressed){ "zram", 3 * MB, 1 * MB };
	return report;
}

static struct vm_report *create_family(void)
{
	struct vm_report *report = must(calloc(1, sizeof(*report)));
	add_process(report, "postgres (77)", 77);
	add_process(report, "postgres (78)", 78)->stood_still = false;
	report->together =
		(struct vm_together){ true, 70 * MB, 60 * MB, 71 * MB, 130 * MB };
	report->warnings = sentence("it ran on while its mappings were counted, so that "
				    "sums may differ: postgres (78) is being traced by "
				    "gdb (90)");
	return report;
}

static struct vm_report *create_core(void)
{
	struct vm_report *report = must(calloc(1, sizeof(*report)));
	struct vm_process *process = add_process(report, "redis-server (412)", 412);
	process->known = 1u << VM_VIRTUAL;
	process->charge.is_known = false;
	process->page_table_bytes = process->kernel_stack_bytes = 0;
	report->notes = sentence("core.412 tells which mappings there were; what of them "
				 "was resident, dirty, shared or swapped out it does not "
				 "tell (\"?\")");
	return report;
}

static struct vm_report *create_hostile_regions(void)
{
	static const struct mapping mapping = {
		0xffffffffff600000,
		4,
		"--xp",
		"mapped file",
		"/tmp/\x1b[2J\na/b\xff",
		4,
		4,
		0,
		0,
	};
	struct vm_report *report = must(calloc(1, sizeof(*report)));
	struct vm_process process = { .pid = 5, .target = copy("\x1b[2J (5)") };
	process.known = (1u << VM_NR_COLUMNS) - 1;
	add_mapping(&process, &mapping);
	process.footprint_bytes = process.total.bytes[VM_FOOTPRINT];
	if (!vm_process_vec_push(&report->processes, process))
		abort();
	return report;
}

const struct vm_sample vm_samples[] = {
	{ "process", create_process },
	{ "family", create_family },
	{ "core", create_core },
	{ "hostile", create_hostile_regions },
};
const size_t nr_vm_samples = sizeof(vm_samples) / sizeof(vm_samples[0]);

/* --- ledgers ------------------------------------------------------------------------ */

/* Parts come by kind, then largest first. */
static void add_part(struct why_report *report, enum why_kind kind, const char *name,
		     uint64_t bytes, uint64_t count)
{
	struct why_part part = { kind, copy(name), bytes, count };
	report->kinds[kind] += bytes;
	report->rss_bytes += bytes;
	*(kind == WHY_OPAQUE ? &report->opaque_bytes : &report->explained_bytes) += bytes;
	if (!why_part_vec_push(&report->parts, part))
		abort();
}

static struct why_report *why_create(const char *target, pid_t pid)
{
	struct why_report *report = must(calloc(1, sizeof(*report)));
	report->pid = pid;
	report->target = copy(target);
	report->processors = 4;
	report->threads = 9;
	report->page_table_bytes = 212 * KB;
	report->kernel_stack_bytes = 144 * KB;
	report->pause_ms = 12.345;
	return report;
}

static void add_arenas(struct why_report *report, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		const struct why_arena arena = {
			.address = 0x7f2000000030 + i * 64 * MB,
			.is_main = i == 0,
			.threads = 1 + (i == 0),
			.system_bytes = 40 * MB >> i,
			.live_bytes = 12 * MB >> i,
			.live_blocks = 31000 >> i,
			.tcache_bytes = 160 * KB,
			.fast_bytes = 2 * KB,
			.binned_bytes = 27 * MB >> i,
			.top_bytes = 132 * KB,
			.trim_bytes = 9 * MB >> i,
		};
		if (!why_arena_vec_push(&report->arenas, arena))
			abort();
	}
	report->arena_limit = 32;
}

static void add_pin(struct why_report *report, const char *type, uint64_t blocks)
{
	const struct why_pin pin = {
		copy(type),     blocks,     blocks * 96,
		blocks * 3 / 4, blocks / 2, blocks * 2900,
	};
	report->pinned_pages += pin.pages;
	report->pinned_bytes += pin.free_bytes;
	if (!why_pin_vec_push(&report->pins, pin))
		abort();
}

static struct why_report *create_fragmented(void)
{
	struct why_report *report = why_create("redis-server (412)", 412);
	report->allocator = copy("glibc 2.36");
	add_part(report, WHY_LIVE, "class shop::Order", 9 * MB, 12000);
	add_part(report, WHY_LIVE, "up to 4 KiB block of text", 6 * MB, 1800);
	add_part(report, WHY_LIVE, "96-byte block of pointers", 3 * MB, 30000);
	add_part(report, WHY_LIVE, "up to 2 MiB block of data", 2 * MB, 1);
	add_part(report, WHY_LIVE, "24-byte block of zeros", 900 * KB, 38400);
	add_part(report, WHY_LIVE, "48-byte block of data", 400 * KB, 8700);
	add_part(report, WHY_LIVE, "40-byte block of data", 100 * KB, 2500);
	add_part(report, WHY_FREE, "main arena, bins", 26 * MB, 1);
	add_part(report, WHY_FREE, "arena 1, bins", 13 * MB, 1);
	add_part(report, WHY_METADATA, "headers, arenas, thread caches", 900 * KB, 1);
	add_part(report, WHY_STACK, "main thread", 12 * KB, 1);
	add_part(report, WHY_DEAD_STACK, "threads", 130 * KB, 8);
	add_part(report, WHY_GLOBALS, "redis-server", 400 * KB, 2);
	add_part(report, WHY_GLOBALS, "libc.so.6", 44 * KB, 2);
	add_part(report, WHY_FILE, "libc.so.6", 1400 * KB, 3);
	add_part(report, WHY_FILE, "redis-server", 1300 * KB, 3);
	add_part(report, WHY_OPAQUE, "anonymous mappings", 300 * KB, 3);
	add_arenas(report, 7);
	add_pin(report, "class shop::Order", 4000);
	add_pin(report, "96-byte block of pointers", 900);
	report->is_trim_known = true;
	report->trim_bytes = 18 * MB;
	report->swapped_bytes = 2 * MB;
	report->copied = true;
	report->copy_bytes = 3 * MB;
	return report;
}

static struct why_report *create_unread(void)
{
	struct why_report *report = why_create("redis-server (412)", 412);
	add_part(report, WHY_STACK, "main thread", 12 * KB, 1);
	add_part(report, WHY_FILE, "redis-server", 1300 * KB, 3);
	add_part(report, WHY_OPAQUE, "program break", 40 * MB, 1);
	add_part(report, WHY_OPAQUE, "anonymous mappings", 9 * MB, 4);
	report->unknown =
		copy("redis-server (412) uses jemalloc; this seep reads the heaps "
		     "of glibc's malloc only");
	report->why_stopped = copy("a debugger holds it");
	report->rss_bytes += 8 * KB;
	report->residual_bytes = (int64_t)(8 * KB);
	return report;
}

static struct why_report *create_hostile_ledger(void)
{
	struct why_report *report = why_create("\x1b[2J (5)", 5);
	report->allocator = copy("glibc \x1b[31m");
	add_part(report, WHY_LIVE, "class a\nb::\xe2\x80\xae<\xff>", 8 * KB, 2);
	add_part(report, WHY_NAMED,
		 "[anon:\x1b]0;title\x07 a name that is longer than any "
		 "line of a terminal that is eighty columns wide]",
		 4 * KB, 1);
	add_arenas(report, 1);
	add_pin(report, "class a\nb::\xe2\x80\xae<\xff>", 4);
	report->is_limit_set = true;
	report->warnings = sentence("a chunk of \x1b[2J size");
	report->rss_bytes -= 16;
	report->residual_bytes = -16;
	return report;
}

static struct why_report *create_empty(void)
{
	struct why_report *report = must(calloc(1, sizeof(*report)));
	report->processors = 1;
	return report;
}

const struct why_sample why_samples[] = {
	{ "fragmented", create_fragmented },
	{ "unread", create_unread },
	{ "hostile", create_hostile_ledger },
	{ "empty", create_empty },
};
const size_t nr_why_samples = sizeof(why_samples) / sizeof(why_samples[0]);

/* --- by name ------------------------------------------------------------------------ */

struct vm_report *vm_sample(const char *name)
{
	for (size_t i = 0; i < nr_vm_samples; i++)
		if (!strcmp(vm_samples[i].name, name))
			return vm_samples[i].create();
	fprintf(stderr, "no vm sample is named %s\n", name);
	abort();
}

struct why_report *why_sample(const char *name)
{
	for (size_t i = 0; i < nr_why_samples; i++)
		if (!strcmp(why_samples[i].name, name))
			return why_samples[i].create();
	fprintf(stderr, "no why sample is named %s\n", name);
	abort();
}
