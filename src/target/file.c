/*
 * file: opens a file as a target, whatever kind it is.
 *
 * A kind is known by its first bytes, never by its name. To add one: write its opener,
 * declare it in file_priv.h, and give it a row in `kinds`.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "snap/reader.h"
#include "target/file_priv.h"
#include "target/target.h"

/* Enough to tell an ELF file's type. */
#define HEAD_BYTES 64u

struct file_head {
	unsigned char bytes[HEAD_BYTES];
	size_t size; /* so many were there */
};

static bool begins_with(const struct file_head *head, const char *magic, size_t size)
{
	return head->size >= size && !memcmp(head->bytes, magic, size);
}

/* 32 or 64 bits, either byte order: the opener says what it cannot read. */
static bool is_elf_of_type(const struct file_head *head, unsigned type)
{
	const size_t at = offsetof(Elf64_Ehdr, e_type);
	if (!begins_with(head, ELFMAG, SELFMAG) || head->size < at + 2)
		return false;
	unsigned low = head->bytes[at], high = head->bytes[at + 1];
	return low + 256 * high == type || high + 256 * low == type;
}

static bool is_core(const struct file_head *head)
{
	return is_elf_of_type(head, ET_CORE);
}

static bool is_program(const struct file_head *head)
{
	return is_elf_of_type(head, ET_EXEC) || is_elf_of_type(head, ET_DYN);
}

static bool is_snapshot(const struct file_head *head)
{
	return snap_is_magic(head->bytes, head->size);
}

static bool is_zstd(const struct file_head *head)
{
	return begins_with(head, "\x28\xb5\x2f\xfd", 4);
}

static bool is_lz4(const struct file_head *head)
{
	return begins_with(head, "\x04\x22\x4d\x18", 4);
}

static bool is_xz(const struct file_head *head)
{
	return begins_with(head,
			   "\xfd"
			   "7zXZ",
			   6);
}

/* Core compressors that seep does not bring along; `command` unpacks to a file beside. */
static struct error *refuse_packed(int fd, const char *path, const char *command)
{
	close(fd);
	return error_remedy(
		error_create(ERROR_REFUSED,
			     "\"%s\" is compressed in a way that seep does not "
			     "unpack",
			     path),
		"%s %s", command, path);
}

static struct error *refuse_lz4(int fd, const char *path,
				const struct target_file_options *options,
				struct target **target)
{
	(void)options;
	(void)target;
	return refuse_packed(fd, path, "unlz4 --keep");
}

static struct error *refuse_xz(int fd, const char *path,
			       const struct target_file_options *options,
			       struct target **target)
{
	(void)options;
	(void)target;
	return refuse_packed(fd, path, "unxz --keep");
}

/* `open` takes the descriptor over. */
static const struct file_kind {
	bool (*is)(const struct file_head *head);
	struct error *(*open)(int fd, const char *path,
			      const struct target_file_options *options,
			      struct target **target);
} kinds[] = {
	{ is_core, core_open },        { is_snapshot, snapshot_open },
	{ is_zstd, packed_core_open }, { is_lz4, refuse_lz4 },
	{ is_xz, refuse_xz },
};

static struct error *not_a_target(int fd, const char *path, const struct file_head *head)
{
	struct stat status;
	bool runs = is_program(head) && fstat(fd, &status) == 0 &&
		    (status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH));
	struct error *error = error_create(ERROR_REFUSED, "\"%s\" is %s, not a core file",
					   path,
					   is_program(head) ? "a program or library"
					   : head->size     ? "a file of another kind"
							    : "empty");
	if (runs)
		return error_remedy(
			error,
			"to run it and look at its end: seep leaks --at-exit -- %s%s",
			strchr(path, '/') ? "" : "./", path);
	return error_remedy(error,
			    "give the pid or the name of a running process, or a core");
}

static struct error *open_regular(const char *path, int *fd)
{
	/* Without O_NONBLOCK a pipe without a writer would be waited for. */
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int cause = errno;
	if (*fd < 0 && cause == ENOENT)
		return error_remedy(
			error_create(ERROR_REFUSED, "cannot find the file %s: %s", path,
				     strerror(cause)),
			"give the pid or the name of a running process, or a core");
	struct stat status;
	if (*fd >= 0 && fstat(*fd, &status) == 0 && S_ISREG(status.st_mode))
		return NULL;
	if (*fd >= 0)
		return error_remedy(
			error_create(ERROR_REFUSED, "\"%s\" is no regular file", path),
			"give the pid or the name of a running process, or a core");
	return error_remedy(error_create(ERROR_REFUSED, "cannot open %s: %s", path,
					 strerror(cause)),
			    "run seep as a user who may read it");
}

static struct error *check_sysroot(const char *sysroot)
{
	struct stat status;
	if (!sysroot || (stat(sysroot, &status) == 0 && S_ISDIR(status.st_mode)))
		return NULL;
	return error_create(ERROR_USAGE, "the sysroot \"%s\" is no folder", sysroot);
}

struct error *target_file_open(const char *path,
			       const struct target_file_options *options,
			       struct target **target)
{
	int fd = -1;
	struct error *error = check_sysroot(options->sysroot);
	if (!error)
		error = open_regular(path, &fd);
	struct file_head head = { 0 };
	ssize_t got = error ? 0 : pread(fd, head.bytes, sizeof(head.bytes), 0);
	if (!error && got < 0)
		error = error_create(ERROR_SYSTEM, "cannot read %s: %s", path,
				     strerror(errno));
	head.size = got > 0 ? (size_t)got : 0;
	for (size_t i = 0; !error && i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].is(&head))
			return kinds[i].open(fd, path, options, target);
	if (!error)
		error = not_a_target(fd, path, &head);
	if (fd >= 0)
		close(fd);
	return error;
}
