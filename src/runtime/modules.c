/*
 * modules: see modules.h.
 *
 * The lock guards all that is static here. It is held while a record waits for room in a ring,
 * and while dl_iterate_phdr() holds the loader's lock of its list (taken after ours); the loader
 * holds that one only for moments, and calls nobody meanwhile.
 */
#include "runtime/modules.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "raw/pages.h"
#include "raw/system_call.h"

#define PATH_BYTES     4096u
#define BUILD_ID_BYTES 64u
#define NOTE_NAME      "GNU"
#define FIRST_CAPACITY 128u

struct module {
	uint64_t start, end, bias;
	bool is_there; /* still, at the last look */
};

static atomic_flag lock = ATOMIC_FLAG_INIT;
static struct module *modules;
static uint32_t nr_modules, capacity;
static uint32_t next_node; /* at the last look: code that came since has none before it */
static unsigned long long nr_added, nr_removed; /* by the loader, as of the last look */
static uint64_t record[EVENT_MAX_WORDS];

static void take_lock(void)
{
	while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire))
		system_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

static void give_lock(void)
{
	atomic_flag_clear_explicit(&lock, memory_order_release);
}

static struct module module_of(const struct dl_phdr_info *info)
{
	struct module module = { .start = UINT64_MAX, .bias = info->dlpi_addr };
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + segment->p_vaddr;
		if (segment->p_type != PT_LOAD)
			continue;
		if (start < module.start)
			module.start = start;
		if (start + segment->p_memsz > module.end)
			module.end = start + segment->p_memsz;
	}
	return module;
}

static struct module *find(const struct module *sought)
{
	for (uint32_t i = 0; i < nr_modules; i++) {
		if (modules[i].start == sought->start && modules[i].end == sought->end &&
		    modules[i].bias == sought->bias)
			return &modules[i];
	}
	return NULL;
}

static bool grow(void)
{
	uint32_t larger = capacity ? capacity * 2 : FIRST_CAPACITY;
	struct module *grown = pages_map(larger * sizeof(*grown));
	if (!grown)
		return false;
	if (modules) {
		memcpy(grown, modules, nr_modules * sizeof(*grown));
		pages_unmap(modules, capacity * sizeof(*grown));
	}
	modules = grown;
	capacity = larger;
	return true;
}

/* The build-id among notes that lie in memory; its size, 0 if there is none. */
static size_t build_id_in(const char *notes, size_t size, const char **id)
{
	while (size >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *note = (const void *)notes;
		size_t name = (note->n_namesz + 3ul) & ~3ul;
		size_t contents = (note->n_descsz + 3ul) & ~3ul;
		size_t all = sizeof(*note) + name + contents;
		if (name > size || contents > size || all > size)
			return 0;
		if (note->n_type == NT_GNU_BUILD_ID &&
		    note->n_namesz == sizeof(NOTE_NAME) &&
		    memcmp(notes + sizeof(*note), NOTE_NAME, sizeof(NOTE_NAME)) == 0) {
			*id = notes + sizeof(*note) + name;
			return note->n_descsz;
		}
		notes += all;
		size -= all;
	}
	return 0;
}

static bool is_mapped(const struct dl_phdr_info *info, const ElfW(Phdr) * part)
{
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		if (segment->p_type == PT_LOAD && (segment->p_flags & PF_R) &&
		    part->p_vaddr >= segment->p_vaddr &&
		    part->p_vaddr + part->p_memsz <= segment->p_vaddr + segment->p_filesz)
			return true;
	}
	return false;
}

static size_t build_id_of(const struct dl_phdr_info *info, const char **id)
{
	size_t size = 0;
	for (size_t i = 0; i < info->dlpi_phnum && size == 0; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		if (segment->p_type == PT_NOTE && is_mapped(info, segment)) {
			const char *notes =
				(const char *)(info->dlpi_addr + segment->p_vaddr);
			size = build_id_in(notes, segment->p_memsz, id);
		}
	}
	return size <= BUILD_ID_BYTES ? size : 0;
}

/* Of the program itself musl gives the name that it was called by, and glibc none. */
static bool is_program(const struct dl_phdr_info *info)
{
	return !info->dlpi_name || !info->dlpi_name[0] ||
	       (uintptr_t)info->dlpi_phdr == getauxval(AT_PHDR);
}

