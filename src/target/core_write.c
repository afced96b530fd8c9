/* core_write: see core_write.h. The notes' layouts are the kernel's (fs/binfmt_elf.c). */
#include "target/core_write.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/statvfs.h>
#include <sys/user.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "target/core_plan.h"

#define PAGE_BYTES  ((uint64_t)4096)
#define PIECE_BYTES ((size_t)1 << 20)
/* The part of an XSAVE area that FXSAVE knows too. */
#define FXSAVE_BYTES ((size_t)512)

/* What every function here needs. */
struct writing {
	struct target *target;
	const struct core_facts *facts;
	int fd;
	const char *path;
	struct core_plan plan;
	struct str notes;
	uint64_t written;
};

/* --- notes -------------------------------------------------------------------------- */

static void pad(struct str *out)
{
	static const char zeros[4];
	if (out->length % 4)
		str_append(out, zeros, 4 - out->length % 4);
}

static void put_note(struct str *out, const char *owner, uint32_t type, const void *bytes,
		     size_t size)
{
	const Elf64_Nhdr header = {
		.n_namesz = (Elf64_Word)strlen(owner) + 1,
		.n_descsz = (Elf64_Word)size,
		.n_type = type,
	};
	str_append(out, (const char *)&header, sizeof(header));
	str_append(out, owner, strlen(owner) + 1);
	pad(out);
	if (size)
		str_append(out, bytes, size);
	pad(out);
}

static void put_prstatus(struct writing *writing, const struct thread *thread)
{
	struct elf_prstatus status = {
		.pr_pid = thread->tid,
		.pr_ppid = writing->facts->parent,
		.pr_pgrp = writing->facts->group,
		.pr_sid = writing->facts->session,
		.pr_fpvalid = thread->vectors_size >= FXSAVE_BYTES,
	};
	if (thread->general)
		memcpy(&status.pr_reg, thread->general, sizeof(status.pr_reg));
	put_note(&writing->notes, "CORE", NT_PRSTATUS, &status, sizeof(status));
}

static void put_vectors(struct writing *writing, const struct thread *thread)
{
	if (thread->vectors_size < FXSAVE_BYTES)
		return;
	put_note(&writing->notes, "CORE", NT_FPREGSET, thread->vectors, FXSAVE_BYTES);
	if (thread->vectors_size > FXSAVE_BYTES)
		put_note(&writing->notes, "LINUX", NT_X86_XSTATE, thread->vectors,
			 thread->vectors_size);
}

static void put_prpsinfo(struct writing *writing)
{
	const struct core_facts *facts = writing->facts;
	static const char states[] = "RSDTZW";
	const char *state = facts->state ? strchr(states, facts->state) : NULL;
	struct elf_prpsinfo info = {
		.pr_state = (char)(state ? state - states : 0),
		.pr_sname = facts->state,
		.pr_zomb = facts->state == 'Z',
		.pr_uid = facts->uid,
		.pr_gid = facts->gid,
		.pr_pid = facts->pid,
		.pr_ppid = facts->parent,
		.pr_pgrp = facts->group,
		.pr_sid = facts->session,
	};
	static_assert(sizeof(info.pr_fname) == sizeof(facts->comm), "a name's size");
	static_assert(sizeof(info.pr_psargs) == sizeof(facts->words), "words' size");
	memcpy(info.pr_fname, facts->comm, sizeof(info.pr_fname));
	memcpy(info.pr_psargs, facts->words, sizeof(info.pr_psargs));
	put_note(&writing->notes, "CORE", NT_PRPSINFO, &info, sizeof(info));
}

static bool is_of_file(const struct region *region)
{
	return region->inode && region->name[0] == '/';
}

static void put_files(struct writing *writing)
{
	const struct region_vec *regions = &writing->target->regions;
	struct str entries = { 0 }, names = { 0 };
	uint64_t head[2] = { 0, PAGE_BYTES };
	for (size_t i = 0; i < regions->nr; i++)
		head[0] += is_of_file(&regions->items[i]);
	str_append(&entries, (const char *)head, sizeof(head));
	for (size_t i = 0; i < regions->nr; i++) {
		const struct region *region = &regions->items[i];
		uint64_t words[3] = { region->start, region->end,
				      region->offset / PAGE_BYTES };
		if (!is_of_file(region))
			continue;
		str_append(&entries, (const char *)words, sizeof(words));
		str_append(&names, region->name, strlen(region->name) + 1);
	}
	if (names.length)
		str_append(&entries, names.text, names.length);
	put_note(&writing->notes, "CORE", NT_FILE, entries.text, entries.length);
	writing->notes.failed |= entries.failed || names.failed;
	str_deinit(&entries);
	str_deinit(&names);
}

