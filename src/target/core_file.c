/* core_file: see core_file_priv.h; this file reads the headers. */
#include "target/core_file_priv.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PAGE_BYTES 4096u
/* vm.max_map_count is 65530 unless somebody raised it. */
#define SEGMENTS_MAX ((uint64_t)1 << 22)
/* 3 KiB per thread, and the names of all mapped files. */
#define NOTES_MAX ((uint64_t)512 << 20)

/* Where the program headers are. */
struct header_table {
	uint64_t offset, nr;
};

struct error *core_file_damaged(const struct core_file *file, const char *place,
				uint64_t offset, const char *how)
{
	return error_remedy(error_create(ERROR_FORMAT,
					 "%s is damaged: %s at offset %#" PRIx64 " %s",
					 file->path, place, offset, how),
			    "take another core, for example with: seep core PID -o FILE");
}

static struct error *cut_off(const struct core_file *file, const char *place,
			     uint64_t offset)
{
	return error_remedy(
		error_create(ERROR_FORMAT,
			     "%s is cut off: it ends at %" PRIu64
			     " bytes, before the end of %s at offset %#" PRIx64,
			     file->path, file->size, place, offset),
		"take a whole core: allow its size with ulimit -c unlimited, and look "
		"whether the disk was full");
}

struct error *core_file_read(const struct core_file *file, const char *place,
			     uint64_t offset, void *buffer, size_t size)
{
	if (offset > file->size || size > file->size - offset)
		return cut_off(file, place, offset);
	for (size_t done = 0; done < size;) {
		ssize_t got = pread(file->fd, (char *)buffer + done, size - done,
				    (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_create(ERROR_SYSTEM,
					    "cannot read %s: %s at offset %#" PRIx64
					    ": %s",
					    file->path, place, offset, strerror(errno));
		if (got == 0)
			return cut_off(file, place, offset);
		done += (size_t)got;
	}
	return NULL;
}

/* --- the file header ---------------------------------------------------------------- */

static struct error *foreign(const struct core_file *file, const char *of_what)
{
	return error_remedy(error_create(ERROR_REFUSED,
					 "%s is a core of %s; this seep reads those of "
					 "64-bit x86 programs",
					 file->path, of_what),
			    "use a seep that was built for that machine");
}

static struct error *check_header(const struct core_file *file, const Elf64_Ehdr *header)
{
	if (header->e_ident[EI_DATA] != ELFDATA2LSB)
		return foreign(file, "a machine with another byte order");
	if (header->e_ident[EI_CLASS] != ELFCLASS64)
		return foreign(file, "a 32-bit program");
	if (header->e_machine != EM_X86_64)
		return foreign(file, "another kind of processor");
	if (header->e_phentsize != sizeof(Elf64_Phdr))
		return core_file_damaged(file, "the file header", 0,
					 "says that program headers have another size");
	return NULL;
}

/* A count that does not fit stands in the first section header (gABI, PN_XNUM). */
static struct error *read_count(const struct core_file *file, const Elf64_Ehdr *header,
				uint64_t *nr)
{
	*nr = header->e_phnum;
	if (*nr != PN_XNUM)
		return NULL;
	Elf64_Shdr first = { 0 };
	if (!header->e_shoff)
		return core_file_damaged(
			file, "the file header", 0,
			"has no section header, where the number of segments should be");
	struct error *error = core_file_read(file, "the first section header",
					     header->e_shoff, &first, sizeof(first));
	*nr = first.sh_info;
	return error;
}

static struct error *read_header(const struct core_file *file, struct header_table *table)
{
	Elf64_Ehdr header = { 0 };
	struct error *error =
		core_file_read(file, "the file header", 0, &header, sizeof(header));
	if (!error)
		error = check_header(file, &header);
	if (!error)
		error = read_count(file, &header, &table->nr);
	if (error)
		return error;
	table->offset = header.e_phoff;
	if (table->nr > SEGMENTS_MAX)
		return core_file_damaged(file, "the program header table", table->offset,
					 "has more entries than a process has mappings");
	return NULL;
}

/* --- segments ----------------------------------------------------------------------- */

static struct error *bad_segment(const struct core_file *file,
				 const struct header_table *table, uint64_t index,
				 const char *how)
{
	char place[64];
	snprintf(place, sizeof(place), "segment %" PRIu64, index);
	return core_file_damaged(file, place, table->offset + index * sizeof(Elf64_Phdr),
				 how);
}

static unsigned flags_of(uint32_t flags)
{
	return (flags & PF_R ? REGION_READ : 0u) | (flags & PF_W ? REGION_WRITE : 0u) |
	       (flags & PF_X ? REGION_EXEC : 0u);
}

/* How much of [offset, offset + size) the file has. */
static uint64_t present_bytes(const struct core_file *file, uint64_t offset,
			      uint64_t size)
{
	uint64_t left = offset < file->size ? file->size - offset : 0;
	return size < left ? size : left;
}

static struct error *add_load(struct core_file *file, const struct header_table *table,
			      uint64_t index, const Elf64_Phdr *header)
{
	uint64_t start = header->p_vaddr, size = header->p_memsz;
	if (size == 0)
		return NULL;
	if (start % PAGE_BYTES != 0)
		return bad_segment(file, table, index, "begins in the middle of a page");
	if (size > UINT64_MAX - start - PAGE_BYTES)
		return bad_segment(file, table, index, "ends beyond all addresses");
	if (header->p_filesz > size)
		return bad_segment(file, table, index,
				   "has more bytes in the file than in memory");
	if (header->p_offset > INT64_MAX || header->p_filesz > INT64_MAX)
		return bad_segment(file, table, index,
				   "lies beyond what a file can hold");
	struct core_segment segment = {
		.start = start,
		.end = (start + size + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1),
		.offset = header->p_offset,
		.dumped = header->p_filesz,
		.present = present_bytes(file, header->p_offset, header->p_filesz),
		.flags = flags_of(header->p_flags),
	};
	file->cut_bytes += segment.dumped - segment.present;
	return core_segment_vec_push(&file->segments, segment) ? NULL : error_no_memory();
}

static struct error *add_notes(struct core_file *file, const Elf64_Phdr *header)
{
	uint64_t size = header->p_filesz;
	if (size > NOTES_MAX - file->notes_size)
		return core_file_damaged(file, "the notes", header->p_offset,
					 "are larger than any process needs");
	if (present_bytes(file, header->p_offset, size) < size)
		return cut_off(file, "the notes", header->p_offset);
	unsigned char *notes = realloc(file->notes, file->notes_size + size + 1);
	if (!notes)
		return error_no_memory();
	file->notes = notes;
	struct error *error = core_file_read(file, "the notes", header->p_offset,
					     notes + file->notes_size, size);
	file->notes_size += size;
	return error;
}

static struct error *read_segments(struct core_file *file,
				   const struct header_table *table)
{
	size_t bytes = table->nr * sizeof(Elf64_Phdr);
	if (table->offset > file->size || bytes > file->size - table->offset)
		return cut_off(file, "the program header table", table->offset);
	CLEANUP_FREE Elf64_Phdr *headers = calloc(table->nr + 1, sizeof(*headers));
	if (!headers)
		return error_no_memory();
	struct error *error = core_file_read(file, "the program header table",
					     table->offset, headers, bytes);
	for (uint64_t i = 0; !error && i < table->nr; i++) {
		if (headers[i].p_type == PT_LOAD)
			error = add_load(file, table, i, &headers[i]);
		else if (headers[i].p_type == PT_NOTE)
			error = add_notes(file, &headers[i]);
	}
	return error;
}

static int by_start(const void *a, const void *b)
{
	const struct core_segment *left = a, *right = b;
	return left->start < right->start ? -1 : left->start > right->start;
}

static struct error *sort_segments(struct core_file *file)
{
	struct core_segment *segments = file->segments.items;
	if (file->segments.nr == 0)
		return error_remedy(error_create(ERROR_FORMAT,
						 "%s holds no memory: it has no segments",
						 file->path),
				    "take a whole core: see coredump_filter in core(5)");
	qsort(segments, file->segments.nr, sizeof(segments[0]), by_start);
	for (size_t i = 1; i < file->segments.nr; i++)
		if (segments[i].start < segments[i - 1].end)
			return core_file_damaged(file, "the segment whose contents are",
						 segments[i].offset,
						 "overlaps another one in memory");
	return NULL;
}

const struct core_segment *core_file_segment(const struct core_file *file,
					     uint64_t address)
{
	size_t low = 0, high = file->segments.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (file->segments.items[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == file->segments.nr || file->segments.items[low].start > address)
		return NULL;
	return &file->segments.items[low];
}

/* --- public ------------------------------------------------------------------------- */

struct error *core_file_open(int fd, const char *path, struct core_file *file)
{
	*file = (struct core_file){ .fd = fd, .path = strdup(path) };
	struct stat status;
	if (!file->path)
		return error_no_memory();
	if (fstat(fd, &status) != 0)
		return error_create(ERROR_SYSTEM, "cannot read %s: %s", path,
				    strerror(errno));
	file->size = (uint64_t)status.st_size;
	struct header_table table = { 0 };
	struct error *error = read_header(file, &table);
	if (!error)
		error = read_segments(file, &table);
	if (!error)
		error = sort_segments(file);
	return error ? error : core_notes_parse(file);
}

void core_file_deinit(struct core_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	free(file->path);
	free(file->notes);
	core_segment_vec_deinit(&file->segments);
	core_mapping_vec_deinit(&file->mappings);
	core_thread_vec_deinit(&file->threads);
	core_absence_vec_deinit(&file->absences);
}
