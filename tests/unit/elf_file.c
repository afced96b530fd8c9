/*
 * Tests of sym/elf_file: real files of this machine, a small shared library made here with
 * every table that is read, and that library damaged in every way thought of.
 */
#include "sym/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <inttypes.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/vec.h"

/* --- a small library ---------------------------------------------------------------- */

enum { NOTHING, OUTER, INNER, LABEL, ALIAS, THREAD_LOCAL, UNDEFINED, NR_SYMBOLS };

enum {
	SECTION_NONE,
	SECTION_DYNSYM,
	SECTION_DYNSTR,
	SECTION_VERSIONS,
	SECTION_NAMES,
	SECTION_NOTE,
	NR_SECTIONS,
};

/* Name offsets in `strings` below. */
static const char string_bytes[] =
	"\0outer\0inner\0label\0__outer\0tls\0missing\0"
	"SEEP_1.2\0SEEP_1.10\0SEEP_1.9.9\0SEEP_PRIVATE\0small.so";
static const char name_bytes[] = "\0.dynsym\0.dynstr\0.gnu.version_d\0.shstrtab\0.note";

struct version {
	Elf64_Verdef definition;
	Elf64_Verdaux name;
};

#define BASE 0x10000u /* virtual address of file offset 0 */

struct small {
	Elf64_Ehdr header;
	Elf64_Phdr segments[4]; /* load, dynamic, note, interpreter */
	struct {
		Elf64_Nhdr header;
		char name[4];
		unsigned char id[8];
	} note;
	char interpreter[16];
	Elf64_Dyn dynamic[6];
	Elf64_Sym symbols[NR_SYMBOLS];
	uint32_t hash[2 + 1 + NR_SYMBOLS];
	/* head, one bloom word, one bucket, a chain of all but the first symbol */
	uint32_t gnu_hash[4 + 2 + 1 + NR_SYMBOLS - 1];
	struct version versions[4];
	char strings[sizeof(string_bytes)];
	char names[sizeof(name_bytes)];
	Elf64_Shdr sections[NR_SECTIONS];
};

static uint32_t find_text(const char *bytes, size_t size, const char *text)
{
	const char *found = memmem(bytes, size, text, strlen(text) + 1);
	assert_non_null(found);
	return (uint32_t)(found - bytes);
}

static uint32_t string_at(const char *text)
{
	return find_text(string_bytes, sizeof(string_bytes), text);
}

static uint32_t name_at(const char *text)
{
	return find_text(name_bytes, sizeof(name_bytes), text);
}

static void fill_symbol(struct small *small, unsigned index, const char *name,
			unsigned char info, uint64_t address, uint64_t size)
{
	small->symbols[index] = (Elf64_Sym){
		.st_name = string_at(name),
		.st_info = info,
		.st_shndx = index == UNDEFINED ? SHN_UNDEF : 1,
		.st_value = address,
		.st_size = size,
	};
}

static void fill_symbols(struct small *small)
{
	fill_symbol(small, OUTER, "outer", ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0x11000,
		    0x100);
	fill_symbol(small, INNER, "inner", ELF64_ST_INFO(STB_LOCAL, STT_FUNC), 0x11010,
		    8);
	fill_symbol(small, LABEL, "label", ELF64_ST_INFO(STB_LOCAL, STT_NOTYPE), 0x11020,
		    0);
	fill_symbol(small, ALIAS, "__outer", ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0x11000,
		    0x100);
	fill_symbol(small, THREAD_LOCAL, "tls", ELF64_ST_INFO(STB_GLOBAL, STT_TLS),
		    0x11050, 8);
	fill_symbol(small, UNDEFINED, "missing", ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0,
		    0);
}

static void fill_hashes(struct small *small)
{
	small->hash[0] = 1;
	small->hash[1] = NR_SYMBOLS;
	small->gnu_hash[0] = 1; /* buckets */
	small->gnu_hash[1] = 1; /* first hashed symbol */
	small->gnu_hash[2] = 1; /* bloom words */
	small->gnu_hash[6] = 1; /* the bucket's first symbol */
	for (unsigned i = 1; i < NR_SYMBOLS; i++)
		small->gnu_hash[6 + i] = i == NR_SYMBOLS - 1 ? 0x1001 : 0x1000;
}

