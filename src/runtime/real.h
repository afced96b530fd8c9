/*
 * real: what the hooks stand in front of, and pass every call on to: the next definition after
 * ours, whichever library it is in. All hooks are rows of these tables.
 *
 * One of them is not libc's own where that is musl, whose calls others of these (real_musl.h).
 *
 * The first call of any finds all of them (dlsym). Should finding them allocate, it gets memory
 * that is never given back ("early").
 */
#ifndef SEEP_RUNTIME_REAL_H
#define SEEP_RUNTIME_REAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/ucontext.h> /* stack_t, and nothing that declares our hooks */

/* musl's header has the one stand for the other. */
#undef mmap64

struct nothrow; /* std::nothrow_t */

/* Of each row: type of the result, name, parameters, arguments. */
#define HOOKS_OF_BLOCKS(X)                                                               \
	X(void *, malloc, (size_t size), (size))                                         \
	X(void *, calloc, (size_t nr, size_t size), (nr, size))                          \
	X(void *, realloc, (void *block, size_t size), (block, size))                    \
	X(void *, reallocarray, (void *block, size_t nr, size_t size),                   \
	  (block, nr, size))                                                             \
	X(void, free, (void *block), (block))                                            \
	X(void *, memalign, (size_t alignment, size_t size), (alignment, size))          \
	X(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size))     \
	X(int, posix_memalign, (void **block, size_t alignment, size_t size),            \
	  (block, alignment, size))                                                      \
	X(void *, valloc, (size_t size), (size))                                         \
	X(void *, pvalloc, (size_t size), (size))                                        \
	X(size_t, malloc_usable_size, (void *block), (block))

#define HOOKS_OF_MAPPINGS(X)                                                             \
	X(void *, mmap,                                                                  \
	  (void *address, size_t size, int access, int flags, int file, off_t offset),   \
	  (address, size, access, flags, file, offset))                                  \
	X(void *, mmap64,                                                                \
	  (void *address, size_t size, int access, int flags, int file, off64_t offset), \
	  (address, size, access, flags, file, offset))                                  \
	X(int, munmap, (void *address, size_t size), (address, size))                    \
	X(void *, mremap,                                                                \
	  (void *old, size_t old_size, size_t size, int flags, void *address),           \
	  (old, old_size, size, flags, address))                                         \
	X(int, brk, (void *end), (end))                                                  \
	X(void *, sbrk, (intptr_t more), (more))

#define HOOKS_OF_PROCESSES(X)                                                            \
	X(int, dlclose, (void *library), (library))                                      \
	X(int, prctl, (int option, long a, long b, long c, long d),                      \
	  (option, a, b, c, d))                                                          \
	X(long, syscall, (long number, long a, long b, long c, long d, long e, long f),  \
	  (number, a, b, c, d, e, f))                                                    \
	X(pid_t, fork, (void), ())                                                       \
	X(int, execve,                                                                   \
	  (const char *path, char *const args[], char *const environment[]),             \
	  (path, args, environment))                                                     \
	X(int, execv, (const char *path, char *const args[]), (path, args))              \
	X(int, execvp, (const char *file, char *const args[]), (file, args))             \
	X(int, execvpe,                                                                  \
	  (const char *file, char *const args[], char *const environment[]),             \
	  (file, args, environment))                                                     \
	X(int, fexecve, (int file, char *const args[], char *const environment[]),       \
	  (file, args, environment))

#define HOOKS_OF_STACKS(X)                                                               \
	X(int, pthread_attr_setstack,                                                    \
	  (pthread_attr_t * attributes, void *address, size_t size),                     \
	  (attributes, address, size))                                                   \
	X(int, pthread_attr_setstackaddr, (pthread_attr_t * attributes, void *address),  \
	  (attributes, address))                                                         \
	X(int, pthread_attr_setguardsize, (pthread_attr_t * attributes, size_t size),    \
	  (attributes, size))                                                            \
	X(int, sigaltstack, (const stack_t *stack, stack_t *old), (stack, old))

/* operator new and delete in all their forms, by the names that the Itanium C++ ABI gives them
   where size_t is unsigned long. */
