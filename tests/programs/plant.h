/*
 * plant: blocks planted in a test program, and what ought to be said of each.
 *
 * A program under test plants blocks in known shapes, says READY and waits. Who compares
 * (tests/oracle/compare) reads the manifest that the program leaves in the file named by
 * PLANT_MANIFEST: one line per block with its address, size, the kind that
 * `seep leaks --strict` and Valgrind are to give it, and why where these differ.
 *
 * A test is worth something only if no stale copy of a pointer is left behind. So all
 * planting runs on a stack of its own that is unmapped afterwards (plant_run), addresses
 * are kept as complements, and no register survives plant_wait.
 *
 * Sizes are unique and 8 mod 16, which is what glibc can use without rounding, so a block
 * is known by its size as well. Blocks are filled with zeros.
 */
#ifndef PLANT_H
#define PLANT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define PLANT_NORETURN [[noreturn]]
extern "C" {
#else
#define PLANT_NORETURN _Noreturn
#endif

enum plant_kind {
	PLANT_DEFINITE,
	PLANT_INDIRECT,
	PLANT_POSSIBLE,
	PLANT_REACHABLE,
	PLANT_FREED, /* given back: must not be reported at all */
};

/* Runs plant() on a stack that does not exist afterwards. */
void plant_run(void (*plant)(void));

/* As plant_run, in a thread that has ended, and was joined, on return. */
void plant_run_in_thread(void (*plant)(void));

/* A zeroed block of the next unused size, or of `size` bytes, of which `kind` is true. */
void *plant_block(enum plant_kind kind, const char *shape);
void *plant_sized(size_t size, enum plant_kind kind, const char *shape);

/* The same for a block that the program got in its own way. */
void *plant_note(void *block, enum plant_kind kind, const char *shape);

/*
 * From now on, blocks of `size` bytes and more get mappings of their own, as long as the main
 * arena has no such chunk free. The size must be above a page.
 */
void plant_map_from(size_t size);

/* The next unused size. */
size_t plant_next_size(void);

/* Says that Valgrind gives the block another kind, and why. */
void plant_differs(void *block, enum plant_kind valgrind_kind, const char *why);

/* As plant_block, for a ring: the first by address is definitely lost, the others by it. */
void plant_ring(void **blocks[], size_t nr_blocks, const char *shape);

/*
 * A block between what was planted and what is allocated later. glibc's own pointers to a
 * block's chunk, which it leaves on stacks, point into the last word of the block before.
 */
void plant_fence(void);

/* free(), and the block must not be reported. */
void plant_free(void *block, const char *shape);

/* An address in a form that no search for pointers takes for one, and back. */
uintptr_t plant_hide(const void *block);
void *plant_show(uintptr_t hidden);

/*
 * A thread that runs hold(argument), on `stack` if it is not NULL; returns when `hold` has
 * called plant_holding(). `hold` must end in pause(): plant_wait waits until it is there.
 */
void plant_thread(void *(*hold)(void *), uintptr_t argument);
void plant_thread_on(void *stack, size_t size, void *(*hold)(void *), uintptr_t argument);
void plant_holding(void);

/* Waits until all other threads but those of plant_thread have ended. */
void plant_await_ends(void);

/* Makes the compiler keep a local variable where it is, on the stack. */
#define PLANT_KEEP(variable) __asm__ volatile("" ::"r"(&(variable)) : "memory")

/* Waits for ever, without leaving anything in registers. */
PLANT_NORETURN void plant_pause(void);

/* Writes the manifest and says READY. */
void plant_ready(void);

/*
 * Writes the manifest, says READY and waits for ever; with --exit it calls exit(0), so
 * that nothing is given back that main() still holds.
 */
PLANT_NORETURN void plant_wait(int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
