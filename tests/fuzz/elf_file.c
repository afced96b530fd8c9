/* Any bytes as an ELF file: opened, and asked everything. */
#include "sym/elf_file.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void ask_everything(struct elf_file *file)
{
	size_t nr;
	uint64_t offset;
	elf_file_class(file);
	elf_file_machine(file);
	elf_file_is_dynamic(file);
	elf_file_interpreter(file);
	elf_file_build_id(file);
	elf_file_has_section(file, ".symtab");
	elf_file_segments(file, &nr);
	const struct elf_symbol *symbols = elf_file_symbols(file, &nr);
	for (size_t i = 0; i < nr; i++)
		elf_file_symbol_at(file, symbols[i].address + symbols[i].size);
	elf_file_symbol(file, "malloc");
	elf_file_version(file, "GLIBC_");
	elf_file_contains(file, "GNU C Library", 13, &offset);
	elf_file_bias(file, 0x7f0000000000, 0x1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) {
		close(fd);
		return 0;
	}
	struct elf_file *file;
	struct error *error = elf_file_open(fd, "fuzz", &file);
	if (!error)
		ask_everything(file);
	error_destroy(error);
	elf_file_destroy(file);
	return 0;
}
