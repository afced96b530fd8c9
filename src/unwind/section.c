/* section: see section.h. */
#include "unwind/section.h"

#include <elf.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>

#include "raw/system_call.h"

enum {
	MAX_KNOWN = 256,
	MAX_SEGMENTS = 64,
	MAX_SECTIONS = 4096,
	NAME_BYTES = 16,
};
#define NAME ".eh_frame"

/* --- the file ----------------------------------------------------------------------- */

static bool read_at(long file, uint64_t offset, void *bytes, size_t size)
{
	return system_call(SYS_pread64, file, (long)bytes, (long)size, (long)offset, 0,
			   0) == (long)size;
}

/* It is the one that is mapped if its segments are. */
static bool is_of(const struct dl_phdr_info *info, long file, const ElfW(Ehdr) * header)
{
	ElfW(Phdr) segment;
	bool same = memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
		    header->e_phnum == info->dlpi_phnum &&
		    header->e_phnum <= MAX_SEGMENTS &&
		    header->e_phentsize == sizeof(segment) &&
		    header->e_shentsize == sizeof(ElfW(Shdr));
	for (size_t i = 0; same && i < info->dlpi_phnum; i++)
		same = read_at(file, header->e_phoff + i * sizeof(segment), &segment,
			       sizeof(segment)) &&
		       memcmp(&segment, &info->dlpi_phdr[i], sizeof(segment)) == 0;
	return same;
}

/* All of it is mapped, to be read. */
static bool is_mapped(const struct dl_phdr_info *info, const ElfW(Shdr) * section)
{
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uint64_t offset = section->sh_addr - segment->p_vaddr;
		if (segment->p_type == PT_LOAD && (segment->p_flags & PF_R) &&
		    offset < segment->p_filesz &&
		    section->sh_size <= segment->p_filesz - offset)
			return true;
	}
	return false;
}

/* Its address as the file has it; 0: none. */
static uint64_t find_in(const struct dl_phdr_info *info, long file)
{
	ElfW(Ehdr) header = { 0 };
	ElfW(Shdr) names, section;
	char name[NAME_BYTES];
	if (!read_at(file, 0, &header, sizeof(header)) || !is_of(info, file, &header) ||
	    header.e_shnum > MAX_SECTIONS || header.e_shstrndx >= header.e_shnum ||
	    !read_at(file, header.e_shoff + header.e_shstrndx * sizeof(names), &names,
		     sizeof(names)))
		return 0;
	for (size_t i = 0; i < header.e_shnum; i++) {
		if (!read_at(file, header.e_shoff + i * sizeof(section), &section,
			     sizeof(section)))
			return 0;
		if ((section.sh_flags & SHF_ALLOC) && is_mapped(info, &section) &&
		    read_at(file, names.sh_offset + section.sh_name, name,
			    sizeof(NAME)) &&
		    memcmp(name, NAME, sizeof(NAME)) == 0)
			return section.sh_addr;
	}
	return 0;
}

static uint64_t look_up(const struct dl_phdr_info *info)
{
	/* musl names the program as it was called. */
	bool is_program = (uintptr_t)info->dlpi_phdr == getauxval(AT_PHDR);
	const char *path = is_program ? "/proc/self/exe" : info->dlpi_name;
	long file = system_call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0,
				0, 0);
	if (file < 0)
		return 0;
	uint64_t address = find_in(info, file);
	system_call(SYS_close, file, 0, 0, 0, 0, 0);
	return address ? info->dlpi_addr + address : 0;
}

/* --- what is known ------------------------------------------------------------------ */

struct known {
	_Atomic uint64_t start; /* of the module; 0: not yet written */
	uint64_t address;
};
static struct known known[MAX_KNOWN];
static _Atomic uint32_t nr_known;

static const struct known *find_known(uint64_t start)
{
	for (uint32_t i = 0; i < MAX_KNOWN; i++)
		if (atomic_load_explicit(&known[i].start, memory_order_acquire) == start)
			return &known[i];
	return NULL;
}

/* Twice is as good as once. */
static void keep(uint64_t start, uint64_t address)
{
	uint32_t i = atomic_fetch_add(&nr_known, 1);
	if (i >= MAX_KNOWN) {
		atomic_store(&nr_known, MAX_KNOWN);
		return;
	}
	known[i].address = address;
	atomic_store_explicit(&known[i].start, start, memory_order_release);
}

uint64_t section_eh_frame(const struct dl_phdr_info *info, uint64_t start)
{
	const struct known *found = find_known(start);
	if (found)
		return found->address;
	uint64_t address = look_up(info);
	keep(start, address);
	return address;
}