static void fill_versions(struct small *small)
{
	static const char *const names[] = { "SEEP_1.2", "SEEP_1.10", "SEEP_1.9.9",
					     "SEEP_PRIVATE" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct version *version = &small->versions[i];
		bool is_last = i + 1 == ARRAY_SIZE(names);
		version->definition.vd_version = 1;
		version->definition.vd_cnt = 1;
		version->definition.vd_aux = offsetof(struct version, name);
		version->definition.vd_next = is_last ? 0 : sizeof(*version);
		version->name.vda_name = string_at(names[i]);
	}
}

static void fill_segment(struct small *small, unsigned index, uint32_t type,
			 size_t offset, size_t size)
{
	small->segments[index] = (Elf64_Phdr){
		.p_type = type,
		.p_flags = PF_R | PF_X,
		.p_offset = offset,
		.p_vaddr = BASE + offset,
		.p_filesz = size,
		.p_memsz = size,
		.p_align = type == PT_LOAD ? 0x1000 : 4,
	};
}

static void fill_section(struct small *small, unsigned index, const char *name,
			 uint32_t type, size_t offset, size_t size)
{
	small->sections[index] = (Elf64_Shdr){
		.sh_name = name_at(name),
		.sh_type = type,
		.sh_link = SECTION_DYNSTR,
		.sh_offset = offset,
		.sh_size = size,
	};
}

#define PART(member) offsetof(struct small, member), sizeof(((struct small *)0)->member)

static void fill_tables(struct small *small)
{
	fill_segment(small, 0, PT_LOAD, 0, sizeof(*small));
	fill_segment(small, 1, PT_DYNAMIC, PART(dynamic));
	fill_segment(small, 2, PT_NOTE, PART(note));
	fill_segment(small, 3, PT_INTERP, PART(interpreter));
	fill_section(small, SECTION_DYNSYM, ".dynsym", SHT_DYNSYM, PART(symbols));
	fill_section(small, SECTION_DYNSTR, ".dynstr", SHT_STRTAB, PART(strings));
	fill_section(small, SECTION_VERSIONS, ".gnu.version_d", SHT_GNU_verdef,
		     PART(versions));
	fill_section(small, SECTION_NAMES, ".shstrtab", SHT_STRTAB, PART(names));
	fill_section(small, SECTION_NOTE, ".note", SHT_NOTE, PART(note));
}

static void fill_dynamic(struct small *small)
{
	const Elf64_Dyn entries[] = {
		{ DT_SYMTAB, { BASE + offsetof(struct small, symbols) } },
		{ DT_STRTAB, { BASE + offsetof(struct small, strings) } },
		{ DT_STRSZ, { sizeof(small->strings) } },
		{ DT_HASH, { BASE + offsetof(struct small, hash) } },
		{ DT_VERDEF, { BASE + offsetof(struct small, versions) } },
		{ DT_NULL, { 0 } },
	};
	memcpy(small->dynamic, entries, sizeof(entries));
}

static struct small make_small(void)
{
	struct small small = { 0 };
	memcpy(small.header.e_ident, ELFMAG, SELFMAG);
	small.header.e_ident[EI_CLASS] = ELFCLASS64;
	small.header.e_ident[EI_DATA] =
		__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	small.header.e_ident[EI_VERSION] = EV_CURRENT;
	small.header.e_type = ET_DYN;
	small.header.e_machine = EM_AARCH64;
	small.header.e_phoff = offsetof(struct small, segments);
	small.header.e_phentsize = sizeof(Elf64_Phdr);
	small.header.e_phnum = ARRAY_SIZE(small.segments);
	small.header.e_shoff = offsetof(struct small, sections);
	small.header.e_shentsize = sizeof(Elf64_Shdr);
	small.header.e_shnum = NR_SECTIONS;
	small.header.e_shstrndx = SECTION_NAMES;
	small.note.header = (Elf64_Nhdr){ 4, sizeof(small.note.id), NT_GNU_BUILD_ID };
	memcpy(small.note.name, ELF_NOTE_GNU, 4);
	memcpy(small.note.id, "\xde\xad\xbe\xef\x01\x02\x03\x04", sizeof(small.note.id));
	strcpy(small.interpreter, "/lib/ld.so");
	memcpy(small.strings, string_bytes, sizeof(string_bytes));
	memcpy(small.names, name_bytes, sizeof(name_bytes));
	fill_symbols(&small);
	fill_hashes(&small);
	fill_versions(&small);
	fill_tables(&small);
	fill_dynamic(&small);
	return small;
}

