/*
 * types_damage: what damaged files may cost, and what is said of them. See types_priv.h.
 *
 * Three things bound the work that a file can make: a number of steps (entries, and the bytes of what
 * is passed over), which is the same each time; and processor time and memory, far more than honest
 * files need, since libdw may take any for one step (tables of abbreviations that every unit reads
 * anew). libdw ends the process where some of its tables find no memory, so it must not come to that.
 */
#include "sym/types_priv.h"

#include <dwarf.h>
#include <inttypes.h>
#include <malloc.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "target/headroom.h"

#define STEPS_LEAST    ((uint64_t)1 << 22)
#define STEPS_PER_BYTE 4u
#define STEPS_MOST     ((uint64_t)1 << 32)
/* Processor time: some 60 ms of it are needed for 1 MiB. */
#define CPU_LEAST_NS    UINT64_C(2000000000)
#define CPU_PER_BYTE_NS 300u
/* Memory: they need about as much as the file has. */
#define MEMORY_LEAST    ((uint64_t)256 << 20)
#define MEMORY_PER_BYTE 8u
#define CLOCK_STEPS     16u
#define CLOCK_APART_NS  UINT64_C(50000000)
/* Passing over so many bytes is a step; so are so many bytes of a name. */
#define BYTES_PER_STEP 64u
/* The longest that C++ compilers were seen to write have 20,000 bytes. */
#define NAME_MAX_BYTES ((size_t)1 << 16)
/* All files together are asked about each time that they have grown by so much. */
#define ROOM_ASKED_ABOUT ((uint64_t)64 << 20)
#define WARNINGS_MAX     16u

