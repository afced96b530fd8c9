/* image: see image.h. */
#include "record/image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/vec.h"

/* An interpreter may be a script itself; the kernel follows so many (exec(2)). */
#define MAX_INTERPRETERS 5

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#endif

/* --- finding ------------------------------------------------------------------------ */

/* 0 for a file that may be executed, else why not. */
static int cause_against(const char *path)
{
	struct stat status;
	if (stat(path, &status) != 0)
		return errno;
	if (!S_ISREG(status.st_mode))
		return EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

static struct error *cannot_start(const char *word, int cause, int *status)
{
	*status = cause == ENOENT || cause == ENOTDIR ? 127 : 126;
	return error_remedy(error_create(ERROR_USAGE, "cannot start %s: %s", word,
					 strerror(cause)),
			    "check the command's name and its rights");
}

/* In the folders of PATH; the cause of the first that is there is what is told. */
static char *search(const char *word, int *cause)
{
	const char *folders = getenv("PATH");
	*cause = ENOENT;
	for (const char *at = folders ? folders : "/bin:/usr/bin";; at++) {
		size_t length = strcspn(at, ":");
		char *path = NULL;
		if (asprintf(&path, "%.*s%s%s", (int)length, at, length ? "/" : "",
			     word) < 0) {
			*cause = ENOMEM;
			return NULL;
		}
		int against = cause_against(path);
		if (!against)
			return path;
		if (against != ENOENT && against != ENOTDIR)
			*cause = against;
		free(path);
		at += length;
		if (!*at)
			return NULL;
	}
}

struct error *image_find(const char *word, char **path, int *status)
{
	int cause;
	*path = NULL;
	if (!strchr(word, '/')) {
		*path = *word ? search(word, &cause) : NULL;
		return *path ? NULL : cannot_start(word, *word ? cause : ENOENT, status);
	}
	cause = cause_against(word);
	if (cause)
		return cannot_start(word, cause, status);
	*path = strdup(word);
	return *path ? NULL : error_no_memory();
}

/* --- rights ------------------------------------------------------------------------- */

/* The loader ignores LD_PRELOAD where a program gets more rights than its caller has. */
static bool gains_rights(const char *path)
{
	struct stat status;
	if (stat(path, &status) != 0)
		return false;
	if (status.st_mode & S_ISUID && status.st_uid != getuid())
		return true;
	if (status.st_mode & S_ISGID && status.st_mode & S_IXGRP &&
	    status.st_gid != getgid())
		return true;
	return getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;
}

/* --- kinds -------------------------------------------------------------------------- */

static struct error *refuse(const char *path, const char *what)
{
	return error_create(ERROR_REFUSED, "%s %s", path, what);
}

static struct error *refuse_static(const char *path, char *const *command)
{
	return error_remedy(refuse(path, "is a static program: nothing can be loaded "
					 "into it to record its allocations"),
			    "seep leaks --at-exit -- %s%s", command[0],
			    command[1] ? " ..." : "");
}

static bool has_loader(int fd, const Elf64_Ehdr *header, char *loader, size_t size)
{
	for (unsigned i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr segment;
		off_t at = (off_t)(header->e_phoff + i * sizeof(segment));
		if (pread(fd, &segment, sizeof(segment), at) != sizeof(segment))
			return false;
		if (segment.p_type != PT_INTERP)
			continue;
		size_t length = segment.p_filesz < size - 1 ? segment.p_filesz : size - 1;
		ssize_t got = pread(fd, loader, length, (off_t)segment.p_offset);
		loader[got > 0 ? got : 0] = '\0';
		return true;
	}
	return false;
}

/* musl's loader is ld-musl-ARCH.so.1, wherever it is. */
static enum image_libc libc_of(const char *loader)
{
	static const char musl[] = "ld-musl-";
	const char *slash = strrchr(loader, '/');
	const char *name = slash ? slash + 1 : loader;
	return strncmp(name, musl, sizeof(musl) - 1) ? IMAGE_GLIBC : IMAGE_MUSL;
}

static struct error *check_elf(int fd, const char *path, char *const *command,
			       enum image_libc *libc)
{
	Elf64_Ehdr header;
	char loader[PATH_MAX] = "";
	if (pread(fd, &header, sizeof(header), 0) != sizeof(header))
		return refuse(path, "is no whole program");
	if (header.e_ident[EI_CLASS] != ELFCLASS64)
		return error_remedy(refuse(path, "is a 32-bit program, and seep records "
						 "64-bit ones"),
				    "build it for 64 bits");
	if (header.e_machine != OWN_MACHINE)
		return error_remedy(refuse(path, "is a program for another processor"),
				    "run seep where the program runs");
	if (header.e_phentsize != sizeof(Elf64_Phdr) ||
	    !has_loader(fd, &header, loader, sizeof(loader)))
		return refuse_static(path, command);
	*libc = libc_of(loader);
	return NULL;
}

/* The interpreter that a script's first line names, in `line`; NULL: it names none. */
static const char *interpreter_of(char *line)
{
	char *name = line + 2 + strspn(line + 2, " \t");
	name[strcspn(name, " \t\n")] = '\0';
	return *name ? name : NULL;
}

struct error *image_check(const char *path, char *const *command, enum image_libc *libc)
{
	*libc = IMAGE_GLIBC;
	char lines[MAX_INTERPRETERS][PATH_MAX];
	for (unsigned i = 0; i < MAX_INTERPRETERS; i++) {
		char *line = lines[i];
		if (gains_rights(path))
			return error_remedy(
				refuse(path, "is a set-uid program, into which nothing "
					     "can be loaded"),
				"run seep as the user that it runs as");
		CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		/* What may be executed but not read can only be tried. */
		ssize_t got = fd < 0 ? 0 : pread(fd, line, PATH_MAX - 1, 0);
		line[got > 0 ? got : 0] = '\0';
		if (got >= SELFMAG && !memcmp(line, ELFMAG, SELFMAG))
			return check_elf(fd, path, command, libc);
		const char *next = got > 2 && line[0] == '#' && line[1] == '!'
					   ? interpreter_of(line)
					   : NULL;
		if (!next)
			return NULL;
		path = next;
	}
	return NULL;
}
