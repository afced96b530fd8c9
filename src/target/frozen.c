/*
 * frozen: a running process, looked at through a frozen copy of it (copy.h) that a tracer
 * (tracer.h) makes and holds, while the process itself runs on; or stopped and read like any
 * live target where a copy does not pay or something speaks against it.
 *
 * The copy is read through /proc/COPY/mem: process_vm_readv pins what it reads, and the kernel
 * un-shares pinned pages, which would double the memory. What a copy does not have is read from
 * the process: shared mappings, and those that it keeps from its children (MADV_DONTFORK,
 * MADV_WIPEONFORK).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "target/copy_rules.h"
#include "target/instant.h"
#include "target/live_priv.h"
#include "target/maps.h"
#include "target/pages.h"
#include "target/process.h"
#include "target/tracer.h"

/* Page tables of so much memory can be copied in a millisecond, at the most. */
#define COPIED_BYTES_PER_MS 200000000u

struct frozen {
	struct live live; /* first: live.c's functions serve this, too */
	enum target_freeze freeze;
	uint64_t max_copy_bytes;
	bool keeps_instant, is_slow;
	struct instant instant; /* of the last copy */
	char *dropped; /* why a copy had to go early: the next freeze stops and reads */
	bool thawed;   /* the copy was let go */
	struct tracer tracer;
	struct tracer_moment moment;
	uint8_t *in_copy; /* by index of the region; NULL: there is no copy */
};

static bool has_copy(const struct frozen *frozen)
{
	return frozen->in_copy && !frozen->thawed;
}

static bool is_in_copy(const struct frozen *frozen, const struct region *region)
{
	return frozen->in_copy[region - frozen->live.base.regions.items];
}

/* The first reason counts. */
static void note_drop(struct frozen *frozen, const char *reason)
{
	if (!frozen->dropped && reason)
		frozen->dropped = strdup(reason);
}

/* The copy went while it was being read; why, its tracer will say. */
static struct error *copy_is_gone(const struct frozen *frozen)
{
	return error_create(ERROR_BUSY, "%s: its frozen copy had to be dropped",
			    frozen->live.base.name);
}

static struct error *read_copy(const struct frozen *frozen, uint64_t address,
			       char *buffer, size_t size, size_t *nr_read)
{
	*nr_read = 0;
	while (*nr_read < size) {
		ssize_t got = pread(frozen->moment.mem_fd, buffer + *nr_read,
				    size - *nr_read, (off_t)(address + *nr_read));
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			return copy_is_gone(frozen);
		if (got < 0)
			return NULL; /* an unreadable page */
		*nr_read += (size_t)got;
	}
	return NULL;
}

/* The part of [address, address + size) that lies in one region; 0: in none. */
static size_t part_of(const struct region *region, uint64_t address, size_t size)
{
	if (!region)
		return 0;
	return region->end - address < size ? region->end - address : size;
}

static struct error *frozen_read(struct target *target, uint64_t address, void *buffer,
				 size_t size, size_t *nr_read)
{
	struct frozen *frozen = (struct frozen *)target;
	if (!has_copy(frozen))
		return live_read(target, address, buffer, size, nr_read);
	*nr_read = 0;
	while (*nr_read < size) {
		uint64_t at = address + *nr_read;
		const struct region *region = target_region(target, at);
		size_t part = part_of(region, at, size - *nr_read);
		if (!part)
			return NULL;
		size_t got = 0;
		char *here = (char *)buffer + *nr_read;
		struct error *error = is_in_copy(frozen, region)
					      ? read_copy(frozen, at, here, part, &got)
					      : live_read(target, at, here, part, &got);
		*nr_read += got;
		if (error || got < part)
			return error;
	}
	return NULL;
}

static struct error *frozen_extents(struct target *target, const struct region *region,
				    uint64_t start, uint64_t end,
				    struct extent_vec *extents)
{
	const struct frozen *frozen = (const struct frozen *)target;
	if (!has_copy(frozen) || !is_in_copy(frozen, region))
		return live_extents(target, region, start, end, extents);
	return pages_scan(frozen->moment.pagemap_fd, region, start, end, extents);
}

