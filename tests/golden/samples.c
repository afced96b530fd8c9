/* samples: see samples.h. */
#include "golden/samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static struct leaks_report *report_create(const char *target, pid_t pid)
{
	struct leaks_report *report = must(calloc(1, sizeof(*report)));
	report->pid = pid;
	report->target = copy(target);
	report->allocator = copy("glibc 2.36");
	report->coverage_percent = 100;
	report->looks = 1;
	return report;
}

/* The finding just added belongs to the report; its strings are copied. */
static struct leak_finding *add_finding(struct leaks_report *report,
					struct leak_finding finding)
{
	finding.type = copy(finding.type);
	finding.root = copy(finding.root);
	if (!leak_finding_vec_push(&report->findings, finding))
		abort();
	return &report->findings.items[report->findings.nr - 1];
}

static void add_example(struct leak_finding *finding, uint64_t address, uint64_t size,
			const char *last_holder)
{
	struct leak_example example = { address, size, copy(last_holder) };
	if (!leak_example_vec_push(&finding->examples, example))
		abort();
}

static void set_warnings(struct leaks_report *report, const char *first,
			 const char *second)
{
	report->warnings = must(calloc(3, sizeof(char *)));
	report->warnings[0] = copy(first);
	report->warnings[1] = copy(second);
}

/* --- leaks -------------------------------------------------------------------------- */

static struct leaks_report *create_none(void)
{
	struct leaks_report *report = report_create("redis-server (412)", 412);
	report->kinds[LEAK_REACHABLE] = (struct leak_count){ 41208, 9120455 };
	report->noise = (struct leak_count){ 14, 12160 };
	report->heap_bytes = report->parsed_bytes = 12439552;
	report->pause_ms = 8.4312;
	report->threads = 5;
	report->roots = 20311;
	report->edges = 96220;
	report->copied = true;
	report->copy_bytes = 401408;
	return report;
}

static void add_sessions(struct leaks_report *report)
{
	struct leak_finding *sessions = add_finding(
		report, (struct leak_finding){ .kind = LEAK_DEFINITE,
					       .blocks = 256,
					       .bytes = 32768,
					       .retained_bytes = 1114112,
					       .retained_blocks = 3328,
					       .cycles = 256,
					       .type = (char *)"class Session",
					       .fingerprint = 0x0123456789abcdef });
	add_example(sessions, 0x55d0c3a012a0, 128, "the stack of thread 415");
	add_example(sessions, 0x55d0c3a01340, 128, NULL);
	add_example(sessions, 0x55d0c3a013e0, 128, NULL);
}

static void add_texts(struct leaks_report *report)
{
	struct leak_finding *texts = add_finding(
		report, (struct leak_finding){ .kind = LEAK_DEFINITE,
					       .blocks = 155,
					       .bytes = 3720,
					       .retained_bytes = 3720,
					       .retained_blocks = 155,
					       .type = (char *)"24-byte block of text",
					       .fingerprint = 0xfedcba9876543210 });
	add_example(texts, 0x7f3a5c000b70, 24, NULL);
	add_example(texts, 0x7f3a5c000b90, 24, NULL);
}

static void add_request(struct leaks_report *report)
{
	struct leak_finding *request = add_finding(
		report,
		(struct leak_finding){
			.kind = LEAK_DEFINITE,
			.blocks = 1,
			.bytes = 72,
			.retained_bytes = 104,
			.retained_blocks = 2,
			.cycles = 1,
			.type = (char *)"class std::_Sp_counted_ptr_inplace<net::Request, "
					"std::allocator<net::Request>, "
					"(__gnu_cxx::_Lock_policy)2>",
			.fingerprint = 0x42 });
	add_example(request, 0x55d0c3b77010, 72, "redis-server`pending+0x18");
}

static struct leaks_report *create_some(void)
{
	struct leaks_report *report = create_none();
	report->kinds[LEAK_DEFINITE] = (struct leak_count){ 412, 36560 };
	report->kinds[LEAK_INDIRECT] = (struct leak_count){ 3073, 1081376 };
	add_sessions(report);
	add_texts(report);
	add_request(report);
	return report;
}