#define HOOKS_OF_NEW(X)                                                                  \
	X(void *, _Znwm, (size_t size), (size))                                          \
	X(void *, _Znam, (size_t size), (size))                                          \
	X(void *, _ZnwmRKSt9nothrow_t, (size_t size, const struct nothrow *tag),         \
	  (size, tag))                                                                   \
	X(void *, _ZnamRKSt9nothrow_t, (size_t size, const struct nothrow *tag),         \
	  (size, tag))                                                                   \
	X(void *, _ZnwmSt11align_val_t, (size_t size, size_t alignment),                 \
	  (size, alignment))                                                             \
	X(void *, _ZnamSt11align_val_t, (size_t size, size_t alignment),                 \
	  (size, alignment))                                                             \
	X(void *, _ZnwmSt11align_val_tRKSt9nothrow_t,                                    \
	  (size_t size, size_t alignment, const struct nothrow *tag),                    \
	  (size, alignment, tag))                                                        \
	X(void *, _ZnamSt11align_val_tRKSt9nothrow_t,                                    \
	  (size_t size, size_t alignment, const struct nothrow *tag),                    \
	  (size, alignment, tag))

#define HOOKS_OF_DELETE(X)                                                               \
	X(void, _ZdlPv, (void *block), (block))                                          \
	X(void, _ZdaPv, (void *block), (block))                                          \
	X(void, _ZdlPvm, (void *block, size_t size), (block, size))                      \
	X(void, _ZdaPvm, (void *block, size_t size), (block, size))                      \
	X(void, _ZdlPvRKSt9nothrow_t, (void *block, const struct nothrow *tag),          \
	  (block, tag))                                                                  \
	X(void, _ZdaPvRKSt9nothrow_t, (void *block, const struct nothrow *tag),          \
	  (block, tag))                                                                  \
	X(void, _ZdlPvSt11align_val_t, (void *block, size_t alignment),                  \
	  (block, alignment))                                                            \
	X(void, _ZdaPvSt11align_val_t, (void *block, size_t alignment),                  \
	  (block, alignment))                                                            \
	X(void, _ZdlPvmSt11align_val_t, (void *block, size_t size, size_t alignment),    \
	  (block, size, alignment))                                                      \
	X(void, _ZdaPvmSt11align_val_t, (void *block, size_t size, size_t alignment),    \
	  (block, size, alignment))                                                      \
	X(void, _ZdlPvSt11align_val_tRKSt9nothrow_t,                                     \
	  (void *block, size_t alignment, const struct nothrow *tag),                    \
	  (block, alignment, tag))                                                       \
	X(void, _ZdaPvSt11align_val_tRKSt9nothrow_t,                                     \
	  (void *block, size_t alignment, const struct nothrow *tag),                    \
	  (block, alignment, tag))

#define HOOKS_OF_OPERATORS(X)                                                            \
	HOOKS_OF_NEW(X)                                                                  \
	HOOKS_OF_DELETE(X)

#define HOOKS(X)                                                                         \
	HOOKS_OF_BLOCKS(X)                                                               \
	HOOKS_OF_MAPPINGS(X)                                                             \
	HOOKS_OF_PROCESSES(X)                                                            \
	HOOKS_OF_STACKS(X)                                                               \
	HOOKS_OF_OPERATORS(X)

/* A hook is what the linker sees of us. */
#define HOOK __attribute__((visibility("default")))

#define DECLARE_REAL(result, name, parameters, arguments) result(*name) parameters;
struct real {
	HOOKS(DECLARE_REAL)
};
#undef DECLARE_REAL
extern struct real real;

/* Whether the library with malloc() has operator new, too: its own, not one that calls
   malloc(). False until found. */
extern bool real_new_is_allocators;

/* [low, high): the library with malloc(), if it is not libc. Calls from there are the allocator's
   own affair. */
extern uintptr_t real_allocator_low, real_allocator_high;
extern bool real_allocator_is_library; /* not part of the program itself */

/* Whether malloc_usable_size() is of the library that malloc() is of: another's may read what
   is not there. False until found. */
extern bool real_knows_sizes;

/* [low, high): libc, if its functions of blocks call each other; else nothing. */
extern uintptr_t real_libc_low, real_libc_high;

/* Finds all, if nobody has. */
void real_find(void);

/* What is given out while others are being found. */
#define REAL_EARLY_BYTES 8192u
extern char real_early[REAL_EARLY_BYTES];

static inline bool real_is_early(const void *block)
{
	return (uintptr_t)block - (uintptr_t)real_early < REAL_EARLY_BYTES;
}
/* Of one that did, or NULL. */
size_t real_early_size(const void *block);

#endif
