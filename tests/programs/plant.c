/*
 * plant: keeps the list of what was planted, and sees to it that planting leaves no trace.
 */
#include "plant.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define MAX_PLANTED 512
#define MAX_THREADS 64

/*
 * Valgrind takes a jump of the stack pointer by less than 2 MB for a deep call, and what
 * lies between for stack. So this much is left unused on both sides of the scratch stack.
 */
#define MARGIN_BYTES  ((size_t)2 << 20)
#define SCRATCH_BYTES ((size_t)1 << 20)

struct planted {
	uintptr_t hidden;
	size_t size;
	const char *shape;
	enum plant_kind kind, valgrind_kind;
	const char *why; /* NULL: Valgrind agrees */
};

static const char *const kind_names[] = {
	[PLANT_DEFINITE] = "definite", [PLANT_INDIRECT] = "indirect",
	[PLANT_POSSIBLE] = "possible", [PLANT_REACHABLE] = "reachable",
	[PLANT_FREED] = "freed",
};

static struct planted planted[MAX_PLANTED];
static unsigned nr_planted;
static size_t next_size = 40;

static void *volatile fence; /* the last one; each holds the one before */

static pid_t holders[MAX_THREADS];
static unsigned nr_holders;
static sem_t holding;
static void *(*holder_start)(void *);

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "plant: %s: %s\n", what, strerror(errno));
	_exit(99);
}

uintptr_t plant_hide(const void *block)
{
	return ~(uintptr_t)block;
}

void *plant_show(uintptr_t hidden)
{
	return (void *)~hidden;
}

/* Empties the registers that a called function may leave anything in. */
static void scrub_registers(void)
{
	if (__builtin_cpu_supports("avx512f"))
		__asm__ volatile(
			".irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
			"vpxorq %%zmm\\n, %%zmm\\n, %%zmm\\n\n\t"
			".endr" ::
				: "memory");
	if (__builtin_cpu_supports("avx"))
		__asm__ volatile("vzeroall" ::: "memory");
	__asm__ volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
			 "pxor %%xmm\\n, %%xmm\\n\n\t"
			 ".endr\n\t"
			 "xor %%eax, %%eax\n\t"
			 "xor %%ecx, %%ecx\n\t"
			 "xor %%edx, %%edx\n\t"
			 "xor %%esi, %%esi\n\t"
			 "xor %%edi, %%edi\n\t"
			 "xor %%r8d, %%r8d\n\t"
			 "xor %%r9d, %%r9d\n\t"
			 "xor %%r10d, %%r10d\n\t"
			 "xor %%r11d, %%r11d" ::
				 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
				   "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
				   "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
				   "xmm12", "xmm13", "xmm14", "xmm15", "memory");
}

__attribute__((noinline)) void plant_run(void (*plant)(void))
{
	ucontext_t caller, scratch;
	size_t size = MARGIN_BYTES + SCRATCH_BYTES + MARGIN_BYTES;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED || getcontext(&scratch) != 0)
		die("scratch stack");
	scratch.uc_stack.ss_sp = memory + MARGIN_BYTES;
	scratch.uc_stack.ss_size = SCRATCH_BYTES;
	scratch.uc_link = &caller;
	makecontext(&scratch, plant, 0);
	if (swapcontext(&caller, &scratch) != 0)
		die("swapcontext");
	munmap(memory, size);
	scrub_registers();
}

static void *run_and_end(void *plant)
{
	plant_run((void (*)(void))(uintptr_t)plant);
	return NULL;
}

void plant_run_in_thread(void (*plant)(void))
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, run_and_end, (void *)(uintptr_t)plant) != 0)
		die("pthread_create");
	pthread_join(thread, NULL);
}

static struct planted *find(const void *block)
{
	for (unsigned i = nr_planted; i-- > 0;) {
		if (planted[i].hidden == plant_hide(block))
			return &planted[i];
	}
	errno = ENOENT;
	die("block was never planted");
}

static bool is_used(size_t size)
{
	for (unsigned i = 0; i < nr_planted; i++) {
		if (planted[i].size == size && planted[i].kind != PLANT_FREED)
			return true;
	}
	return false;
}

void *plant_note(void *block, enum plant_kind kind, const char *shape)
{
	errno = ENOMEM;
	if (!block)
		die(shape);
	if (nr_planted == MAX_PLANTED)
		die("too many blocks");
	planted[nr_planted++] = (struct planted){
		.hidden = plant_hide(block),
		.size = malloc_usable_size(block),
		.shape = shape,
		.kind = kind,
		.valgrind_kind = kind,
	};
	return block;
}

size_t plant_next_size(void)
{
	while (is_used(next_size))
		next_size += 16;
	size_t size = next_size;
	next_size += 16;
	return size;
}

void *plant_sized(size_t size, enum plant_kind kind, const char *shape)
{
	void *block = malloc(size);
	if (!block)
		die(shape);
	return plant_note(memset(block, 0, size), kind, shape);
}

void *plant_block(enum plant_kind kind, const char *shape)
{
	return plant_sized(plant_next_size(), kind, shape);
}