static struct leaks_diff *diff_create(const char *from)
{
	struct leaks_diff *diff = must(calloc(1, sizeof(*diff)));
	diff->from = copy(from);
	diff->same_process = true;
	return diff;
}

static void add_gone(struct leaks_diff *diff, const char *type, uint64_t blocks)
{
	struct leak_finding gone = {
		.kind = LEAK_POSSIBLE,
		.blocks = blocks,
		.bytes = 96 * blocks,
		.type = copy(type),
		.fingerprint = blocks,
	};
	if (!leak_finding_vec_push(&diff->gone, gone))
		abort();
}

/* Some, of which the earlier look saw a part. */
static struct leaks_report *create_compared(void)
{
	struct leaks_report *report = create_some();
	struct leaks_diff *diff = report->diff = diff_create("monday.seep");
	static const uint64_t new_blocks[] = { 40, 155, 1 };
	for (size_t i = 0; i < report->findings.nr; i++) {
		struct leak_finding *finding = &report->findings.items[i];
		finding->new_blocks = new_blocks[i];
		finding->new_bytes = finding->bytes / finding->blocks * new_blocks[i];
		finding->change = i ? LEAK_NEW : LEAK_GROWN;
		diff->kinds[LEAK_DEFINITE].blocks += finding->new_blocks;
		diff->kinds[LEAK_DEFINITE].bytes += finding->new_bytes;
	}
	diff->unchanged = 12;
	add_gone(diff, "class Cache", 3);
	return report;
}

/* The same as before, and much that is gone. */
static struct leaks_report *create_unchanged(void)
{
	struct leaks_report *report = create_none();
	report->kinds[LEAK_DEFINITE] = (struct leak_count){ 412, 36560 };
	report->diff = diff_create(NULL);
	report->diff->unchanged = 1;
	for (uint64_t i = 1; i <= 13; i++)
		add_gone(report->diff, "96-byte block of text", i);
	return report;
}

static struct leaks_report *create_strict(void)
{
	struct leaks_report *report = create_some();
	report->strict = true;
	report->looks = 3;
	report->kinds[LEAK_POSSIBLE] = (struct leak_count){ 12, 6144 };
	report->kinds[LEAK_SUPPRESSED] = (struct leak_count){ 3, 96 };
	struct leak_finding *buffers =
		add_finding(report, (struct leak_finding){
					    .kind = LEAK_POSSIBLE,
					    .blocks = 12,
					    .bytes = 6144,
					    .retained_bytes = 6144,
					    .retained_blocks = 12,
					    .type = (char *)"512-byte block of zeros",
					    .root = (char *)"redis-server`server+0x1f8",
					    .fingerprint = 0x7 });
	add_example(buffers, 0x55d0c3c00010, 512, NULL);
	set_warnings(
		report,
		"8 kernel-held words could not be read (io_uring), so blocks that only "
		"the kernel holds may look lost",
		"2 pages are swapped out and were not read");
	return report;
}

/* The suppression just added belongs to the report; its strings are copied. */
static void add_suppression(struct leaks_report *report,
			    struct leak_suppression suppression)
{
	suppression.file = copy(suppression.file);
	suppression.name = copy(suppression.name);
	suppression.reason = copy(suppression.reason);
	if (!leak_suppression_vec_push(&report->suppressions, suppression))
		abort();
}

static struct leaks_report *create_suppressed(void)
{
	static const struct leak_suppression suppressions[] = {
		{ .name = (char *)"class Cache*", .state = SUPPRESSION_UNUSED },
		{ .file = (char *)"known.supp",
		  .line = 3,
		  .name = (char *)"the cache of sessions, which is never emptied",
		  .reason = (char *)"https://bugs.example.org/412",
		  .expires = 20261231,
		  .state = SUPPRESSION_USED,
		  .matched = { 3328, 1114112 } },
		{ .file = (char *)"known.supp",
		  .line = 12,
		  .name = (char *)"texts of 1.3",
		  .expires = 20250131,
		  .state = SUPPRESSION_EXPIRED },
		{ .file = (char *)"/usr/lib/valgrind/debian.supp",
		  .line = 5,
		  .name = (char *)"rpmatch bug#350347",
		  .state = SUPPRESSION_NEEDS_STACKS },
		{ .file = (char *)"/usr/lib/valgrind/debian.supp",
		  .line = 37,
		  .name = (char *)"helgrind false positive\x1b[2J",
		  .state = SUPPRESSION_NOT_ABOUT_LEAKS },
	};
	struct leaks_report *report = create_none();
	report->kinds[LEAK_SUPPRESSED] = (struct leak_count){ 3329, 1114152 };
	for (size_t i = 0; i < ARRAY_SIZE(suppressions); i++)
		add_suppression(report, suppressions[i]);
	return report;
}

