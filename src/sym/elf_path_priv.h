/*
 * elf_path: ELF files by a path that somebody else gave: whether it is one, and the right one.
 */
#ifndef SEEP_SYM_ELF_PATH_PRIV_H
#define SEEP_SYM_ELF_PATH_PRIV_H

#include "sym/elf_file.h"

/* elf_file_open(), or elf_file_open_debug() for separate debug files. */
typedef struct error *(*elf_opener)(int fd, const char *name, struct elf_file **file);

/* ERROR_READ for what is no regular file: it is not opened. */
struct error *elf_path_open(const char *path, elf_opener opener,
			    struct elf_file **file) MUST_CHECK;

/* Whether the file has that build-id. */
bool elf_path_is_build(const struct elf_file *file, const char *build_id);

#endif
