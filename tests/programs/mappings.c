/*
 * mappings: blocks that only memory of the program's own holds: data, bss, the break, and
 * every sort of mapping.
 *
 * expect: definite 90240 in 2
 * expect: possible 248 in 1
 * expect: reachable 103368 in 19
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "library.h"
#include "plant.h"

#define MAPPING_BYTES ((size_t)3 * 4096)

static void *volatile in_data = (void *)-1;
static void *volatile in_bss;
static struct {
	void *volatile words[70000];
} large_bss;

static void die(const char *what)
{
	perror(what);
	_exit(99);
}

/* Somewhere in the middle of memory that nothing else is in. */
static void **put(void *memory, enum plant_kind kind, const char *shape)
{
	if (memory == MAP_FAILED)
		die(shape);
	void **place = (void *)((char *)memory + 4096 + 64);
	*place = plant_block(kind, shape);
	return place;
}

static void *map(int flags, int fd)
{
	return mmap(NULL, MAPPING_BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);
}

/* A file of three pages that has no name any more. */
static int file(void)
{
	FILE *stream = tmpfile();
	if (!stream)
		die("tmpfile");
	int fd = dup(fileno(stream));
	fclose(stream);
	if (fd < 0 || ftruncate(fd, MAPPING_BYTES) != 0)
		die("file");
	return fd;
}

static int memory_file(void)
{
	int fd = memfd_create("shapes", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, MAPPING_BYTES) != 0)
		die("memfd_create");
	return fd;
}

static void statics(void)
{
	in_data = plant_block(PLANT_REACHABLE, ".data");
	in_bss = plant_block(PLANT_REACHABLE, ".bss");
	large_bss.words[65000] = plant_block(PLANT_REACHABLE, ".bss, far in");

	void *library = dlopen(LIBRARY, RTLD_NOW);
	if (!library)
		die(LIBRARY);
	library_slot data = (library_slot)(uintptr_t)dlsym(library, "library_data_slot");
	library_slot bss = (library_slot)(uintptr_t)dlsym(library, "library_bss_slot");
	*data() = plant_block(PLANT_REACHABLE, ".data of a dlopened library");
	*bss() = plant_block(PLANT_REACHABLE, ".bss of a dlopened library");
}

static void anonymous(void)
{
	int anonymous_private = MAP_PRIVATE | MAP_ANONYMOUS;
	void **place =
		put(map(anonymous_private, -1), PLANT_REACHABLE, "anonymous, private");
	*(void **)*place =
		plant_block(PLANT_REACHABLE, "anonymous, private: behind the first");

	put(map(MAP_SHARED | MAP_ANONYMOUS, -1), PLANT_REACHABLE, "anonymous, shared");

	place = put(map(anonymous_private, -1), PLANT_REACHABLE,
		    "anonymous, not inherited");
	madvise(place - 8 - 512, MAPPING_BYTES, MADV_DONTFORK);
	place = put(map(anonymous_private, -1), PLANT_REACHABLE,
		    "anonymous, wiped on fork");
	madvise(place - 8 - 512, MAPPING_BYTES, MADV_WIPEONFORK);

	void *memory = map(anonymous_private, -1);
	put(memory, PLANT_REACHABLE, "anonymous, made executable");
	mprotect(memory, MAPPING_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC);

	memory = map(anonymous_private, -1);
	place = put(memory, PLANT_REACHABLE, "anonymous, made read-only");
	plant_differs(*place, PLANT_DEFINITE, "Memcheck looks at writable memory only");
	mprotect(memory, MAPPING_BYTES, PROT_READ);

	memory = map(anonymous_private, -1);
	put(memory, PLANT_DEFINITE, "anonymous, unmapped");
	munmap(memory, MAPPING_BYTES);

	place = put(map(anonymous_private, -1), PLANT_POSSIBLE, "anonymous, interior");
	*place = (char *)*place + 32;
}

static void files(void)
{
	put(map(MAP_PRIVATE, file()), PLANT_REACHABLE, "file, private, written to");
	put(map(MAP_SHARED, file()), PLANT_REACHABLE, "file, shared");
	put(map(MAP_PRIVATE, memory_file()), PLANT_REACHABLE, "memory file, private");
	put(map(MAP_SHARED, memory_file()), PLANT_REACHABLE, "memory file, shared");

	int id = shmget(IPC_PRIVATE, MAPPING_BYTES, IPC_CREAT | 0600);
	void *memory = shmat(id, NULL, 0);
	shmctl(id, IPC_RMID, NULL);
	put(memory, PLANT_REACHABLE, "System V shared memory");
}

/* Past what the allocator uses of the break, but in the same mapping. */
static void own_break(void)
{
	void **memory = sbrk(4096);
	memory[8] = plant_block(PLANT_REACHABLE, "memory that the program got from sbrk");
	/* The allocator goes on behind it. */
	void *more =
		plant_sized(100008, PLANT_REACHABLE, "block behind the program's sbrk");
	memory[9] = more;
	plant_sized(90008, PLANT_DEFINITE, "block behind the program's sbrk, lost");
}

static void plant(void)
{
	statics();
	anonymous();
	files();
	own_break();
}

int main(int argc, char **argv)
{
	plant_run(plant);
	plant_wait(argc, argv);
}