static struct leaks_report *create_expired(void)
{
	struct leaks_report *report = create_some();
	for (unsigned i = 0; i < 8; i++)
		add_suppression(report, (struct leak_suppression){
						.file = (char *)"old.supp",
						.line = i * 5 + 1,
						.name = (char *)"a \033[31mred one",
						.expires = 20250101 + i,
						.state = SUPPRESSION_EXPIRED,
					});
	return report;
}

static struct leaks_report *create_left_out(void)
{
	struct leaks_report *report = create_some();
	report->kinds[LEAK_INDIRECT] = (struct leak_count){ 0, 0 };
	report->findings_left_out = 1204;
	return report;
}

static struct leaks_report *create_partly_read(void)
{
	struct leaks_report *report = create_none();
	report->parsed_bytes = 12315156;
	report->coverage_percent = 98.99999;
	set_warnings(
		report,
		"the heap is damaged at 0x55d0c3b00000: a chunk of size 0x4141414141414141 "
		"ends outside its arena",
		NULL);
	return report;
}

static struct leaks_report *create_reachable(void)
{
	struct leaks_report *report = create_none();
	struct leak_finding *table =
		add_finding(report, (struct leak_finding){
					    .kind = LEAK_REACHABLE,
					    .blocks = 41208,
					    .bytes = 9120455,
					    .retained_bytes = 9120455,
					    .retained_blocks = 41208,
					    .type = (char *)"4096-byte block of pointers",
					    .root = (char *)"redis-server`server+0x8",
					    .fingerprint = 0x99 });
	add_example(table, 0x55d0c3c00010, 4096, NULL);
	return report;
}

static struct leaks_report *create_hostile(void)
{
	struct leaks_report *report = report_create("\033]0;owned\007\r\xc2\x9b"
						    "31m\"evil\\\n (7)",
						    7);
	free(report->allocator);
	report->allocator = copy("gl\x1b[2Jibc \xff\xfe");
	report->kinds[LEAK_DEFINITE] = (struct leak_count){ 1, 48 };
	struct leak_finding *finding = add_finding(
		report,
		(struct leak_finding){
			.kind = LEAK_DEFINITE,
			.blocks = 1,
			.bytes = 48,
			.retained_bytes = 48,
			.retained_blocks = 1,
			.type = (char *)"class \xe2\x80\xae"
					"txet\x7f \xc3\x28 \xf0\x9f\xa6\x80 "
					"\xed\xa0\x80 \xf3\xa0\x80\x81 M\xc3\xbcller\t<\"x\">",
			.root = (char *)"\b\b\b\b\x1b[1A" });
	add_example(finding, 0, 0, "\x1b[31mnobody\n\nseep: no leaks");
	set_warnings(report,
		     "broken \xc0\x80 \x1b"
		     "c name",
		     NULL);
	return report;
}