static void remove_sections(struct small *small)
{
	small->header.e_shoff = 0;
	small->header.e_shnum = 0;
	small->header.e_shstrndx = 0;
	memset(small->sections, 0xff, sizeof(small->sections));
}

/* --- helpers ------------------------------------------------------------------------ */

static int memory_file(const void *bytes, size_t size)
{
	int fd = memfd_create("elf_file", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	return fd;
}

static struct elf_file *open_bytes(const void *bytes, size_t size)
{
	struct elf_file *file;
	struct error *error = elf_file_open(memory_file(bytes, size), "small.so", &file);
	if (error)
		fail_msg("%s", error->sentence);
	return file;
}

static struct elf_file *open_small(const struct small *small)
{
	return open_bytes(small, sizeof(*small));
}

static struct elf_file *open_path(const char *path)
{
	struct elf_file *file;
	struct error *error =
		elf_file_open(open(path, O_RDONLY | O_CLOEXEC), path, &file);
	if (error)
		fail_msg("%s", error->sentence);
	return file;
}

/* Asks all there is to ask; the sanitizers watch. */
static void use_everything(struct elf_file *file)
{
	size_t nr;
	uint64_t offset;
	elf_file_is_dynamic(file);
	elf_file_interpreter(file);
	elf_file_build_id(file);
	elf_file_has_section(file, ".dynsym");
	const struct elf_segment *segments = elf_file_segments(file, &nr);
	for (size_t i = 0; i < nr; i++)
		elf_file_bias(file, 0x7f0000000000, segments[i].offset);
	const struct elf_symbol *symbols = elf_file_symbols(file, &nr);
	for (size_t i = 0; i < nr; i++) {
		assert_true(strlen(symbols[i].name) > 0);
		elf_file_symbol_at(file, symbols[i].address);
		elf_file_symbol_at(file, symbols[i].address + symbols[i].size - 1);
	}
	elf_file_symbol_at(file, UINT64_MAX);
	elf_file_symbol(file, "outer");
	elf_file_version(file, "SEEP_");
	elf_file_contains(file, "SEEP_1.10", 9, &offset);
}

/* True if it could be opened; an error must name the file. */
static bool survives(const void *bytes, size_t size)
{
	struct elf_file *file;
	struct error *error = elf_file_open(memory_file(bytes, size), "small.so", &file);
	if (error) {
		assert_null(file);
		assert_non_null(strstr(error->sentence, "small.so"));
		error_destroy(error);
		return false;
	}
	use_everything(file);
	elf_file_destroy(file);
	return true;
}

static void assert_refused(const struct small *small, const char *place)
{
	struct elf_file *file;
	struct error *error =
		elf_file_open(memory_file(small, sizeof(*small)), "small.so", &file);
	assert_non_null(error);
	assert_null(file);
	assert_int_equal(error->code, ERROR_FORMAT);
	if (!strstr(error->sentence, place))
		fail_msg("\"%s\" does not say \"%s\"", error->sentence, place);
	error_destroy(error);
}

static const char *name_of(struct elf_file *file, uint64_t address)
{
	const struct elf_symbol *symbol = elf_file_symbol_at(file, address);
	return symbol ? symbol->name : "none";
}

/* --- the small library -------------------------------------------------------------- */

static void tells_what_headers_say(void **state)
{
	(void)state;
	struct small small = make_small();
	struct elf_file *file = open_small(&small);
	size_t nr;
	assert_int_equal(elf_file_class(file), 64);
	assert_int_equal(elf_file_machine(file), EM_AARCH64);
	assert_true(elf_file_is_dynamic(file));
	assert_string_equal(elf_file_interpreter(file), "/lib/ld.so");
	assert_string_equal(elf_file_build_id(file), "deadbeef01020304");
	assert_true(elf_file_has_section(file, ".gnu.version_d"));
	assert_false(elf_file_has_section(file, ".gnu.version"));
	const struct elf_segment *segments = elf_file_segments(file, &nr);
	assert_int_equal(nr, ARRAY_SIZE(small.segments));
	assert_int_equal(segments[0].type, PT_LOAD);
	assert_int_equal(segments[0].address, BASE);
	assert_int_equal(segments[0].file_size, sizeof(small));
	elf_file_destroy(file);
}

static void assert_small_symbols(struct elf_file *file)
{
	size_t nr;
	const struct elf_symbol *symbols = elf_file_symbols(file, &nr);
	assert_int_equal(nr, NR_SYMBOLS - 2);
	for (size_t i = 1; i < nr; i++)
		assert_true(symbols[i - 1].address <= symbols[i].address);
	assert_null(elf_file_symbol(file, "missing"));
	assert_null(elf_file_symbol(file, ""));
	assert_int_equal(elf_file_symbol(file, "inner")->address, 0x11010);
	assert_false(elf_file_symbol(file, "inner")->is_global);
	assert_true(elf_file_symbol(file, "outer")->is_global);
	assert_int_equal(elf_file_symbol(file, "tls")->type, STT_TLS);
	assert_int_equal(elf_file_version(file, "SEEP_"), 1010);
	assert_int_equal(elf_file_version(file, "GLIBC_"), 0);
}

static void finds_symbols_through_sections(void **state)
{
	(void)state;
	struct small small = make_small();
	memset(small.dynamic, 0, sizeof(small.dynamic));
	struct elf_file *file = open_small(&small);
	assert_small_symbols(file);
	elf_file_destroy(file);
}

static void finds_symbols_without_sections(void **state)
{
	(void)state;
	struct small small = make_small();
	remove_sections(&small);
	struct elf_file *file = open_small(&small);
	assert_small_symbols(file);
	assert_string_equal(elf_file_build_id(file), "deadbeef01020304");
	elf_file_destroy(file);
}

static void counts_symbols_by_gnu_hash(void **state)
{
	(void)state;
	struct small small = make_small();
	remove_sections(&small);
	small.dynamic[3].d_tag = DT_GNU_HASH;
	small.dynamic[3].d_un.d_ptr = BASE + offsetof(struct small, gnu_hash);
	struct elf_file *file = open_small(&small);
	assert_small_symbols(file);
	elf_file_destroy(file);
}

static void innermost_symbol_covers(void **state)
{
	(void)state;
	struct small small = make_small();
	struct elf_file *file = open_small(&small);
	assert_string_equal(name_of(file, 0x10fff), "none");
	assert_string_equal(name_of(file, 0x11000), "outer"); /* not __outer */
	assert_string_equal(name_of(file, 0x11010), "inner");
	assert_string_equal(name_of(file, 0x11017), "inner");
	assert_string_equal(name_of(file, 0x11018), "outer");
	assert_string_equal(name_of(file, 0x11020), "label");
	assert_string_equal(name_of(file, 0x11021), "outer");
	assert_string_equal(name_of(file, 0x11050),
			    "outer"); /* a TLS offset is no address */
	assert_string_equal(name_of(file, 0x110ff), "outer");
	assert_string_equal(name_of(file, 0x11100), "none");
	elf_file_destroy(file);
}

static void global_symbol_covers_before_local(void **state)
{
	(void)state;
	struct small small = make_small();
	small.symbols[INNER].st_value = 0x11000;
	small.symbols[INNER].st_size = 0x100;
	struct elf_file *file = open_small(&small);
	assert_string_equal(name_of(file, 0x11004), "outer");
	elf_file_destroy(file);
}

static void section_placeholders_are_none(void **state)
{
	(void)state;
	struct small small = make_small();
	small.sections[SECTION_DYNSYM].sh_type = SHT_NOBITS;
	struct elf_file *file = open_small(&small);
	assert_false(elf_file_has_section(file, ".dynsym"));
	elf_file_destroy(file);
}

static void bias_is_of_the_segment_mapped(void **state)
{
	(void)state;
	struct small small = make_small();
	/* Two segments that share the file's second page, as linkers lay them out. */
	fill_segment(&small, 0, PT_LOAD, 0, 0x1234);
	fill_segment(&small, 1, PT_LOAD, 0x1238, 0x2000);
	small.segments[1].p_vaddr = 0x22238;
	struct elf_file *file = open_small(&small);
	uint64_t loaded = 0x7f0000000000;
	assert_int_equal(elf_file_bias(file, loaded + BASE, 0), loaded);
	assert_int_equal(elf_file_bias(file, loaded + 0x22000, 0x1000), loaded);
	assert_int_equal(elf_file_bias(file, loaded + 0x23000, 0x2000), loaded);
	assert_int_equal(elf_file_bias(file, loaded + 0x9000, 0x9000), loaded);
	elf_file_destroy(file);
}

static void reads_32_bit_files(void **state)
{
	(void)state;
	struct {
		Elf32_Ehdr header;
		Elf32_Phdr segment;
	} image = {
		.header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB,
					 1 },
			    .e_machine = EM_386,
			    .e_phoff = sizeof(Elf32_Ehdr),
			    .e_phentsize = sizeof(Elf32_Phdr),
			    .e_phnum = 1 },
		.segment = { .p_type = PT_LOAD, .p_vaddr = 0x8048000, .p_memsz = 0x1000 },
	};
	size_t nr;
	struct elf_file *file = open_bytes(&image, sizeof(image));
	assert_int_equal(elf_file_class(file), 32);
	assert_int_equal(elf_file_machine(file), EM_386);
	assert_int_equal(elf_file_segments(file, &nr)->address, 0x8048000);
	assert_int_equal(nr, 1);
	assert_null(elf_file_symbols(file, &nr));
	elf_file_destroy(file);
}

