/*
 * modules: see modules.h.
 *
 * `telling` is held over a whole look at what the loader has, while a record waits for room in a
 * ring, and while dl_iterate_phdr() waits for the loader's lock of its list. Who has that lock may
 * be a callback of the program's own call of dl_iterate_phdr(), in one of our hooks: so nobody
 * waits for `telling` for long. Who does not get it leaves a wish in `is_asked`, and who gives it
 * back looks again.
 *
 * `list_lock` guards `all` and `nr`, which only who tells changes; it is held for moments, and
 * nobody is called meanwhile. All else that is static is of who tells.
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
#include "unwind/module.h"

#define PATH_BYTES     4096u
#define BUILD_ID_BYTES 64u
#define PAGE           4096u
#define NOTE_NAME      "GNU"
#define FIRST_CAPACITY 128u

/* Turns of others that who wants to tell waits for. */
#define TURNS 200

struct code {
	uint64_t start, end, bias;
	uint64_t header; /* of its rules; 0: it has none */
	/* The start of its build-id, and where in its first page that is; NULL: not there. */
	const char *id;
	uint64_t id_word;
	bool is_there; /* still, at the last look */
};

static _Atomic bool telling, is_asked;
static atomic_flag list_lock = ATOMIC_FLAG_INIT;
static struct code *all;
static uint32_t nr, capacity;
static uint32_t next_node; /* at the last look: code that came since has none before it */
/* By the loader, as of the last look. */
static _Atomic unsigned long long nr_added, nr_removed;
static uint64_t record[EVENT_MAX_WORDS];

