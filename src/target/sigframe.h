/*
 * sigframe: a way back for a thread that was taken on a detour: what rt_sigreturn() restores
 * a thread from, as the kernel itself writes it before a signal handler runs (x86-64).
 *
 * The thread is to call rt_sigreturn() with its stack pointer at the frame's beginning. That
 * puts back general and vector registers and the signal mask.
 */
#ifndef SEEP_TARGET_SIGFRAME_H
#define SEEP_TARGET_SIGFRAME_H

#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "base/error.h"

/* The vector registers' part grows with the processor's features (see registers.c). */
#define SIGFRAME_MAX 20480u

/*
 * Writes the frame of the stopped thread to `bytes` (SIGFRAME_MAX), as it must stand at
 * `address`, which is 64-aligned. The general registers are those given (see
 * injection.parked), the vector ones as they are.
 */
struct error *sigframe_make(pid_t tid, const struct user_regs_struct *registers,
			    uint64_t mask, uint64_t address, void *bytes) MUST_CHECK;

#endif