static void search_finds_what_crosses_windows(void **state)
{
	(void)state;
	static char bytes[1 << 20];
	struct small small = make_small();
	memcpy(bytes, &small, sizeof(small));
	static const size_t places[] = { 0x3fff0, 0x3fff9, 0x40000, 0x7fffc, 0xffff6 };
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		uint64_t offset = 0;
		memcpy(bytes + places[i], "needle#1!", 10);
		struct elf_file *file = open_bytes(bytes, sizeof(bytes));
		assert_true(elf_file_contains(file, "needle#1!", 10, &offset));
		assert_int_equal(offset, places[i]);
		assert_false(elf_file_contains(file, "needle#2!", 10, &offset));
		assert_false(elf_file_contains(file, "", 0, &offset));
		elf_file_destroy(file);
		memset(bytes + places[i], 0, 10);
	}
}

/* --- real files --------------------------------------------------------------------- */

static void reads_this_program(void **state)
{
	(void)state;
	struct elf_file *file = open_path("/proc/self/exe");
	size_t nr;
	assert_int_equal(elf_file_class(file), 8 * sizeof(void *));
	assert_non_null(elf_file_segments(file, &nr));
	assert_true(elf_file_has_section(file, ".symtab"));
	const struct elf_symbol *symbol = elf_file_symbol(file, "reads_this_program");
	assert_non_null(symbol);
	assert_int_equal(symbol->type, STT_FUNC);
	assert_string_equal(name_of(file, symbol->address + symbol->size / 2),
			    "reads_this_program");
	elf_file_destroy(file);
}