static struct leaks_report *create_huge(void)
{
	struct leaks_report *report = report_create("big (2147483647)", 2147483647);
	struct leak_count most = { UINT64_MAX, UINT64_MAX };
	for (int kind = 0; kind < LEAK_NR_KINDS; kind++)
		report->kinds[kind] = most;
	report->kinds[LEAK_INDIRECT] = (struct leak_count){ 0, 0 };
	report->kinds[LEAK_POSSIBLE] = (struct leak_count){ 0, 0 };
	report->noise = most;
	report->heap_bytes = report->parsed_bytes = UINT64_MAX;
	report->threads = report->roots = report->edges = UINT64_MAX;
	report->looks = 4294967295u;
	report->pause_ms = 1e9;
	report->coverage_percent = (double)NAN;
	char type[3000];
	memset(type, 'x', sizeof(type) - 1);
	type[sizeof(type) - 1] = '\0';
	struct leak_finding *finding =
		add_finding(report, (struct leak_finding){ .kind = LEAK_DEFINITE,
							   .blocks = UINT64_MAX,
							   .bytes = UINT64_MAX,
							   .retained_bytes = UINT64_MAX,
							   .retained_blocks = UINT64_MAX,
							   .cycles = UINT64_MAX,
							   .type = type,
							   .fingerprint = UINT64_MAX });
	add_example(finding, UINT64_MAX, UINT64_MAX, type);
	return report;
}

static struct leaks_report *create_damaged(void)
{
	struct leaks_report *report = create_partly_read();
	for (size_t i = 0; report->warnings[i]; i++)
		free(report->warnings[i]);
	free(report->warnings);
	report->warnings = must(calloc(13, sizeof(char *)));
	for (unsigned i = 0; i < 12; i++)
		if (asprintf(
			    &report->warnings[i],
			    "the heap is damaged at 0x55d0c3b00%03x: no chunk fits there",
			    i * 0x20) < 0)
			abort();
	return report;
}

/* Everything that may be missing is. */
static struct leaks_report *create_bare(void)
{
	struct leaks_report *report = must(calloc(1, sizeof(*report)));
	add_finding(report, (struct leak_finding){ .kind = LEAK_SUPPRESSED });
	return report;
}

/* Read from a core, which does not tell everything. */
static struct leaks_report *create_core(void)
{
	struct leaks_report *report = create_some();
	report->file = copy("dumps/core.412");
	report->pause_ms = 0;
	report->copied = false;
	report->copy_bytes = 0;
	set_warnings(report,
		     "dumps/core.412 is cut off at 1048576 bytes: 4096 bytes of memory "
		     "are missing",
		     "a core does not have what the kernel held for the process (epoll "
		     "data, timers); what only that holds looks lost");
	report->notes = must(calloc(2, sizeof(char *)));
	report->notes[0] = copy("core.412.zst was unpacked: 4096 bytes");
	return report;
}

const struct leaks_sample leaks_samples[] = {
	{ "none", create_none },
	{ "some", create_some },
	{ "compared", create_compared },
	{ "unchanged", create_unchanged },
	{ "strict", create_strict },
	{ "core", create_core },
	{ "left-out", create_left_out },
	{ "partly-read", create_partly_read },
	{ "damaged", create_damaged },
	{ "reachable", create_reachable },
	{ "hostile", create_hostile },
	{ "huge", create_huge },
	{ "none", create_none },
	{ "some", create_some },
	{ "strict", create_strict },
	{ "suppressed", create_suppressed },
	{ "expired", create_expired },
	{ "left-out", create_left_out },
	{ "partly-read", create_partly_read },
	{ "damaged", create_damaged },
	{ "reachable", create_reachable },
	{ "hostile", create_hostile },
	{ "huge", create_huge },
	{ "bare", create_bare },
};
const size_t nr_leaks_samples = ARRAY_SIZE(leaks_samples);

/* --- doctor ------------------------------------------------------------------------- */

static struct doctor_report *doctor_create(const char *target, pid_t pid)
{
	struct doctor_report *report = must(calloc(1, sizeof(*report)));
	report->pid = pid;
	report->target = copy(target);
	return report;
}

static void add_check(struct doctor_report *report, const char *subject,
		      enum doctor_state state, const char *finding, const char *remedy)
{
	struct doctor_check check = { subject, state, copy(finding), copy(remedy) };
	if (!doctor_check_vec_push(&report->checks, check))
		abort();
}

static struct doctor_report *create_machine(void)
{
	struct doctor_report *report = doctor_create(NULL, 0);
	add_check(report, "kernel", DOCTOR_OK, "Linux 6.18.44 on x86_64", NULL);
	add_check(report, "yama", DOCTOR_OK, "kernel.yama.ptrace_scope is 0", NULL);
	add_check(report, "capability", DOCTOR_OK, "seep has CAP_SYS_PTRACE", NULL);
	return report;
}