/* Memory that is wiped in children has pages in the process and none in the copy. */
static struct error *is_wiped(const struct frozen *frozen, const struct region *region,
			      bool *wiped)
{
	bool in_copy = false, in_target = false;
	struct error *error = pages_any(frozen->moment.pagemap_fd, region, &in_copy);
	if (!error && !in_copy)
		error = pages_any(frozen->live.pagemap_fd, region, &in_target);
	*wiped = in_target;
	return error;
}

/* Whether a region of the target is to be read from the copy, which has these. */
static struct error *find_place(const struct frozen *frozen,
				const struct region_vec *copied, size_t *next,
				const struct region *region, uint8_t *in_copy)
{
	while (*next < copied->nr && copied->items[*next].end <= region->start)
		++*next;
	bool there = *next < copied->nr && copied->items[*next].start <= region->start;
	bool shared = region->flags & REGION_SHARED;
	bool wiped = false;
	struct error *error = NULL;
	if (there && !shared && (region->flags & REGION_WRITE))
		error = is_wiped(frozen, region, &wiped);
	*in_copy = there && !shared && !wiped;
	return error;
}

static struct error *find_places(struct frozen *frozen)
{
	const struct region_vec *regions = &frozen->live.base.regions;
	struct region_vec copied = { 0 };
	const char *text = frozen->moment.copy_maps;
	frozen->in_copy = calloc(regions->nr + 1, 1);
	if (!frozen->in_copy)
		return error_no_memory();
	struct error *error = maps_parse(text, strlen(text), "/proc/COPY/maps", &copied);
	size_t next = 0;
	for (size_t i = 0; !error && i < regions->nr; i++)
		error = find_place(frozen, &copied, &next, &regions->items[i],
				   &frozen->in_copy[i]);
	regions_deinit(&copied);
	return error;
}

/* The lists of the instant become the target's. */
static struct error *take_over(struct frozen *frozen)
{
	struct target *target = &frozen->live.base;
	struct tracer_moment *moment = &frozen->moment;
	target_forget(target);
	struct error *error = maps_parse(moment->maps, strlen(moment->maps),
					 "/proc/PID/maps", &target->regions);
	if (!error)
		error = target_find_modules(target);
	target->threads = moment->threads;
	target->held = moment->held;
	target->held_incomplete = moment->held_incomplete;
	frozen->instant = moment->instant;
	target->instant = frozen->keeps_instant ? &frozen->instant : NULL;
	moment->instant = (struct instant){ 0 };
	moment->threads = (struct thread_vec){ 0 };
	moment->held = (struct held_word_vec){ 0 };
	return error ? error : find_places(frozen);
}

static uint64_t frozen_settle(struct target *target)
{
	struct frozen *frozen = (struct frozen *)target;
	struct tracer_end end;
	if (frozen->tracer.pid <= 0)
		return 0;
	tracer_stop(&frozen->tracer, &end);
	if (end.private_bytes > target->freezing.copy_bytes)
		target->freezing.copy_bytes = end.private_bytes;
	note_drop(frozen, end.dropped);
	free(end.dropped);
	tracer_moment_deinit(&frozen->moment);
	free(frozen->in_copy);
	frozen->in_copy = NULL;
	return end.pause_ns;
}

static struct error *foresee_budget(const struct frozen *frozen, uint64_t bytes)
{
	uint64_t least_ms = bytes / COPIED_BYTES_PER_MS;
	uint64_t limit_ms = frozen->live.max_pause_ns / 1000000;
	uint64_t enough_ms = least_ms * 4;
	if (least_ms <= limit_ms)
		return NULL;
	return error_remedy(
		error_create(ERROR_BUDGET,
			     "%s has %llu MB of memory of its own; it was not stopped, "
			     "since copying its page tables takes more than the %llu ms "
			     "that it may be stopped for",
			     frozen->live.base.name, (unsigned long long)(bytes >> 20),
			     (unsigned long long)limit_ms),
		"allow a longer pause: --max-pause %llums",
		(unsigned long long)enough_ms);
}

/* Nobody wants to come back twice. */
static struct error *allow_longer(struct error *error, uint64_t max_pause_ns)
{
	return error_remedy(
		error, "it runs on unharmed; allow a longer pause: --max-pause %llums",
		(unsigned long long)max_pause_ns / 1000000 * 10);
}