struct libc {
	char path[512];
	uint64_t bias;
};

static int find_libc(struct dl_phdr_info *info, size_t size, void *opaque)
{
	(void)size;
	struct libc *libc = opaque;
	const char *name = strrchr(info->dlpi_name, '/');
	if (!name || strncmp(name, "/libc.so", 8) != 0)
		return 0;
	snprintf(libc->path, sizeof(libc->path), "%s", info->dlpi_name);
	libc->bias = info->dlpi_addr;
	return 1;
}

static struct libc our_libc(void)
{
	struct libc libc = { .bias = 0 };
	if (!dl_iterate_phdr(find_libc, &libc))
		skip();
	return libc;
}

static void reads_the_version_of_libc(void **state)
{
	(void)state;
	struct libc libc = our_libc();
	unsigned major, minor;
	uint64_t offset;
	assert_int_equal(sscanf(gnu_get_libc_version(), "%u.%u", &major, &minor), 2);
	struct elf_file *file = open_path(libc.path);
	assert_int_equal(elf_file_version(file, "GLIBC_"), major * 1000 + minor);
	assert_true(elf_file_contains(file, "GNU C Library", 13, &offset));
	assert_non_null(elf_file_build_id(file));
	elf_file_destroy(file);
}

static void symbols_of_libc_are_where_the_loader_put_them(void **state)
{
	(void)state;
	struct libc libc = our_libc();
	struct elf_file *file = open_path(libc.path);
	const struct elf_symbol *symbol = elf_file_symbol(file, "getenv");
	assert_non_null(symbol);
	assert_int_equal(symbol->address + libc.bias, (uintptr_t)getenv);
	elf_file_destroy(file);
}