static size_t path_of(const struct dl_phdr_info *info, char *path)
{
	if (!is_program(info)) {
		size_t size = strnlen(info->dlpi_name, PATH_BYTES);
		memcpy(path, info->dlpi_name, size);
		return size;
	}
	long size = system_call(SYS_readlinkat, -1, (long)"/proc/self/exe", (long)path,
				PATH_BYTES, 0, 0);
	return size > 0 ? (size_t)size : 0;
}

struct telling {
	struct thread *thread;
	uint64_t time;
	uint32_t first_node; /* of what came */
};

static void put_load(const struct telling *telling, const struct module *module,
		     const struct dl_phdr_info *info)
{
	char *bytes = (char *)&record[7];
	const char *id = NULL;
	size_t id_size = build_id_of(info, &id);
	size_t path_size = path_of(info, bytes);
	memset(bytes + path_size, 0, id_size + sizeof(uint64_t));
	if (id)
		memcpy(bytes + path_size, id, id_size);
	uint32_t nr_words = 7 + (uint32_t)((path_size + id_size + 7) / 8);
	record[0] = event_first(EVENT_LOAD, nr_words);
	record[1] = telling->time;
	record[2] = module->start;
	record[3] = module->end;
	record[4] = module->bias;
	record[5] = telling->first_node;
	record[6] = (uint64_t)path_size << 32 | id_size;
	thread_put(telling->thread, record, nr_words);
}

static int note_present(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	(void)data;
	struct module sought = module_of(info);
	struct module *module = find(&sought);
	if (module)
		module->is_there = true;
	nr_added = info->dlpi_adds;
	nr_removed = info->dlpi_subs;
	return 0;
}

static int tell_new(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	struct module module = module_of(info);
	if (module.start >= module.end || find(&module) ||
	    (nr_modules == capacity && !grow()))
		return 0;
	module.is_there = true;
	modules[nr_modules++] = module;
	put_load(data, &module, info);
	return 0;
}

/* Whether any went. */
static bool tell_gone(const struct telling *telling)
{
	uint32_t nr_left = 0;
	for (uint32_t i = 0; i < nr_modules; i++) {
		if (modules[i].is_there) {
			modules[nr_left++] = modules[i];
			continue;
		}
		thread_put(telling->thread,
			   (uint64_t[]){ event_first(EVENT_UNLOAD, modules[i].start),
					 telling->time, telling->first_node },
			   3);
	}
	bool any = nr_left < nr_modules;
	nr_modules = nr_left;
	return any;
}

static bool are_all_there(void)
{
	for (uint32_t i = 0; i < nr_modules; i++) {
		if (!modules[i].is_there)
			return false;
	}
	return true;
}

void modules_tell(struct thread *thread, uint64_t time)
{
	int saved = errno;
	take_lock();
	for (uint32_t i = 0; i < nr_modules; i++)
		modules[i].is_there = false;
	dl_iterate_phdr(note_present, NULL);
	struct telling telling = { thread, time, next_node };
	if (!are_all_there()) {
		/* First the rules, then the nodes: no stack walked by old rules gets a new
		   node. */
		unwind_forget(recorder.unwind);
		telling.first_node = stack_table_forget(recorder.stacks);
		tell_gone(&telling);
	}
	dl_iterate_phdr(tell_new, &telling);
	next_node = atomic_load(&recorder.session->nr_nodes);
	give_lock();
	errno = saved;
}

static int look_at_counts(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	bool *is_same = data;
	*is_same = info->dlpi_adds == nr_added && info->dlpi_subs == nr_removed;
	return 1;
}

bool modules_know(uint64_t address)
{
	bool known = false;
	take_lock();
	for (uint32_t i = 0; i < nr_modules && !known; i++)
		known = address >= modules[i].start && address < modules[i].end;
	if (!known)
		dl_iterate_phdr(look_at_counts, &known);
	give_lock();
	return known;
}

static int take_own(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	struct module *own = data;
	struct module module = module_of(info);
	uint64_t here = (uintptr_t)&take_own;
	if (here < module.start || here >= module.end)
		return 0;
	*own = module;
	return 1;
}

void modules_own_range(uint64_t *start, uint64_t *end)
{
	struct module own = { 0 };
	dl_iterate_phdr(take_own, &own);
	*start = own.start;
	*end = own.end;
}