static void take_list(void)
{
	while (atomic_flag_test_and_set_explicit(&list_lock, memory_order_acquire))
		system_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

static void give_list(void)
{
	atomic_flag_clear_explicit(&list_lock, memory_order_release);
}

/* False where it is another's; that one sees to what is wished for. */
static bool begin_telling(void)
{
	for (int i = 0; i < TURNS; i++) {
		if (!atomic_exchange(&telling, true))
			return true;
		system_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	}
	atomic_store(&is_asked, true);
	/* The other may have looked at wishes just before. */
	return !atomic_exchange(&telling, true);
}

/* Whether somebody wished for another look meanwhile. */
static bool end_telling(void)
{
	atomic_store(&telling, false);
	return atomic_load(&is_asked);
}

static struct code *find(const struct code *sought)
{
	for (uint32_t i = 0; i < nr; i++) {
		if (all[i].start == sought->start && all[i].end == sought->end &&
		    all[i].bias == sought->bias && all[i].header == sought->header &&
		    all[i].id == sought->id && all[i].id_word == sought->id_word)
			return &all[i];
	}
	return NULL;
}

static bool grow(void)
{
	uint32_t larger = capacity ? capacity * 2 : FIRST_CAPACITY;
	struct code *grown = pages_map(larger * sizeof(*grown));
	struct code *old = all;
	if (!grown)
		return false;
	if (old)
		memcpy(grown, old, nr * sizeof(*grown));
	take_list();
	all = grown;
	give_list();
	pages_unmap(old, capacity * sizeof(*old));
	capacity = larger;
	return true;
}

static void add(const struct code *code)
{
	take_list();
	all[nr++] = *code;
	give_list();
}

/* The build-id among notes that lie in memory; its size, 0 if there is none. */
static size_t build_id_in(const char *notes, size_t size, const char **id)
{
	while (size >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *note = (const void *)notes;
		size_t name = (note->n_namesz + 3ul) & ~3ul;
		size_t contents = (note->n_descsz + 3ul) & ~3ul;
		size_t whole = sizeof(*note) + name + contents;
		if (name > size || contents > size || whole > size)
			return 0;
		if (note->n_type == NT_GNU_BUILD_ID &&
		    note->n_namesz == sizeof(NOTE_NAME) &&
		    memcmp(notes + sizeof(*note), NOTE_NAME, sizeof(NOTE_NAME)) == 0) {
			*id = notes + sizeof(*note) + name;
			return note->n_descsz;
		}
		notes += whole;
		size -= whole;
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

static void note_id(struct code *code, const struct dl_phdr_info *info)
{
	const char *id = NULL;
	if (build_id_of(info, &id) < sizeof(code->id_word) ||
	    (uintptr_t)id - code->start > PAGE - sizeof(code->id_word))
		return;
	code->id = id;
	memcpy(&code->id_word, id, sizeof(code->id_word));
}

static struct code code_of(const struct dl_phdr_info *info)
{
	struct code code = { .start = UINT64_MAX, .bias = info->dlpi_addr };
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + segment->p_vaddr;
		if (segment->p_type == PT_GNU_EH_FRAME)
			code.header = start;
		if (segment->p_type != PT_LOAD)
			continue;
		if (start < code.start)
			code.start = start;
		if (start + segment->p_memsz > code.end)
			code.end = start + segment->p_memsz;
	}
	note_id(&code, info);
	return code;
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

struct look {
	struct thread *thread;
	uint64_t time;
	uint32_t first_node; /* of what came */
};

static void put_load(const struct look *look, const struct code *code,
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
	record[1] = look->time;
	record[2] = code->start;
	record[3] = code->end;
	record[4] = code->bias;
	record[5] = look->first_node;
	record[6] = (uint64_t)path_size << 32 | id_size;
	thread_put(look->thread, record, nr_words);
}

static int note_present(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	(void)data;
	struct code sought = code_of(info);
	struct code *code = find(&sought);
	if (code)
		code->is_there = true;
	atomic_store(&nr_added, info->dlpi_adds);
	atomic_store(&nr_removed, info->dlpi_subs);
	return 0;
}

static int tell_new(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	struct code code = code_of(info);
	if (code.start >= code.end || find(&code) || (nr == capacity && !grow()))
		return 0;
	code.is_there = true;
	add(&code);
	put_load(data, &code, info);
	return 0;
}

static void tell_gone(const struct look *look)
{
	for (uint32_t i = 0; i < nr; i++) {
		if (!all[i].is_there)
			thread_put(look->thread,
				   (uint64_t[]){ event_first(EVENT_UNLOAD, all[i].start),
						 look->time, look->first_node },
				   3);
	}
}

static void drop_gone(void)
{
	uint32_t nr_left = 0;
	take_list();
	for (uint32_t i = 0; i < nr; i++) {
		if (all[i].is_there)
			all[nr_left++] = all[i];
	}
	nr = nr_left;
	give_list();
}

static bool are_all_there(void)
{
	for (uint32_t i = 0; i < nr; i++) {
		if (!all[i].is_there)
			return false;
	}
	return true;
}

/* Nodes of what comes after the look are not before the ones that are there at its start. Whether
   stacks were forgotten. */
static bool take_look(struct thread *thread, uint64_t time)
{
	struct look look = { thread, time, next_node };
	next_node = atomic_load(&recorder.session->nr_nodes);
	for (uint32_t i = 0; i < nr; i++)
		all[i].is_there = false;
	dl_iterate_phdr(note_present, NULL);
	bool forgets = !are_all_there();
	if (forgets) {
		/* First the rules, then the nodes: no stack walked by old rules gets a new
		   node. */
		unwind_forget(recorder.unwind);
		look.first_node = next_node = stack_table_forget(recorder.stacks);
		tell_gone(&look);
		drop_gone();
	}
	dl_iterate_phdr(tell_new, &look);
	return forgets;
}

bool modules_tell(struct thread *thread, uint64_t time)
{
	int saved = errno;
	bool forgot = false;
	bool again = begin_telling();
	while (again) {
		atomic_store(&is_asked, false);
		forgot |= take_look(thread, time);
		again = end_telling() && begin_telling();
	}
	errno = saved;
	return forgot;
}

bool modules_stop_telling(void)
{
	return begin_telling();
}

bool modules_may_tell(void)
{
	return end_telling();
}

/* Whether the module that is loaded at the address is the one that was told of: another may have
   come to where it was without a call of our dlclose(). */
static bool is_told(uint64_t address, uint64_t header)
{
	struct code code = { 0 };
	take_list();
	for (uint32_t i = 0; i < nr && !code.end; i++) {
		if (address >= all[i].start && address < all[i].end)
			code = all[i];
	}
	give_list();
	return code.end && code.header == header &&
	       (!code.id || memcmp(code.id, &code.id_word, sizeof(code.id_word)) == 0);
}

static int look_at_counts(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	bool *is_same = data;
	*is_same = info->dlpi_adds == atomic_load(&nr_added) &&
		   info->dlpi_subs == atomic_load(&nr_removed);
	return 1;
}

bool modules_know(uint64_t address)
{
	struct module module;
	bool known = !module_find(address, &module) || is_told(address, module.header);
	if (!known)
		dl_iterate_phdr(look_at_counts, &known);
	return known;
}

static int take_own(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	struct code *own = data;
	struct code code = code_of(info);
	uint64_t here = (uintptr_t)&take_own;
	if (here < code.start || here >= code.end)
		return 0;
	*own = code;
	return 1;
}

void modules_own_range(uint64_t *start, uint64_t *end)
{
	struct code own = { 0 };
	dl_iterate_phdr(take_own, &own);
	*start = own.start;
	*end = own.end;
}