static void put_left_out(struct writing *writing)
{
	struct str pairs = { 0 };
	const struct extent_vec *left_out = &writing->plan.left_out;
	for (size_t i = 0; i < left_out->nr; i++) {
		uint64_t pair[2] = { left_out->items[i].start, left_out->items[i].end };
		str_append(&pairs, (const char *)pair, sizeof(pair));
	}
	put_note(&writing->notes, CORE_NOTE_OWNER, CORE_NOTE_ABSENT, pairs.text,
		 pairs.length);
	writing->notes.failed |= pairs.failed;
	str_deinit(&pairs);
}

/* In the kernel's order: what is of the process stands behind the first thread's note. */
static struct error *make_notes(struct writing *writing)
{
	static const siginfo_t no_signal;
	const struct thread_vec *threads = &writing->target->threads;
	for (size_t i = 0; i < threads->nr; i++) {
		put_prstatus(writing, &threads->items[i]);
		if (i == 0) {
			put_prpsinfo(writing);
			put_note(&writing->notes, "CORE", NT_SIGINFO, &no_signal,
				 sizeof(no_signal));
			put_note(&writing->notes, "CORE", NT_AUXV, writing->facts->auxv,
				 writing->facts->auxv_size);
			put_files(writing);
		}
		put_vectors(writing, &threads->items[i]);
	}
	put_left_out(writing);
	return writing->notes.failed ? error_no_memory() : NULL;
}

/* --- headers ------------------------------------------------------------------------ */

static uint32_t flags_of(unsigned flags)
{
	return (flags & REGION_READ ? PF_R : 0u) | (flags & REGION_WRITE ? PF_W : 0u) |
	       (flags & REGION_EXEC ? PF_X : 0u);
}

/* More segments than fit into 16 bits are counted in a section header. */
static void put_file_header(struct str *out, uint64_t nr_headers, bool is_large)
{
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT, ELFOSABI_NONE },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)(is_large ? PN_XNUM : nr_headers),
		.e_shoff = is_large ? sizeof(header) + nr_headers * sizeof(Elf64_Phdr)
				    : 0,
		.e_shentsize = is_large ? sizeof(Elf64_Shdr) : 0,
		.e_shnum = is_large,
	};
	str_append(out, (const char *)&header, sizeof(header));
}

static void put_loads(struct str *out, const struct core_plan *plan)
{
	for (size_t i = 0; i < plan->segments.nr; i++) {
		const struct core_plan_segment *segment = &plan->segments.items[i];
		const Elf64_Phdr header = {
			.p_type = PT_LOAD,
			.p_flags = flags_of(segment->flags),
			.p_offset = segment->offset,
			.p_vaddr = segment->start,
			.p_filesz = segment->dumped,
			.p_memsz = segment->end - segment->start,
			.p_align = PAGE_BYTES,
		};
		str_append(out, (const char *)&header, sizeof(header));
	}
}

static bool needs_large_count(const struct core_plan *plan)
{
	return plan->segments.nr + 1 >= PN_XNUM;
}

static uint64_t headers_size(const struct core_plan *plan)
{
	return sizeof(Elf64_Ehdr) + (plan->segments.nr + 1) * sizeof(Elf64_Phdr) +
	       (needs_large_count(plan) ? sizeof(Elf64_Shdr) : 0);
}

/* Everything before the memory. */
static void put_headers(struct str *out, const struct writing *writing)
{
	const struct core_plan *plan = &writing->plan;
	const uint64_t nr_headers = plan->segments.nr + 1;
	const bool is_large = needs_large_count(plan);
	const Elf64_Phdr notes = {
		.p_type = PT_NOTE,
		.p_offset = headers_size(plan),
		.p_filesz = writing->notes.length,
		.p_align = 4,
	};
	const Elf64_Shdr count = { .sh_size = 1, .sh_info = (Elf64_Word)nr_headers };
	put_file_header(out, nr_headers, is_large);
	str_append(out, (const char *)&notes, sizeof(notes));
	put_loads(out, plan);
	if (is_large)
		str_append(out, (const char *)&count, sizeof(count));
	str_append(out, writing->notes.text, writing->notes.length);
}

/* --- the file ----------------------------------------------------------------------- */