static struct doctor_report *create_refused(void)
{
	struct doctor_report *report = doctor_create("redis-server (412)", 412);
	add_check(report, "kernel", DOCTOR_OK, "Linux 6.1.0 on x86_64", NULL);
	add_check(report, "yama", DOCTOR_REFUSED,
		  "kernel.yama.ptrace_scope is 1: only descendants may be inspected",
		  "sudo sysctl kernel.yama.ptrace_scope=0, or run seep as root");
	add_check(report, "page map", DOCTOR_LIMITED,
		  "PAGEMAP_SCAN is not in this kernel: the pause is a little longer",
		  NULL);
	add_check(report, "allocator", DOCTOR_UNKNOWN,
		  "cannot be told without permission", NULL);
	return report;
}

static struct doctor_report *create_hostile_doctor(void)
{
	struct doctor_report *report = doctor_create("\x1b[2J\n (5)", 5);
	add_check(report, "state", DOCTOR_OK, "\x1b[0m \xff is running",
		  "\x1b"
		  "c");
	add_check(report, "nothing", DOCTOR_OK, NULL, NULL);
	return report;
}

const struct doctor_sample doctor_samples[] = {
	{ "machine", create_machine },
	{ "refused", create_refused },
	{ "hostile", create_hostile_doctor },
};
const size_t nr_doctor_samples = ARRAY_SIZE(doctor_samples);

/* --- snapshots ---------------------------------------------------------------------- */

static struct snapshot_report *snapshot_create(const char *target, pid_t pid,
					       const char *path)
{
	struct snapshot_report *report = must(calloc(1, sizeof(*report)));
	report->pid = pid;
	report->target = copy(target);
	report->allocator = copy("glibc 2.36");
	report->path = copy(path);
	report->file_bytes = 412733;
	report->blocks = 41208;
	report->block_bytes = 9120455;
	report->edges = 96220;
	report->roots = 20311;
	report->heap_bytes = 12439552;
	report->coverage_percent = 100;
	report->pause_ms = 8.4312;
	report->looks = 1;
	return report;
}

static struct snapshot_report *create_graph(void)
{
	return snapshot_create("redis-server (412)", 412, "monday.seep");
}

static struct snapshot_report *create_contents(void)
{
	struct snapshot_report *report = create_graph();
	report->contents_bytes = 20480000;
	report->coverage_percent = 93.217;
	report->looks = 3;
	return report;
}

static struct snapshot_report *create_hostile_snapshot(void)
{
	struct snapshot_report *report = snapshot_create("\x1b[2J (5)", 5, "a\nb");
	report->coverage_percent = NAN;
	report->blocks = report->edges = 1;
	return report;
}

const struct snapshot_sample snapshot_samples[] = {
	{ "graph", create_graph },
	{ "contents", create_contents },
	{ "hostile", create_hostile_snapshot },
};
const size_t nr_snapshot_samples = ARRAY_SIZE(snapshot_samples);

/* --- views of heaps ------------------------------------------------------------------ */

static struct heap_report *heap_create(const char *view, const char *target)
{
	struct heap_report *report = must(calloc(1, sizeof(*report)));
	report->view = view;
	report->pid = 412;
	report->target = copy(target);
	report->allocator = copy("glibc 2.36");
	report->all = (struct heap_amount){ 41208, 9120455 };
	report->live = (struct heap_amount){ 41200, 9120000 };
	report->lost = (struct heap_amount){ 8, 455 };
	report->edges = 96220;
	report->roots = 20311;
	report->coverage_percent = 100;
	report->pause_ms = 8.4312;
	return report;
}

static struct heap_cell number_cell(uint64_t number)
{
	return (struct heap_cell){ .is_known = true, .number = number };
}

static struct heap_cell text_cell(const char *text)
{
	return (struct heap_cell){ .is_known = true, .text = copy(text) };
}

static void add_heap_row(struct heap_report *report, struct heap_row row)
{
	if (!heap_row_vec_push(&report->rows, row))
		abort();
}