static struct error *freeze_copy(struct frozen *frozen)
{
	const struct tracer_task task = {
		.pid = frozen->live.base.pid,
		.max_pause_ns = frozen->live.max_pause_ns,
		.max_copy_bytes = frozen->max_copy_bytes,
		.keeps_instant = frozen->keeps_instant,
	};
	struct error *error = tracer_start(&task, &frozen->tracer, &frozen->moment);
	if (error && error->code == ERROR_BUDGET && !error->remedy)
		error = allow_longer(error, frozen->live.max_pause_ns);
	if (!error)
		error = take_over(frozen);
	if (error)
		frozen_settle(&frozen->live.base);
	return error;
}

/* NULL when the process is to be looked at through a copy. */
static struct error *speak_against(const struct frozen *frozen)
{
	struct process_status status;
	pid_t pid = frozen->live.base.pid;
	const uint64_t pays_bytes = frozen->is_slow ? COPY_PAYS_TYPING_BYTES
						    : COPY_PAYS_BYTES;
	struct error *error = process_status(pid, 0, &status);
	if (error)
		return error;
	if (frozen->dropped)
		return error_create(ERROR_REFUSED,
				    "an earlier copy had to be dropped: %s",
				    frozen->dropped);
	if (frozen->freeze == TARGET_FREEZE_AUTO && status.anonymous_bytes < pays_bytes)
		return error_create(ERROR_REFUSED,
				    "it has less than %llu MB of memory of its own: "
				    "reading it takes no longer than a copy",
				    (unsigned long long)(pays_bytes >> 20));
	error = copy_rules_check(pid);
	return error ? error : foresee_budget(frozen, status.anonymous_bytes);
}

static void note_why(struct target *target, struct error *error)
{
	free(target->freezing.why_stopped);
	target->freezing.why_stopped = error ? strdup(error->sentence) : NULL;
	error_destroy(error);
}

/* What the rules say is half a sentence: seep adds of whom, and what one can do instead. */
static struct error *refuse(const struct frozen *frozen, struct error *why)
{
	if (why->remedy)
		return why;
	struct error *error = error_create(ERROR_REFUSED, "%s cannot be copied: %s",
					   frozen->live.base.name, why->sentence);
	error_destroy(why);
	return error_remedy(error, "have it stopped while it is read: --freeze stop");
}

static void forget_instant(struct frozen *frozen)
{
	instant_deinit(&frozen->instant);
	frozen->live.base.instant = NULL;
}

static struct error *frozen_freeze(struct target *target)
{
	struct frozen *frozen = (struct frozen *)target;
	frozen_settle(target);
	forget_instant(frozen);
	frozen->thawed = false;
	target->freezing.copied = false;
	if (frozen->freeze == TARGET_FREEZE_STOP)
		return live_freeze(target);
	struct error *error = speak_against(frozen);
	if (!error)
		error = freeze_copy(frozen);
	target->freezing.copied = !error;
	if (!error || error->code != ERROR_REFUSED)
		return error;
	if (frozen->freeze == TARGET_FREEZE_COPY)
		return refuse(frozen, error);
	note_why(target, error);
	return live_freeze(target);
}

static uint64_t frozen_thaw(struct target *target)
{
	struct frozen *frozen = (struct frozen *)target;
	if (!has_copy(frozen))
		return live_thaw(target);
	tracer_let_go(&frozen->tracer);
	frozen->thawed = true;
	return frozen->moment.pause_ns;
}

static void frozen_destroy(struct target *target)
{
	frozen_settle(target);
	forget_instant((struct frozen *)target);
	free(((struct frozen *)target)->dropped);
	live_destroy(target);
}

static const struct target_ops frozen_ops = {
	.name = "frozen",
	.unread = "swapped out",
	.freeze = frozen_freeze,
	.thaw = frozen_thaw,
	.read = frozen_read,
	.extents = frozen_extents,
	.open_module = live_open_module,
	.settle = frozen_settle,
	.destroy = frozen_destroy,
};

struct error *target_frozen_open(pid_t pid, const struct target_frozen_options *options,
				 struct target **target)
{
	struct live *live = NULL;
	struct error *error = live_open(pid, &frozen_ops, sizeof(struct frozen),
					options->max_pause_ns, options->command, &live);
	if (error)
		return error;
	struct frozen *frozen = (struct frozen *)live;
	frozen->freeze = options->freeze;
	frozen->max_copy_bytes = options->max_copy_bytes;
	frozen->keeps_instant = options->keeps_instant;
	frozen->is_slow = options->is_slow;
	*target = &live->base;
	return NULL;
}
