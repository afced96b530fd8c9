/*
 * cpu: what unwinding must know of a processor.
 *
 * To add one: a header as cpu_x86_64.h, a line here, the registers in unwind/unwind.h, an
 * unwind_here() in unwind/here.h, and raw/system_call.h.
 */
#ifndef SEEP_UNWIND_CPU_H
#define SEEP_UNWIND_CPU_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include "unwind/cpu_x86_64.h"
#elif defined(__aarch64__)
#include "unwind/cpu_aarch64.h"
#endif

/* Registers by their DWARF numbers; `known` has a bit for each that has its value. */
struct cpu_registers {
	uint64_t values[CPU_NR_REGISTERS];
	uint64_t known;
};
static_assert(CPU_NR_REGISTERS <= 64, "a bit for each");

#define CPU_BIT(number) (UINT64_C(1) << (number))

/* What the quick walker keeps. */
#define CPU_QUICK_REGISTERS (CPU_BIT(CPU_SP) | CPU_BIT(CPU_BP) | CPU_BIT(CPU_PC))

static inline void cpu_set(struct cpu_registers *registers, unsigned number,
			   uint64_t value)
{
	registers->values[number] = value;
	registers->known |= CPU_BIT(number);
}

/* Where a register lies in a struct unwind_registers. */
struct cpu_place {
	uint8_t number;
	uint8_t offset;
};

static inline void cpu_take(struct cpu_registers *registers,
			    const struct unwind_registers *from)
{
	static const struct cpu_place places[] = CPU_PLACES;
	const uint64_t *words = (const uint64_t *)from;
	registers->known = 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		cpu_set(registers, places[i].number,
			words[places[i].offset / sizeof(*words)]);
}

#endif
