/* Tests of src/snap: numbers, chunks, and files that are cut, damaged or of another version. */
#include "snap/reader.h"
#include "snap/writer.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/vec.h"
#include "snap/meta.h"

static char folder[] = "/tmp/seep-snap-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void assert_fine(struct error *error)
{
	if (error)
		fail_msg("%s", error->sentence);
}

static void assert_says(struct error *error, enum error_code code, const char *words)
{
	assert_non_null(error);
	assert_int_equal(error->code, code);
	if (!strstr(error->sentence, words))
		fail_msg("\"%s\" does not say \"%s\"", error->sentence, words);
	error_destroy(error);
}

/* --- numbers and texts -------------------------------------------------------------- */

static const uint64_t numbers[] = { 0,
				    1,
				    127,
				    128,
				    16383,
				    16384,
				    UINT32_MAX,
				    (uint64_t)1 << 63,
				    UINT64_MAX - 1,
				    UINT64_MAX };

static void numbers_come_back(void **state)
{
	(void)state;
	struct pack pack = { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		pack_number(&pack, numbers[i]);
		pack_difference(&pack, numbers[i], 1000);
	}
	struct unpack unpack = unpack_of(pack.bytes, pack.size);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		assert_true(unpack_number(&unpack) == numbers[i]);
		assert_true(unpack_difference(&unpack, 1000) == numbers[i]);
	}
	assert_false(unpack.bad);
	assert_int_equal(unpack_left(&unpack), 0);
	pack_deinit(&pack);
}

static void small_differences_are_one_byte(void **state)
{
	(void)state;
	struct pack pack = { 0 };
	pack_difference(&pack, 1000, 1063);
	pack_difference(&pack, 1063, 1000);
	assert_int_equal(pack.size, 2);
	pack_deinit(&pack);
}

static void texts_come_back(void **state)
{
	(void)state;
	struct pack pack = { 0 };
	pack_text(&pack, "hello");
	pack_text(&pack, NULL);
	pack_text(&pack, "");
	struct unpack unpack = unpack_of(pack.bytes, pack.size);
	char *hello = unpack_text(&unpack), *none = unpack_text(&unpack),
	     *empty = unpack_text(&unpack);
	assert_string_equal(hello, "hello");
	assert_null(none);
	assert_string_equal(empty, "");
	free(hello);
	free(empty);
	pack_deinit(&pack);
}

static void bad_bytes_are_noticed(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t size;
	} cases[] = {
		{ "", 0 },
		{ "\x80", 1 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10 }, /* 65 bits */
		{ "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct unpack unpack = unpack_of(cases[i].bytes, cases[i].size);
		assert_int_equal(unpack_number(&unpack), 0);
		assert_true(unpack.bad);
		assert_int_equal(unpack_number(&unpack), 0);
	}
	struct unpack count = unpack_of("\x05xxxx", 5);
	assert_int_equal(unpack_count(&count, 1), 0);
	assert_true(count.bad);
	struct unpack text = unpack_of("\x06hell", 5);
	assert_null(unpack_text(&text));
	assert_true(text.bad);
}

static void meta_comes_back(void **state)
{
	(void)state;
	static char target[] = "redis (412)", allocator[] = "glibc 2.36",
		    reason[] = "swapped out", *sentences[] = { target, reason };
	const struct snap_meta meta = {
		.pid = 412,
		.nr_blocks = UINT64_MAX,
		.root_unread_bytes = 4096,
		.target = target,
		.allocator = allocator,
		.unread_reason = reason,
		.warnings = { .items = sentences, .nr = 2 },
	};
	struct pack pack = { 0 };
	struct snap_meta back = { 0 };
	snap_meta_pack(&meta, &pack);
	pack_number(&pack, 99); /* of a later version */
	struct unpack unpack = unpack_of(pack.bytes, pack.size);
	assert_true(snap_meta_unpack(&unpack, &back));
	assert_int_equal(back.pid, 412);
	assert_true(back.nr_blocks == UINT64_MAX);
	assert_int_equal(back.root_unread_bytes, 4096);
	assert_string_equal(back.target, target);
	assert_null(back.host);
	assert_int_equal(back.warnings.nr, 2);
	assert_string_equal(back.warnings.items[1], reason);
	snap_meta_deinit(&back);
	for (size_t size = 0; size + 1 < pack.size; size++) {
		struct unpack cut = unpack_of(pack.bytes, size);
		assert_false(snap_meta_unpack(&cut, &back));
		snap_meta_deinit(&back);
	}
	pack_deinit(&pack);
}

