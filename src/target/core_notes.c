/*
 * core_notes: the notes of a core: threads, registers, the process, its mapped files.
 *
 * A note is three 32-bit words (sizes of name and contents, type), the name and the
 * contents, each padded to 4 bytes. A note of a kind that is not in the table is skipped; one
 * that is too small for its kind is damage.
 */
#include <elf.h>
#include <inttypes.h>
#include <string.h>
#include <sys/procfs.h>

#include "base/cleanup.h"
#include "target/core_file_priv.h"
#include "target/core_write.h"

struct note {
	const char *owner; /* with its NUL, as far as there is one */
	size_t owner_size;
	const unsigned char *bytes;
	size_t size;
};

/* --- kinds of notes ----------------------------------------------------------------- */

static struct error *take_prstatus(struct core_file *file, const struct note *note)
{
	struct elf_prstatus status;
	memcpy(&status, note->bytes, sizeof(status));
	struct core_thread thread = { .tid = status.pr_pid };
	static_assert(sizeof(thread.general) == sizeof(status.pr_reg),
		      "NT_PRSTATUS holds a user_regs_struct");
	memcpy(&thread.general, &status.pr_reg, sizeof(thread.general));
	if (!file->threads.nr)
		file->signal = status.pr_cursig;
	if (!file->pid)
		file->pid = status.pr_pid > 0 ? status.pr_pid : 0;
	return core_thread_vec_push(&file->threads, thread) ? NULL : error_no_memory();
}

/* The kernel writes both, the larger one after the smaller. */
static struct error *take_vectors(struct core_file *file, const struct note *note)
{
	if (!file->threads.nr)
		return NULL;
	struct core_thread *thread = &file->threads.items[file->threads.nr - 1];
	if (note->size > thread->vectors_size) {
		thread->vectors = note->bytes;
		thread->vectors_size = note->size;
	}
	return NULL;
}

static struct error *take_prpsinfo(struct core_file *file, const struct note *note)
{
	struct elf_prpsinfo info;
	memcpy(&info, note->bytes, sizeof(info));
	static_assert(sizeof(info.pr_fname) < sizeof(file->comm), "room for the NUL");
	memcpy(file->comm, info.pr_fname, sizeof(info.pr_fname));
	file->comm[sizeof(info.pr_fname)] = '\0';
	if (info.pr_pid > 0)
		file->pid = info.pr_pid;
	return NULL;
}

static struct error *take_auxv(struct core_file *file, const struct note *note)
{
	for (size_t i = 0; i + 16 <= note->size; i += 16) {
		uint64_t pair[2];
		memcpy(pair, note->bytes + i, sizeof(pair));
		if (pair[0] == AT_NULL)
			break;
		if (pair[0] == AT_RANDOM)
			file->stack_address = pair[1];
		if (pair[0] == AT_SYSINFO_EHDR)
			file->vdso_address = pair[1];
		if (pair[0] == AT_ENTRY)
			file->entry_address = pair[1];
	}
	return NULL;
}

static struct error *bad_files(const struct core_file *file, const char *how)
{
	return core_file_damaged(file, "the list of mapped files", 0, how);
}

/* Count, page size, then start, end and offset in pages of each, then all names. */
static struct error *take_files(struct core_file *file, const struct note *note)
{
	uint64_t head[2], words[3];
	memcpy(head, note->bytes, sizeof(head));
	if (head[0] > (note->size - sizeof(head)) / sizeof(words))
		return bad_files(file, "has more entries than room");
	const char *names =
		(const char *)note->bytes + sizeof(head) + head[0] * sizeof(words);
	const char *names_end = (const char *)note->bytes + note->size;
	for (uint64_t i = 0; i < head[0]; i++) {
		memcpy(words, note->bytes + sizeof(head) + i * sizeof(words),
		       sizeof(words));
		const char *end = memchr(names, '\0', (size_t)(names_end - names));
		if (!end)
			return bad_files(file, "has fewer names than entries");
		struct core_mapping mapping = { words[0], words[1], words[2] * head[1],
						names };
		if (mapping.start >= mapping.end || mapping.start % 4096 ||
		    mapping.end % 4096 || (head[1] && words[2] > UINT64_MAX / head[1]))
			return bad_files(file, "has an entry that makes no sense");
		if (!core_mapping_vec_push(&file->mappings, mapping))
			return error_no_memory();
		names = end + 1;
	}
	return NULL;
}