/* --- what it may cost ------------------------------------------------------------------ */

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec time = { 0 };
	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t memory_in_use(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

static bool has_time(struct types *types)
{
	struct types_file *file = types->current;
	/* A system call is made only when some time has passed by a clock that costs none. */
	uint64_t now = clock_ns(CLOCK_MONOTONIC_COARSE);
	if (now - types->clock_ns < CLOCK_APART_NS)
		return true;
	types->clock_ns = now;
	uint64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	file->cpu_ns += cpu - types->cpu_ns;
	types->cpu_ns = cpu;
	/* Later on others take memory, too, and all units have been looked at. */
	uint64_t memory = types->is_complete ? 0 : memory_in_use();
	return file->cpu_ns < file->cpu_max_ns &&
	       (memory < types->memory || memory - types->memory < file->memory_max);
}

static bool spend(struct types *types, uint64_t steps)
{
	struct types_file *file = types->current;
	if (file->is_spent)
		return false;
	file->steps += steps;
	if (file->steps < file->steps_max &&
	    (file->steps / CLOCK_STEPS == (file->steps - steps) / CLOCK_STEPS ||
	     has_time(types)))
		return true;
	file->is_spent = true;
	types_note(types, DAMAGE_ENDLESS, NULL);
	return false;
}

bool types_step(struct types *types)
{
	return spend(types, 1);
}

bool types_pass(struct types *types, uint64_t bytes)
{
	return spend(types, 1 + bytes / BYTES_PER_STEP);
}

const char *types_die_name(struct types *types, Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *name =
		dwarf_formstring(types_attribute(types, die, DW_AT_name, &attribute));
	if (!name)
		return NULL;
	size_t length = strnlen(name, NAME_MAX_BYTES + 1);
	if (length > NAME_MAX_BYTES)
		types_note(types, DAMAGE_NAME, die);
	return types_pass(types, length) && length <= NAME_MAX_BYTES ? name : NULL;
}

/* What was done since the last one was asked is no file's business. */
void types_enter(struct types *types, uint32_t file)
{
	types->current = types->files.items[file];
	types->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

void types_go_on_in(struct types *types, uint32_t file)
{
	if (file == types->current->number)
		return;
	types_enter(types, file);
	types->memory = types->is_complete ? 0 : memory_in_use();
}

/* --- files ---------------------------------------------------------------------------- */

bool types_add_file(struct types *types, const char *path, struct dwarf_file *dwarf)
{
	struct types_file *file = calloc(1, sizeof(*file));
	uint64_t bytes = 0;
	if (dwarf)
		bytes = dwarf->image.size +
			(dwarf->shared ? dwarf->shared->image.size : 0);
	if (file)
		file->path = strdup(path);
	if (!file || !file->path || !types_file_vec_push(&types->files, file)) {
		if (file)
			free(file->path);
		free(file);
		dwarf_file_close(dwarf);
		return false;
	}
	file->dwarf = dwarf;
	file->number = (uint32_t)types->files.nr - 1;
	file->steps_max = STEPS_LEAST + bytes * STEPS_PER_BYTE;
	if (file->steps_max > STEPS_MOST)
		file->steps_max = STEPS_MOST;
	file->cpu_max_ns = CPU_LEAST_NS + bytes * CPU_PER_BYTE_NS;
	file->memory_max = MEMORY_LEAST + bytes * MEMORY_PER_BYTE;
	types->bytes += bytes;
	return true;
}

bool types_have_room(struct types *types)
{
	struct headroom headroom = { 0 };
	const char *tightest;
	if (types->bytes - types->bytes_asked < ROOM_ASKED_ABOUT)
		return true;
	types->bytes_asked = types->bytes;
	struct error *error = headroom_init(&headroom, getpid());
	/* What is there already is no part of what is left. */
	bool have_room = error || types->bytes <= headroom_bytes(&headroom, &tightest);
	error_destroy(error);
	headroom_deinit(&headroom);
	return have_room;
}

/* --- what is said ---------------------------------------------------------------------- */

static const struct {
	const char *what, *remedy;
} damages[DAMAGE_NR] = {
	[DAMAGE_UNIT] = { "holds a unit that makes no sense, behind the one",
			  "install or build the file again" },
	[DAMAGE_ENTRY] = { "holds an entry that makes no sense",
			   "install or build the file again" },
	[DAMAGE_RING] = { "holds types that lead round in a ring",
			  "install or build the file again" },
	[DAMAGE_SIZE] = { "holds a type whose size, or a member whose place, makes no "
			  "sense",
			  "install or build the file again" },
	[DAMAGE_NAME] = { "holds a name of more than 64 KiB",
			  "install or build the file again" },
	[DAMAGE_ENDLESS] = { "leads round and round, or takes far more time or memory "
			     "than its size explains; it was left unread from then on",
			     "install or build the file again" },
	[DAMAGE_MANY] = { "describes more types and variables than seep keeps (4 million)",
			  "those that come later are not told" },
};

void types_note(struct types *types, enum types_damage_kind kind, const Dwarf_Die *die)
{
	struct types_damage *damage = &types->current->damages[kind];
	Dwarf_Die copy;
	if (damage->nr++)
		return;
	if (die) {
		copy = *die;
		damage->place = dwarf_dieoffset(&copy);
		damage->has_place = true;
	}
}

static struct error *warn_of(const struct types_file *file, struct sentence_vec *warnings)
{
	struct str places = { 0 };
	const char *remedy = NULL;
	for (size_t i = 0; i < DAMAGE_NR; i++) {
		const struct types_damage *damage = &file->damages[i];
		if (!damage->nr)
			continue;
		str_printf(&places, "%s%s", remedy ? "; " : "", damages[i].what);
		if (damage->has_place)
			str_printf(&places, " at .debug_info+%#" PRIx64, damage->place);
		if (damage->nr > 1)
			str_printf(&places, " (%" PRIu64 " such)", damage->nr);
		remedy = damages[i].remedy;
	}
	struct error *error = NULL;
	if (remedy)
		error = sentences_add(warnings,
				      "the debug information of %s %s; what it says of "
				      "types there is not used: %s",
				      file->path, str_text(&places), remedy);
	str_deinit(&places);
	return error;
}

static struct error *warn_of_parts(const struct types *types,
				   struct sentence_vec *warnings)
{
	if (!types->nr_parts_missing)
		return NULL;
	return sentences_add(
		warnings,
		"%s was built with -gsplit-dwarf, and %" PRIu64 " of the parts that hold "
		"its debug information cannot be used, first %s: their types are not "
		"told; put the .dwo files back where they were built (those packed into "
		"a .dwp are not read), or build without -gsplit-dwarf",
		types->parts_missing_of, types->nr_parts_missing,
		types->first_part_missing);
}

struct error *types_warn(const struct types *types, struct sentence_vec *warnings)
{
	struct error *error = sentences_copy(warnings, &types->warnings);
	if (!error)
		error = warn_of_parts(types, warnings);
	size_t limit = warnings->nr + WARNINGS_MAX;
	for (size_t i = 0; !error && i < types->files.nr && warnings->nr < limit; i++)
		error = warn_of(types->files.items[i], warnings);
	if (!error && types->is_broken)
		error = sentences_add(
			warnings, "memory ran out while debug information was read: "
				  "most types are not told; free some, or look from a "
				  "snapshot on a larger machine");
	return error;
}