/* --- files -------------------------------------------------------------------------- */

enum { UNKNOWN_TYPE = 63, LARGE = 100000 };

/* A small chunk, one that compresses, an unknown one, and the end. */
static void write_file(void)
{
	struct snap_writer *writer = NULL;
	struct pack pack = { 0 };
	unlink(path);
	assert_fine(snap_writer_create(path, SNAP_KIND_SNAPSHOT, &writer));
	pack_text(&pack, "small");
	assert_fine(snap_writer_chunk(writer, SNAP_META, 1, &pack));
	assert_int_equal(pack.size, 0);
	for (int i = 0; i < LARGE; i++)
		pack_number(&pack, (uint64_t)i % 7);
	assert_fine(snap_writer_chunk(writer, SNAP_BLOCKS, 1, &pack));
	assert_true(snap_writer_size(writer) < LARGE / 4);
	assert_fine(snap_writer_chunk(writer, (enum snap_type)UNKNOWN_TYPE, 9, &pack));
	assert_fine(snap_writer_chunk(writer, SNAP_END, 1, &pack));
	assert_int_equal(access(path, F_OK), -1);
	assert_fine(snap_writer_commit(writer));
	snap_writer_destroy(writer);
	pack_deinit(&pack);
}

static struct error *open_file(struct snap_reader **reader)
{
	return snap_reader_open(open(path, O_RDONLY | O_CLOEXEC), path,
				SNAP_KIND_SNAPSHOT, reader);
}

/* Goes through the whole file; *nr_chunks counts those before the end. */
static struct error *read_all(struct snap_reader *reader, size_t *nr_chunks)
{
	bool more = true;
	for (*nr_chunks = 0;; ++*nr_chunks) {
		struct snap_chunk chunk;
		struct unpack payload;
		struct error *error = snap_reader_next(reader, &chunk, &more);
		if (error || !more)
			return error;
		error = snap_reader_load(reader, &chunk, &payload);
		if (error)
			return error;
	}
}

static void chunks_come_back(void **state)
{
	(void)state;
	write_file();
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	struct snap_reader *reader = NULL;
	struct snap_chunk chunk;
	struct unpack payload;
	bool more = false;
	assert_fine(open_file(&reader));
	assert_fine(snap_reader_next(reader, &chunk, &more));
	assert_true(more);
	assert_int_equal(chunk.header.type, SNAP_META);
	assert_fine(snap_reader_load(reader, &chunk, &payload));
	char *text = unpack_text(&payload);
	assert_string_equal(text, "small");
	free(text);
	assert_fine(snap_reader_next(reader, &chunk, &more));
	assert_fine(snap_reader_load(reader, &chunk, &payload));
	assert_int_equal(chunk.header.flags, SNAP_ZSTD);
	for (int i = 0; i < LARGE; i++)
		assert_int_equal(unpack_number(&payload), i % 7);
	assert_fine(snap_reader_next(reader, &chunk, &more));
	assert_int_equal(chunk.header.type, UNKNOWN_TYPE);
	assert_string_equal(snap_type_name(chunk.header.type), "unknown");
	assert_fine(snap_reader_next(reader, &chunk, &more));
	assert_false(more);
	assert_false(snap_reader_is_cut(reader));
	snap_reader_close(reader);
}

static void nothing_is_left_of_an_unfinished_file(void **state)
{
	(void)state;
	struct snap_writer *writer = NULL;
	unlink(path);
	assert_fine(snap_writer_create(path, SNAP_KIND_SNAPSHOT, &writer));
	snap_writer_destroy(writer);
	assert_int_equal(access(path, F_OK), -1);
	assert_says(snap_writer_create("/dev/null", SNAP_KIND_SNAPSHOT, &writer),
		    ERROR_REFUSED, "/dev/null is no regular file");
	assert_says(snap_writer_create("/none/file", SNAP_KIND_SNAPSHOT, &writer),
		    ERROR_SYSTEM, "cannot write /none/file");
}

static void every_cut_is_seen(void **state)
{
	(void)state;
	write_file();
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	for (off_t size = status.st_size - 1; size >= 0; size--) {
		struct snap_reader *reader = NULL;
		size_t nr_chunks = 0;
		assert_int_equal(truncate(path, size), 0);
		struct error *error = open_file(&reader);
		if (size < (off_t)sizeof(struct snap_file_header)) {
			assert_says(error, ERROR_FORMAT, path);
			continue;
		}
		assert_fine(error);
		assert_fine(read_all(reader, &nr_chunks));
		assert_true(snap_reader_is_cut(reader));
		assert_true(nr_chunks <= 3);
		snap_reader_close(reader);
	}
}

