/*
 * operators: the hooks of C++'s operator new and delete.
 *
 * Those of libstdc++ and libc++ call malloc() and free(), whose hooks record: ours jump to them, and
 * leave no frame behind. An allocator's library may have operators of its own, which do not. Then
 * they are recorded here, and what they call in turn is not.
 *
 * No exception may pass through an entered hook, for it would never be left. So the entered one
 * calls the form that returns NULL, and only when that fails, and after leaving, the one that throws.
 */
#include "runtime/record.h"

#define JUMP_UNLESS_ALLOCATORS(call)                                                     \
	do {                                                                             \
		if (LIKELY(!real_new_is_allocators))                                     \
			return call;                                                     \
	} while (0)

/* By `attempt`, which returns NULL when it fails. */
#define DEFINE_NEW(name, parameters, arguments, attempt, attempt_arguments)              \
	HOOK void *name parameters;                                                      \
	HOOK void *name parameters                                                       \
	{                                                                                \
		JUMP_UNLESS_ALLOCATORS(real.name arguments);                             \
		if (!recorder_enter(RECORDER_HOOK))                                      \
			return real.name arguments;                                      \
		void *block = real.attempt attempt_arguments;                            \
		if (LIKELY(block))                                                       \
			record_allocation(block, size);                                  \
		recorder_leave();                                                        \
		return LIKELY(block) ? block : real.name arguments;                      \
	}

#define DEFINE_DELETE(result, name, parameters, arguments)                               \
	HOOK void name parameters;                                                       \
	HOOK void name parameters                                                        \
	{                                                                                \
		JUMP_UNLESS_ALLOCATORS(real.name arguments);                             \
		if (!block || !recorder_enter(RECORDER_HOOK)) {                          \
			real.name arguments;                                             \
			return;                                                          \
		}                                                                        \
		record_free(block);                                                      \
		real.name arguments;                                                     \
		recorder_leave();                                                        \
	}

/* std::nothrow is an empty object. */
static const char nothrow;
#define NOTHROW ((const struct nothrow *)(const void *)&nothrow)

DEFINE_NEW(_Znwm, (size_t size), (size), _ZnwmRKSt9nothrow_t, (size, NOTHROW))
DEFINE_NEW(_Znam, (size_t size), (size), _ZnamRKSt9nothrow_t, (size, NOTHROW))
DEFINE_NEW(_ZnwmSt11align_val_t, (size_t size, size_t alignment), (size, alignment),
	   _ZnwmSt11align_val_tRKSt9nothrow_t, (size, alignment, NOTHROW))
DEFINE_NEW(_ZnamSt11align_val_t, (size_t size, size_t alignment), (size, alignment),
	   _ZnamSt11align_val_tRKSt9nothrow_t, (size, alignment, NOTHROW))
DEFINE_NEW(_ZnwmRKSt9nothrow_t, (size_t size, const struct nothrow *tag), (size, tag),
	   _ZnwmRKSt9nothrow_t, (size, tag))
DEFINE_NEW(_ZnamRKSt9nothrow_t, (size_t size, const struct nothrow *tag), (size, tag),
	   _ZnamRKSt9nothrow_t, (size, tag))
DEFINE_NEW(_ZnwmSt11align_val_tRKSt9nothrow_t,
	   (size_t size, size_t alignment, const struct nothrow *tag),
	   (size, alignment, tag), _ZnwmSt11align_val_tRKSt9nothrow_t,
	   (size, alignment, tag))
DEFINE_NEW(_ZnamSt11align_val_tRKSt9nothrow_t,
	   (size_t size, size_t alignment, const struct nothrow *tag),
	   (size, alignment, tag), _ZnamSt11align_val_tRKSt9nothrow_t,
	   (size, alignment, tag))

HOOKS_OF_DELETE(DEFINE_DELETE)
