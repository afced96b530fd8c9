/*
 * stacks: the hooks of what gives a thread a stack that libc did not make, or no guard below it. Then
 * the memory below may be another stack, which can be unmapped while the thread lives. And of what
 * gives its handlers one, since with SS_AUTODISARM (sigaltstack(2)) the kernel does not tell later
 * who is on it.
 */
#include <signal.h>

#include "runtime/real.h"
#include "runtime/recorder.h"

HOOK int pthread_attr_setstack(pthread_attr_t *attributes, void *address, size_t size)
{
	atomic_store(&recorder.has_bare_stacks, true);
	return real.pthread_attr_setstack(attributes, address, size);
}

HOOK int pthread_attr_setstackaddr(pthread_attr_t *attributes, void *address)
{
	atomic_store(&recorder.has_bare_stacks, true);
	return real.pthread_attr_setstackaddr(attributes, address);
}

HOOK int pthread_attr_setguardsize(pthread_attr_t *attributes, size_t size)
{
	if (size == 0)
		atomic_store(&recorder.has_bare_stacks, true);
	return real.pthread_attr_setguardsize(attributes, size);
}

/* Its headers are the kernel's. */
#define AUTODISARM 0x80000000u

HOOK int sigaltstack(const stack_t *stack, stack_t *old)
{
	int result = real.sigaltstack(stack, old);
	if (result == 0 && stack) {
		bool is_disarmed = (unsigned)stack->ss_flags & AUTODISARM;
		self.disarmed_low = (uintptr_t)stack->ss_sp;
		self.disarmed_bytes = is_disarmed ? stack->ss_size : 0;
	}
	return result;
}
