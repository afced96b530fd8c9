/*
 * counting: an independent count of what a program allocates. Preloaded after the runtime, it is what
 * the runtime passes its calls on to. The counts lie in the file that COUNTS names, true at any
 * moment, so that nothing at the end of the program is missed.
 *
 * musl makes calloc() of malloc(), and the like: what is called inside of another is not counted.
 */
#include "counting.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* Of what happens before the file is mapped, and in children. */
static struct counts elsewhere;
static struct counts *counts = &elsewhere;

static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void *(*memalign)(size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*valloc)(size_t);
	void *(*pvalloc)(size_t);
	void (*free)(void *);
	size_t (*usable_size)(void *);
} real;

static void find(void *slot, const char *name)
{
	*(void **)slot = dlsym(RTLD_NEXT, name);
}

static void count_elsewhere(void)
{
	counts = &elsewhere;
}

static void map_counts(void)
{
	int saved = errno;
	const char *path = getenv("COUNTS");
	int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *mapped = file < 0 ? MAP_FAILED
				: mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
				       MAP_SHARED, file, 0);
	close(file);
	struct counts *shared = mapped == MAP_FAILED ? NULL : mapped;
	uint64_t none = 0;
	if (shared && atomic_compare_exchange_strong(&shared->taken, &none, 1)) {
		counts = shared;
		pthread_atfork(NULL, NULL, count_elsewhere);
	}
	errno = saved;
}

/* The loader allocates before there is an environment; and at the latest before main(), whose first
   threads may be the first to allocate. */
__attribute__((constructor)) static void begin(void)
{
	static bool mapped;
	if (!real.malloc) {
		find(&real.malloc, "malloc");
		find(&real.calloc, "calloc");
		find(&real.realloc, "realloc");
		find(&real.memalign, "memalign");
		find(&real.aligned_alloc, "aligned_alloc");
		find(&real.posix_memalign, "posix_memalign");
		find(&real.valloc, "valloc");
		find(&real.pvalloc, "pvalloc");
		find(&real.free, "free");
		find(&real.usable_size, "malloc_usable_size");
		dlerror(); /* musl has no pvalloc(), which is no error of the program's */
	}
	if (!mapped && environ) {
		mapped = true;
		map_counts();
	}
}

/* Of calls of these, in each other. */
static __thread unsigned depth __attribute__((tls_model("initial-exec")));

static void enter(void)
{
	depth++; /* first: to begin may allocate */
	begin();
}

static void *count(void *block, size_t size)
{
	if (--depth == 0 && block) {
		counts->allocations++;
		counts->bytes += size;
	}
	return block;
}

static void *count_resize(void *old, void *block, size_t size)
{
	if (!old)
		return count(block, size);
	if (--depth > 0)
		return block;
	if (block) {
		counts->resizes++;
		counts->resized_bytes += size;
	} else if (size == 0) {
		counts->frees++;
	}
	return block;
}

EXPORT void *malloc(size_t size)
{
	enter();
	return count(real.malloc(size), size);
}

EXPORT void *calloc(size_t nr, size_t size)
{
	enter();
	return count(real.calloc(nr, size), nr * size);
}

EXPORT void *memalign(size_t alignment, size_t size)
{
	enter();
	return count(real.memalign(alignment, size), size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	enter();
	return count(real.aligned_alloc(alignment, size), size);
}

EXPORT void *valloc(size_t size)
{
	enter();
	return count(real.valloc(size), size);
}

EXPORT void *pvalloc(size_t size)
{
	enter();
	return count(real.pvalloc(size), size);
}

EXPORT int posix_memalign(void **block, size_t alignment, size_t size)
{
	enter();
	int result = real.posix_memalign(block, alignment, size);
	count(result == 0 ? *block : NULL, size);
	return result;
}

/* libc's reallocarray() calls it. */
EXPORT void *realloc(void *block, size_t size)
{
	enter();
	return count_resize(block, real.realloc(block, size), size);
}

EXPORT void free(void *block)
{
	begin();
	if (block)
		counts->frees++;
	real.free(block);
}

/* Whose blocks are its own is asked for their sizes. */
EXPORT size_t malloc_usable_size(void *block)
{
	begin();
	return real.usable_size(block);
}