static void flip(off_t at, unsigned char mask)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	unsigned char byte;
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= mask;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void every_flipped_byte_is_seen(void **state)
{
	(void)state;
	write_file();
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	for (off_t at = 0; at < status.st_size; at++) {
		struct snap_reader *reader = NULL;
		size_t nr_chunks = 0;
		flip(at, 0x10);
		struct error *error = open_file(&reader);
		if (!error)
			error = read_all(reader, &nr_chunks);
		/* The end has no payload to be damaged, and nothing stands behind it. */
		if (!error)
			fail_msg("the flip at %ld was not seen", (long)at);
		assert_int_equal(error->code, ERROR_FORMAT);
		assert_non_null(strstr(error->sentence, path));
		error_destroy(error);
		snap_reader_close(reader);
		flip(at, 0x10);
	}
}

static void a_damaged_chunk_is_named(void **state)
{
	(void)state;
	write_file();
	size_t first = sizeof(struct snap_file_header) + sizeof(struct snap_chunk_header);
	flip((off_t)first, 1);
	struct snap_reader *reader = NULL;
	size_t nr_chunks = 0;
	assert_fine(open_file(&reader));
	assert_says(read_all(reader, &nr_chunks), ERROR_FORMAT,
		    "is damaged: the chunk \"meta\" at offset 24 does not match its "
		    "checksum");
	snap_reader_close(reader);
}

/* Writes a file header, and one chunk header of these sizes. */
static void write_headers(uint16_t major, uint32_t kind, uint64_t stored, uint64_t plain)
{
	struct snap_file_header file = { .major = major, .kind = kind };
	struct snap_chunk_header chunk = {
		.type = SNAP_BLOCKS,
		.version = 1,
		.flags = SNAP_ZSTD,
		.stored_size = stored,
		.plain_size = plain,
	};
	memcpy(file.magic, SNAP_MAGIC, SNAP_MAGIC_SIZE);
	file.checksum = snap_checksum(&file, offsetof(struct snap_file_header, checksum));
	chunk.header_checksum = snap_checksum(&chunk, offsetof(struct snap_chunk_header,
							       header_checksum));
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, &file, sizeof(file)), sizeof(file));
	assert_int_equal(write(fd, &chunk, sizeof(chunk)), sizeof(chunk));
	close(fd);
}

static void other_versions_and_kinds_are_refused(void **state)
{
	(void)state;
	struct snap_reader *reader = NULL;
	write_headers(SNAP_MAJOR + 1, SNAP_KIND_SNAPSHOT, 0, 0);
	assert_says(open_file(&reader), ERROR_FORMAT,
		    "is of format 2; this seep reads format 1");
	write_headers(SNAP_MAJOR, SNAP_KIND_TRACE, 0, 0);
	assert_says(open_file(&reader), ERROR_FORMAT, "is a trace, not a snapshot");
}

static void hostile_sizes_are_refused(void **state)
{
	(void)state;
	static const uint64_t sizes[][2] = {
		{ UINT64_MAX, 10 },
		{ 10, UINT64_MAX },
		{ SNAP_CHUNK_MAX + 1, 10 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct snap_reader *reader = NULL;
		size_t nr_chunks = 0;
		write_headers(SNAP_MAJOR, SNAP_KIND_SNAPSHOT, sizes[i][0], sizes[i][1]);
		assert_fine(open_file(&reader));
		assert_says(read_all(reader, &nr_chunks), ERROR_FORMAT,
			    "\"blocks\" at offset 24 is larger than any may be");
		snap_reader_close(reader);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_come_back),
		cmocka_unit_test(small_differences_are_one_byte),
		cmocka_unit_test(texts_come_back),
		cmocka_unit_test(bad_bytes_are_noticed),
		cmocka_unit_test(meta_comes_back),
		cmocka_unit_test(chunks_come_back),
		cmocka_unit_test(nothing_is_left_of_an_unfinished_file),
		cmocka_unit_test(every_cut_is_seen),
		cmocka_unit_test(every_flipped_byte_is_seen),
		cmocka_unit_test(a_damaged_chunk_is_named),
		cmocka_unit_test(other_versions_and_kinds_are_refused),
		cmocka_unit_test(hostile_sizes_are_refused),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