void plant_differs(void *block, enum plant_kind valgrind_kind, const char *why)
{
	struct planted *found = find(block);
	found->valgrind_kind = valgrind_kind;
	found->why = why;
}

void plant_ring(void **blocks[], size_t nr_blocks, const char *shape)
{
	size_t first = 0;
	for (size_t i = 0; i < nr_blocks; i++) {
		blocks[i] = plant_block(PLANT_INDIRECT, shape);
		if (blocks[i] < blocks[first])
			first = i;
	}
	for (size_t i = 0; i < nr_blocks; i++)
		blocks[i][0] = blocks[(i + 1) % nr_blocks];
	struct planted *leader = find(blocks[first]);
	leader->kind = leader->valgrind_kind = PLANT_DEFINITE;
}

void plant_fence(void)
{
	void **block = calloc(1, 24);
	if (!block)
		die("fence");
	*block = fence;
	fence = block;
}

/*
 * glibc maps only what the top of the heap cannot give. So what there is of the top is used
 * up: a block larger than it makes the heap grow by just what is missing.
 */
void plant_map_from(size_t size)
{
	static void *volatile filler;
	mallopt(M_TOP_PAD, 0);
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	filler = calloc(1, 400000);
	if (!filler)
		die("filler");
	mallopt(M_MMAP_THRESHOLD, (int)size);
}

void plant_free(void *block, const char *shape)
{
	plant_note(block, PLANT_FREED, shape);
	free(block);
}

static void *start_holder(void *argument)
{
	holders[nr_holders++] = (pid_t)syscall(SYS_gettid);
	return holder_start(argument);
}

void plant_thread_on(void *stack, size_t size, void *(*hold)(void *), uintptr_t argument)
{
	pthread_t thread;
	pthread_attr_t attributes;
	if (nr_holders == MAX_THREADS)
		die("too many threads");
	if (nr_holders == 0)
		sem_init(&holding, 0, 0);
	holder_start = hold;
	pthread_attr_init(&attributes);
	if (stack)
		pthread_attr_setstack(&attributes, stack, size);
	if (pthread_create(&thread, &attributes, start_holder, (void *)argument) != 0)
		die("pthread_create");
	pthread_attr_destroy(&attributes);
	while (sem_wait(&holding) != 0)
		;
}

void plant_thread(void *(*hold)(void *), uintptr_t argument)
{
	plant_thread_on(NULL, 0, hold, argument);
}

void plant_holding(void)
{
	sem_post(&holding);
}

_Noreturn void plant_pause(void)
{
	scrub_registers();
	__asm__ volatile("xor %%ebx, %%ebx\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "xor %%r12d, %%r12d\n\t"
			 "xor %%r13d, %%r13d\n\t"
			 "xor %%r14d, %%r14d\n\t"
			 "xor %%r15d, %%r15d\n"
			 "1:\tmov %0, %%eax\n\t"
			 "syscall\n\t"
			 "jmp 1b" ::"i"(SYS_pause)
			 : "memory");
	__builtin_unreachable();
}

/* Whether a thread has got as far as its pause(). */
static bool is_paused(pid_t tid)
{
	char path[64], line[16] = "";
	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", (int)tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, line, sizeof(line) - 1) < 0)
		die(path);
	close(fd);
	return atoi(line) == SYS_pause;
}

/* Every thread is a folder in /proc/self/task, and each but "." and ".." adds a link. */
static unsigned nr_threads(void)
{
	struct stat tasks;
	if (stat("/proc/self/task", &tasks) != 0)
		die("/proc/self/task");
	return (unsigned)tasks.st_nlink - 2;
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

void plant_await_ends(void)
{
	while (nr_threads() > nr_holders + 1)
		nap();
}

static void await_holders(void)
{
	for (unsigned i = 0; i < nr_holders; i++) {
		while (!is_paused(holders[i]))
			nap();
	}
}

static void write_manifest(void)
{
	const char *path = getenv("PLANT_MANIFEST");
	if (!path)
		return;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		die(path);
	for (unsigned i = 0; i < nr_planted; i++) {
		const struct planted *block = &planted[i];
		dprintf(fd, "%p\t%zu\t%s\t%s\t%s\t%s\n", plant_show(block->hidden),
			block->size, kind_names[block->kind],
			kind_names[block->valgrind_kind], block->shape,
			block->why ? block->why : "");
	}
	close(fd);
}

/*
 * What ran before main() may have left pointers to blocks that were handed out again since.
 * They stand where the stack was deeper, in part in the red zone of what runs now.
 */
__attribute__((noinline)) static void clear_dead_stack(void)
{
	volatile char dead[32768];
	for (size_t i = 0; i < sizeof(dead); i++)
		dead[i] = 0;
}

void plant_ready(void)
{
	plant_run(await_holders);
	plant_run(write_manifest);
	clear_dead_stack();
	if (write(STDOUT_FILENO, "READY\n", 6) != 6)
		die("stdout");
}

_Noreturn void plant_wait(int argc, char **argv)
{
	plant_ready();
	if (argc > 1 && strcmp(argv[1], "--exit") == 0)
		exit(0);
	plant_pause();
}