static void every_mapping_of_libc_has_one_bias(void **state)
{
	(void)state;
	struct libc libc = our_libc();
	struct elf_file *file = open_path(libc.path);
	CLEANUP_FCLOSE FILE *maps = fopen("/proc/self/maps", "re");
	char line[1024];
	unsigned nr = 0;
	while (fgets(line, sizeof(line), maps)) {
		uint64_t start, offset;
		if (!strstr(line, "/libc.so"))
			continue;
		assert_int_equal(
			sscanf(line, "%" SCNx64 "-%*x %*s %" SCNx64, &start, &offset), 2);
		assert_int_equal(elf_file_bias(file, start, offset), libc.bias);
		nr++;
	}
	assert_true(nr >= 3);
	elf_file_destroy(file);
}

/* --- damage ------------------------------------------------------------------------- */

static void names_what_is_wrong(void **state)
{
	(void)state;
	struct small small = make_small();
	small.header.e_ident[EI_MAG1] = 'e';
	assert_refused(&small, "small.so is not an ELF file: no ELF magic at offset 0");

	small = make_small();
	small.header.e_ident[EI_CLASS] = 7;
	assert_refused(&small, "the class at offset 0x4");

	small = make_small();
	small.header.e_ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
	assert_refused(&small, "another byte order");

	small = make_small();
	small.header.e_phoff = 0xfffffffffffffff0;
	assert_refused(&small, "the program header table at offset 0xfffffffffffffff0");

	small = make_small();
	small.header.e_phentsize = 8;
	assert_refused(&small, "entries of a wrong size");

	small = make_small();
	small.header.e_shoff = 0x100000;
	assert_refused(&small, "the section header table at offset 0x100000");

	small = make_small();
	small.header.e_shnum = 0xfeff;
	assert_refused(&small, "the section header table");

	small = make_small();
	small.header.e_shstrndx = NR_SECTIONS;
	assert_refused(&small, "section names");

	small = make_small();
	small.sections[SECTION_NAMES].sh_size = UINT64_MAX;
	assert_refused(&small, "the section name table");

	small = make_small();
	small.segments[2].p_offset = sizeof(small);
	assert_refused(&small, "the note segment");

	small = make_small();
	small.segments[3].p_filesz = 1 << 20;
	assert_refused(&small, "the interpreter");
}

static void unterminated_names_are_left_out(void **state)
{
	(void)state;
	struct small small = make_small();
	size_t nr;
	/* Cut in the middle of "__outer": what starts before is whole, the rest is not. */
	small.sections[SECTION_DYNSTR].sh_size = string_at("__outer") + 3;
	struct elf_file *file = open_small(&small);
	assert_non_null(elf_file_symbol(file, "label"));
	assert_non_null(elf_file_symbols(file, &nr));
	assert_int_equal(nr, 3);
	elf_file_destroy(file);

	memset(small.strings, 'x', sizeof(small.strings));
	memset(small.names, 'x', sizeof(small.names));
	file = open_small(&small);
	assert_null(elf_file_symbols(file, &nr));
	use_everything(file);
	elf_file_destroy(file);
}

static void symbols_that_wrap_around_cover_to_the_end(void **state)
{
	(void)state;
	struct small small = make_small();
	small.symbols[OUTER].st_size = UINT64_MAX;
	struct elf_file *file = open_small(&small);
	assert_string_equal(name_of(file, 0xffffffff00000000), "outer");
	elf_file_destroy(file);
}