static struct error *cannot_write(const struct writing *writing)
{
	struct error *error = error_create(ERROR_SYSTEM, "cannot write %s: %s",
					   writing->path, strerror(errno));
	return errno == ENOSPC || errno == EFBIG
		       ? error_remedy(error,
				      "write to a place with room for %" PRIu64 " MB",
				      writing->plan.run_bytes / 1000000 + 1)
		       : error;
}

static struct error *put_at(struct writing *writing, uint64_t offset, const char *bytes,
			    size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t put = pwrite(writing->fd, bytes + done, size - done,
				     (off_t)(offset + done));
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return cannot_write(writing);
		done += (size_t)put;
	}
	writing->written += size;
	return NULL;
}

/* Asked before anything is written, so that a full disk is not found out while the target
   waits. */
static struct error *check_room(const struct writing *writing)
{
	struct statvfs room;
	/* A memory file system may have no limit of its own, and says 0. */
	if (fstatvfs(writing->fd, &room) != 0 || room.f_blocks == 0)
		return NULL;
	uint64_t free_bytes = (uint64_t)room.f_bavail * room.f_frsize;
	if (writing->plan.run_bytes <= free_bytes)
		return NULL;
	return error_remedy(
		error_create(ERROR_SYSTEM,
			     "%s needs %" PRIu64 " MB, and %" PRIu64 " MB are free there",
			     writing->path, writing->plan.run_bytes / 1000000 + 1,
			     free_bytes / 1000000),
		"write it to another place");
}

/* What cannot be read at all is a device's memory: the segment ends before it. */
static struct error *copy_run(struct writing *writing, const struct core_plan_run *run,
			      char *buffer)
{
	struct core_plan_segment *segment = &writing->plan.segments.items[run->segment];
	for (uint64_t at = run->start; at < run->end;) {
		size_t size = run->end - at < PIECE_BYTES ? (size_t)(run->end - at)
							  : PIECE_BYTES;
		size_t nr_read = 0;
		struct error *error = writing->target->ops->read(writing->target, at,
								 buffer, size, &nr_read);
		if (!error)
			error = put_at(writing, segment->offset + (at - segment->start),
				       buffer, nr_read);
		if (error)
			return error;
		at += nr_read;
		if (nr_read < size) {
			segment->dumped = at - segment->start;
			break;
		}
	}
	return NULL;
}

static struct error *copy_memory(struct writing *writing)
{
	CLEANUP_FREE char *buffer = malloc(PIECE_BYTES);
	struct error *error = buffer ? NULL : error_no_memory();
	for (size_t i = 0; !error && i < writing->plan.runs.nr; i++) {
		const struct core_plan_run *run = &writing->plan.runs.items[i];
		const struct core_plan_segment *segment =
			&writing->plan.segments.items[run->segment];
		if (run->start < segment->start + segment->dumped)
			error = copy_run(writing, run, buffer);
	}
	return error;
}

/* The headers come last: by then it is known what could be read. */
static struct error *write_all(struct writing *writing, struct core_outcome *outcome)
{
	struct error *error = make_notes(writing);
	if (error)
		return error;
	outcome->file_bytes = core_plan_place(
		&writing->plan, headers_size(&writing->plan) + writing->notes.length);
	error = check_room(writing);
	if (!error)
		error = copy_memory(writing);
	outcome->memory_bytes = writing->written;
	struct str headers = { 0 };
	put_headers(&headers, writing);
	if (!error && headers.failed)
		error = error_no_memory();
	if (!error)
		error = put_at(writing, 0, headers.text, headers.length);
	str_deinit(&headers);
	if (!error && ftruncate(writing->fd, (off_t)outcome->file_bytes) != 0)
		error = cannot_write(writing);
	return error;
}

struct error *core_write(struct target *target, const struct core_facts *facts, int fd,
			 const char *path, struct core_outcome *outcome)
{
	*outcome = (struct core_outcome){ 0 };
	struct writing writing = {
		.target = target, .facts = facts, .fd = fd, .path = path
	};
	struct error *error = core_plan_make(target, &writing.plan);
	if (!error)
		error = write_all(&writing, outcome);
	for (size_t i = 0; i < writing.plan.left_out.nr; i++)
		outcome->left_out_bytes += writing.plan.left_out.items[i].end -
					   writing.plan.left_out.items[i].start;
	core_plan_deinit(&writing.plan);
	str_deinit(&writing.notes);
	return error;
}
