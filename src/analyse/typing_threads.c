/*
 * typing_threads: where the thread-local variables of a module stand in each thread. See
 * typing_priv.h.
 *
 * The program's own end where the thread pointer points to, and what is before them is known by their
 * size (variant II of ELF Handling For Thread-Local Storage). Of a library the words tell that the
 * loader has written into it for its code: how far from the thread pointer its block is, or its
 * number. Blocks by number are in each thread's dtv: glibc keeps its address in the word behind that
 * at the thread pointer (tcbhead_t, sysdeps/x86_64/nptl/tls.h), and in it 16 bytes for each number,
 * the first of which point to the block, or are -1 when the thread has none yet; before those of
 * number 0 it says how many numbers there is room for (dtv_t, sysdeps/generic/dl-dtv.h).
 */
#include "analyse/typing_priv.h"

#include <elf.h>

/* Words of a module that are looked at; one of the right kind is enough. */
#define WORDS_MAX   256u
#define MODULES_MAX (1u << 16)
#define SLOT_BYTES  16u

/* What is known of a module's blocks; in run->tls_modules by its start. */
enum { TLS_UNKNOWN = 1, TLS_BELOW, TLS_NUMBER };
#define TLS_KIND_BITS 2u

/* --- modules ------------------------------------------------------------------------- */

static uint64_t size_below(const struct elf_file *file)
{
	size_t nr;
	const struct elf_segment *segments = elf_file_segments(file, &nr);
	for (size_t i = 0; i < nr; i++) {
		uint64_t align = segments[i].alignment ? segments[i].alignment : 1;
		if (segments[i].type == PT_TLS && segments[i].memory_size < UINT32_MAX &&
		    align < UINT32_MAX)
			return (segments[i].memory_size + align - 1) / align * align;
	}
	return 0;
}

/* What a word tells; 0: nothing. */
static uint64_t told_by(struct run *run, const struct elf_tls_word *word, uint64_t bias)
{
	uint64_t value;
	if (!reader_word(&run->reader, word->address + bias, &value))
		return 0;
	if (word->kind == ELF_TLS_MODULE)
		return value && value < MODULES_MAX ? value << TLS_KIND_BITS | TLS_NUMBER
						    : 0;
	uint64_t below = word->variable - value;
	return below && below < UINT32_MAX ? below << TLS_KIND_BITS | TLS_BELOW : 0;
}

/* Words that are about the module whatever others define are believed; of the others all must
   agree. */
static uint64_t told_by_words(struct run *run, const struct elf_file *file, uint64_t bias)
{
	struct elf_tls_word words[WORDS_MAX];
	size_t nr = elf_file_tls_words(file, words, WORDS_MAX);
	uint64_t found[2] = { 0 };
	for (size_t i = 0; i < nr; i++) {
		uint64_t told = told_by(run, &words[i], bias);
		uint64_t *same = &found[words[i].kind];
		if (told && words[i].is_own)
			return told;
		*same = !*same || *same == told ? told : TLS_UNKNOWN;
	}
	return found[ELF_TLS_OFFSET] > TLS_UNKNOWN ? found[ELF_TLS_OFFSET]
						   : found[ELF_TLS_MODULE];
}

/* The program itself needs no words: the C library is one that can be run, too, but has them. */
static bool is_program(const struct run *run, const struct elf_file *file)
{
	return elf_file_interpreter(file) || !elf_file_is_dynamic(file) ||
	       run->task->target->modules.nr == 1;
}

static uint64_t look_at_module(struct run *run, const struct module *module)
{
	uint64_t bias;
	const struct elf_file *file = symbols_elf_file(run->task->symbols, module, &bias);
	if (!file || elf_file_machine(file) != EM_X86_64)
		return TLS_UNKNOWN;
	uint64_t told = told_by_words(run, file, bias);
	if (told <= TLS_UNKNOWN && is_program(run, file))
		told = size_below(file) << TLS_KIND_BITS | TLS_BELOW;
	return told > TLS_BELOW ? told : TLS_UNKNOWN;
}

static uint64_t module_at(struct run *run, uint64_t start)
{
	uint64_t *known = map_at(&run->tls_modules, start);
	const struct module *module = target_module(run->task->target, start);
	if (!known || !module)
		return TLS_UNKNOWN;
	if (!*known)
		*known = look_at_module(run, module);
	return *known;
}

/* --- threads ------------------------------------------------------------------------- */

/* Whether a thread's dtv is as glibc has it. */
static bool is_dtv(struct run *run, uint64_t dtv, uint64_t pointer, uint64_t number)
{
	uint64_t room, generation, block;
	if (dtv % 8 || !target_module_named(run->task->target, "libc.so.6") ||
	    !reader_word(&run->reader, dtv - SLOT_BYTES, &room) ||
	    !reader_word(&run->reader, dtv, &generation) || number > room ||
	    room > MODULES_MAX || generation > UINT32_MAX ||
	    !reader_word(&run->reader, dtv + SLOT_BYTES, &block))
		return false;
	/* Number 1 is that of the first module that has any; its block is next to the thread
	   pointer, and was there when the thread began. */
	return block < pointer && pointer - block < UINT32_MAX;
}

static bool find_block(struct run *run, const struct thread *thread, uint64_t told,
		       uint64_t *block)
{
	uint64_t dtv, pointer = thread->thread_pointer, number = told >> TLS_KIND_BITS;
	if ((told & ((1u << TLS_KIND_BITS) - 1)) == TLS_BELOW) {
		*block = pointer - number;
		return true;
	}
	/* The C library's word at the thread pointer points to itself. */
	uint64_t self;
	return (told & ((1u << TLS_KIND_BITS) - 1)) == TLS_NUMBER &&
	       reader_word(&run->reader, pointer, &self) && self == pointer &&
	       reader_word(&run->reader, pointer + 8, &dtv) &&
	       is_dtv(run, dtv, pointer, number) &&
	       reader_word(&run->reader, dtv + number * SLOT_BYTES, block) && *block &&
	       *block != UINT64_MAX;
}

void run_follow_in_threads(struct run *run, uint32_t type,
			   const struct types_variable *variable)
{
	uint64_t block, told = module_at(run, variable->module_start);
	const struct thread_vec *threads = &run->task->target->threads;
	for (size_t i = 0; told > TLS_BELOW && i < threads->nr; i++)
		if (threads->items[i].thread_pointer &&
		    find_block(run, &threads->items[i], told, &block))
			run_follow(run, type, block + variable->address, 0);
}