static int by_start(const void *a, const void *b)
{
	const struct core_absence *left = a, *right = b;
	return left->start < right->start ? -1 : left->start > right->start;
}

/* Sorts them, and joins those that touch or overlap. */
static void settle_absences(struct core_absence_vec *absences)
{
	size_t kept = 0;
	if (absences->nr)
		qsort(absences->items, absences->nr, sizeof(absences->items[0]),
		      by_start);
	for (size_t i = 0; i < absences->nr; i++) {
		struct core_absence *last = &absences->items[kept ? kept - 1 : 0];
		const struct core_absence next = absences->items[i];
		if (!kept || next.start > last->end)
			absences->items[kept++] = next;
		else if (next.end > last->end)
			last->end = next.end;
	}
	absences->nr = kept;
}

size_t core_file_absence(const struct core_file *file, uint64_t address)
{
	size_t low = 0, high = file->absences.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (file->absences.items[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct error *take_absences(struct core_file *file, const struct note *note)
{
	file->has_absences = true;
	for (size_t i = 0; i + sizeof(struct core_absence) <= note->size;
	     i += sizeof(struct core_absence)) {
		struct core_absence absence;
		memcpy(&absence, note->bytes + i, sizeof(absence));
		if (absence.start < absence.end &&
		    !core_absence_vec_push(&file->absences, absence))
			return error_no_memory();
	}
	settle_absences(&file->absences);
	return NULL;
}

/* The first two kinds come once per thread. */
static const struct note_kind {
	const char *owner;
	uint32_t type;
	size_t least_size;
	const char *place; /* for messages */
	struct error *(*take)(struct core_file *file, const struct note *note);
} kinds[] = {
	{ "CORE", NT_PRSTATUS, sizeof(struct elf_prstatus), "a thread's note",
	  take_prstatus },
	{ "CORE", NT_FPREGSET, 512, "a thread's vector registers", take_vectors },
	{ "LINUX", NT_X86_XSTATE, 512, "a thread's vector registers", take_vectors },
	{ "CORE", NT_PRPSINFO, sizeof(struct elf_prpsinfo), "the process's note",
	  take_prpsinfo },
	{ "CORE", NT_AUXV, 0, "the auxiliary vector", take_auxv },
	{ "CORE", NT_FILE, 16, "the list of mapped files", take_files },
	{ CORE_NOTE_OWNER, CORE_NOTE_ABSENT, 0, "the list of absent memory",
	  take_absences },
};

/* --- the walk over them ------------------------------------------------------------- */

static bool is_of_kind(const struct note *note, uint32_t type,
		       const struct note_kind *kind)
{
	size_t length = strlen(kind->owner);
	return type == kind->type && note->owner_size >= length &&
	       !memcmp(note->owner, kind->owner, length) &&
	       (note->owner_size == length || note->owner[length] == '\0');
}

static struct error *take_note(struct core_file *file, const struct note *note,
			       uint32_t type, size_t at)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!is_of_kind(note, type, &kinds[i]))
			continue;
		if (note->size < kinds[i].least_size)
			return core_file_damaged(file, kinds[i].place, at,
						 "of the notes is too small");
		return kinds[i].take(file, note);
	}
	return NULL;
}

static size_t padded(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

struct error *core_notes_parse(struct core_file *file)
{
	struct error *error = NULL;
	const size_t total = file->notes_size;
	for (size_t at = 0; !error && total - at >= sizeof(Elf64_Nhdr);) {
		Elf64_Nhdr header;
		memcpy(&header, file->notes + at, sizeof(header));
		size_t left = total - at - sizeof(header);
		size_t owner_room = padded(header.n_namesz);
		if (owner_room > left || header.n_descsz > left - owner_room)
			return core_file_damaged(file, "a note", at,
						 "of the notes is larger than they are");
		struct note note = {
			.owner = (const char *)file->notes + at + sizeof(header),
			.owner_size = header.n_namesz,
			.bytes = file->notes + at + sizeof(header) + owner_room,
			.size = header.n_descsz,
		};
		error = take_note(file, &note, header.n_type, at);
		size_t step = sizeof(header) + owner_room + padded(header.n_descsz);
		at = step < total - at ? at + step : total;
	}
	return error;
}