static struct heap_report *create_heap_table(void)
{
	static const struct heap_column columns[] = {
		{ "blocks", "blocks", HEAP_COUNT },
		{ "bytes", "bytes", HEAP_BYTES },
		{ "retained_bytes", "retained", HEAP_BYTES },
		{ "lost_blocks", NULL, HEAP_COUNT },
		{ "type", "type", HEAP_TEXT },
	};
	struct heap_report *report = heap_create("histogram", "redis-server (412)");
	report->columns = columns;
	report->nr_columns = ARRAY_SIZE(columns);
	report->verdict = copy("redis-server (412): 9.1 MB in 41208 blocks of 2 types");
	report->next = "dominators";
	report->next_purpose = "which blocks hold the most";
	report->rows_left_out = 1;
	add_heap_row(report, (struct heap_row){
				     .cells = { number_cell(40000), number_cell(9000000),
						number_cell(9100455), number_cell(8),
						text_cell("class Node") } });
	add_heap_row(report, (struct heap_row){
				     .cells = { number_cell(1),
						number_cell(120000),
						{ 0 },
						number_cell(0),
						text_cell("class std::map<std::string, "
							  "std::vector<orders::Line>>::"
							  "_Rb_tree_node") } });
	return report;
}

static struct heap_report *create_heap_tree(void)
{
	static const struct heap_column columns[] = {
		{ "retained_bytes", "retained", HEAP_BYTES },
		{ "percent", "share", HEAP_PERCENT },
		{ "address", "address", HEAP_ADDRESS },
		{ "type", "type", HEAP_TEXT },
		{ "sentence", NULL, HEAP_SENTENCE },
	};
	struct heap_report *report = heap_create("dominators", "\x1b[2J (5)");
	report->columns = columns;
	report->nr_columns = ARRAY_SIZE(columns);
	report->is_tree = true;
	report->asked = copy("0x55d0\n");
	report->file = copy("a\nb.seep");
	report->verdict = copy("\x1b[31mred");
	report->warnings = must(calloc(2, sizeof(char *)));
	report->warnings[0] = copy("4096 bytes are swapped out and were not read");
	add_heap_row(report, (struct heap_row){
				     .cells = { number_cell(9000000), number_cell(9868),
						number_cell(0x55d0c0a82b0),
						text_cell("class \x1b[2JNode"),
						text_cell("one block\nof \xff many") } });
	add_heap_row(report, (struct heap_row){
				     .depth = 1,
				     .cells = { number_cell(8000000), number_cell(8771),
						number_cell(0x55d0c0a9000),
						text_cell("24-byte block of text") } });
	return report;
}

const struct heap_sample heap_samples[] = {
	{ "table", create_heap_table },
	{ "hostile", create_heap_tree },
};
const size_t nr_heap_samples = ARRAY_SIZE(heap_samples);

/* --- by name ------------------------------------------------------------------------ */

struct leaks_report *leaks_sample(const char *name)
{
	for (size_t i = 0; i < nr_leaks_samples; i++)
		if (!strcmp(leaks_samples[i].name, name))
			return leaks_samples[i].create();
	fprintf(stderr, "no leaks sample is named %s\n", name);
	abort();
}

struct doctor_report *doctor_sample(const char *name)
{
	for (size_t i = 0; i < nr_doctor_samples; i++)
		if (!strcmp(doctor_samples[i].name, name))
			return doctor_samples[i].create();
	fprintf(stderr, "no doctor sample is named %s\n", name);
	abort();
}

struct snapshot_report *snapshot_sample(const char *name)
{
	for (size_t i = 0; i < nr_snapshot_samples; i++)
		if (!strcmp(snapshot_samples[i].name, name))
			return snapshot_samples[i].create();
	fprintf(stderr, "no snapshot sample is named %s\n", name);
	abort();
}

struct heap_report *heap_sample(const char *name)
{
	for (size_t i = 0; i < nr_heap_samples; i++)
		if (!strcmp(heap_samples[i].name, name))
			return heap_samples[i].create();
	fprintf(stderr, "no heap sample is named %s\n", name);
	abort();
}
