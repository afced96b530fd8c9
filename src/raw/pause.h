/* pause: what a loop does that waits for another processor. */
#ifndef SEEP_RAW_PAUSE_H
#define SEEP_RAW_PAUSE_H

static inline void pause_briefly(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

#endif