static void survives_every_truncation(void **state)
{
	(void)state;
	struct small small = make_small();
	for (size_t size = 0; size < sizeof(small); size += size < 128 ? 1 : 8)
		assert_false(survives(&small, size));
	remove_sections(&small);
	for (size_t size = 0; size < sizeof(small); size += size < 128 ? 1 : 8)
		survives(&small, size);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

static void survives_flipped_bytes(void **state)
{
	(void)state;
	uint64_t seed = 1;
	unsigned nr_opened = 0;
	for (unsigned trial = 0; trial < 20000; trial++) {
		struct small small = make_small();
		if (trial & 1)
			remove_sections(&small);
		unsigned char *bytes = (unsigned char *)&small;
		for (unsigned flips = 1 + trial % 8; flips; flips--)
			bytes[next_random(&seed) % sizeof(small)] =
				(unsigned char)next_random(&seed);
		nr_opened += survives(bytes, sizeof(small));
	}
	assert_true(nr_opened > 1000);
}

/* Every aligned word in turn becomes each of these. */
static void survives_extreme_words(void **state)
{
	(void)state;
	static const uint64_t extremes[] = {
		0,          UINT64_MAX,        0x7fffffffffffffff,
		0xffffffff, (uint64_t)1 << 40, sizeof(struct small) - 1
	};
	for (size_t at = 0; at + 8 <= sizeof(struct small); at += 8) {
		for (size_t i = 0; i < 2 * ARRAY_SIZE(extremes); i++) {
			struct small small = make_small();
			if (i & 1)
				remove_sections(&small);
			memcpy((char *)&small + at, &extremes[i / 2], 8);
			survives(&small, sizeof(small));
		}
	}
}

/* A sparse file claims gigabytes for nothing; they must not become ours. */
static void sparse_giants_are_refused(void **state)
{
	(void)state;
	struct small small = make_small();
	small.header.e_shnum = 0;
	small.sections[0].sh_size = (uint64_t)1 << 32;
	int fd = memory_file(&small, sizeof(small));
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	struct elf_file *file;
	struct error *error = elf_file_open(fd, "sparse", &file);
	assert_non_null(error);
	assert_non_null(strstr(error->sentence, "larger than 1 GiB"));
	error_destroy(error);

	small = make_small();
	small.sections[SECTION_DYNSYM].sh_size = (uint64_t)1 << 39;
	fd = memory_file(&small, sizeof(small));
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	error = elf_file_open(fd, "sparse", &file);
	assert_null(error);
	size_t nr;
	assert_null(elf_file_symbols(file, &nr));
	elf_file_destroy(file);
}

static void a_file_cut_while_open_gives_nothing(void **state)
{
	(void)state;
	struct small small = make_small();
	int fd = memory_file(&small, sizeof(small));
	struct elf_file *file;
	struct error *error = elf_file_open(fd, "small.so", &file);
	assert_null(error);
	assert_int_equal(ftruncate(fd, 100), 0);
	size_t nr;
	uint64_t offset;
	assert_null(elf_file_symbols(file, &nr));
	assert_int_equal(nr, 0);
	assert_null(elf_file_symbol_at(file, 0x11000));
	assert_int_equal(elf_file_version(file, "SEEP_"), 0);
	assert_false(elf_file_contains(file, "SEEP_1.10", 9, &offset));
	elf_file_destroy(file);
}

static void what_is_no_file_is_refused(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	close(ends[1]);
	struct elf_file *file;
	struct error *error = elf_file_open(ends[0], "a pipe", &file);
	assert_non_null(error);
	assert_null(file);
	error_destroy(error);
	error = elf_file_open(-1, "nothing", &file);
	assert_non_null(error);
	error_destroy(error);
	elf_file_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_what_headers_say),
		cmocka_unit_test(finds_symbols_through_sections),
		cmocka_unit_test(finds_symbols_without_sections),
		cmocka_unit_test(counts_symbols_by_gnu_hash),
		cmocka_unit_test(innermost_symbol_covers),
		cmocka_unit_test(global_symbol_covers_before_local),
		cmocka_unit_test(section_placeholders_are_none),
		cmocka_unit_test(bias_is_of_the_segment_mapped),
		cmocka_unit_test(reads_32_bit_files),
		cmocka_unit_test(search_finds_what_crosses_windows),
		cmocka_unit_test(reads_this_program),
		cmocka_unit_test(reads_the_version_of_libc),
		cmocka_unit_test(symbols_of_libc_are_where_the_loader_put_them),
		cmocka_unit_test(every_mapping_of_libc_has_one_bias),
		cmocka_unit_test(names_what_is_wrong),
		cmocka_unit_test(unterminated_names_are_left_out),
		cmocka_unit_test(symbols_that_wrap_around_cover_to_the_end),
		cmocka_unit_test(survives_every_truncation),
		cmocka_unit_test(survives_flipped_bytes),
		cmocka_unit_test(survives_extreme_words),
		cmocka_unit_test(sparse_giants_are_refused),
		cmocka_unit_test(a_file_cut_while_open_gives_nothing),
		cmocka_unit_test(what_is_no_file_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
