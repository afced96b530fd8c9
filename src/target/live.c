/*
 * live: a running process, stopped with ptrace while it is frozen and read with
 * process_vm_readv, which never touches device registers (it refuses VM_IO mappings).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/cleanup.h"
#include "target/held.h"
#include "target/live_priv.h"
#include "target/maps.h"
#include "target/pages.h"
#include "target/process.h"

/* A read of more than this at once would overrun --max-pause unnoticed. */
#define READ_STEP  (4u << 20)
#define LOAD_TRIES 10u
/* No machine reads another process faster, and few slower, than this. */
#define FAST_BYTES_PER_MS 10000000u
#define SLOW_BYTES_PER_MS 2000000u

static uint64_t anonymous_bytes(pid_t pid)
{
	struct process_status status;
	struct error *error = process_status(pid, 0, &status);
	error_destroy(error);
	return error ? 0 : status.anonymous_bytes;
}

/* `what` happened because of the limit; the remedy is a pause that should do. */
static struct error *over_budget(const struct live *live, const char *what)
{
	uint64_t bytes = anonymous_bytes(live->base.pid);
	uint64_t limit_ms = live->max_pause_ns / 1000000;
	uint64_t needed_ms = bytes / SLOW_BYTES_PER_MS + 100;
	return error_remedy(
		error_create(ERROR_BUDGET,
			     "%s has %" PRIu64 " MB of memory of its own; %s the %" PRIu64
			     " ms that it may be stopped for",
			     live->base.name, bytes / 1000000, what, limit_ms),
		"it runs on unharmed; allow a longer pause: --max-pause %" PRIu64 "ms",
		needed_ms > 2 * limit_ms ? needed_ms : 2 * limit_ms);
}

static struct error *check_budget(const struct live *live)
{
	if (!live->frozen_at_ns ||
	    freezer_now_ns() - live->frozen_at_ns <= live->max_pause_ns)
		return NULL;
	return over_budget(live, "reading it took longer than");
}

/* Whether it is worth stopping the process at all. */
static struct error *foresee_budget(const struct live *live)
{
	uint64_t least_ms = anonymous_bytes(live->base.pid) / FAST_BYTES_PER_MS;
	if (live->few_reads || least_ms * 1000000 <= live->max_pause_ns)
		return NULL;
	return over_budget(live,
			   "it was not stopped, since reading that takes more than");
}

struct error *live_read(struct target *target, uint64_t address, void *buffer,
			size_t size, size_t *nr_read)
{
	struct live *live = (struct live *)target;
	*nr_read = 0;
	while (*nr_read < size) {
		struct error *error = check_budget(live);
		if (error)
			return error;
		size_t left = size - *nr_read;
		size_t step = left < READ_STEP ? left : READ_STEP;
		struct iovec local = { .iov_base = (char *)buffer + *nr_read,
				       .iov_len = step };
		struct iovec remote = { .iov_base =
						(void *)(uintptr_t)(address + *nr_read),
					.iov_len = step };
		ssize_t got = process_vm_readv(live->via, &local, 1, &remote, 1, 0);
		if (got < 0 && errno == ESRCH)
			return error_create(ERROR_REFUSED,
					    "%s ended while it was being read",
					    target->name);
		if (got < 0 && errno == EPERM)
			return error_remedy(
				error_create(
					ERROR_REFUSED,
					"%s: the kernel does not let seep read its memory",
					target->name),
				"see what stands in the way with: seep doctor %d",
				(int)target->pid);
		if (got <= 0)
			return NULL;
		*nr_read += (size_t)got;
		if ((size_t)got < step)
			return NULL;
	}
	return NULL;
}

struct error *live_extents(struct target *target, const struct region *region,
			   uint64_t start, uint64_t end, struct extent_vec *extents)
{
	struct live *live = (struct live *)target;
	return pages_scan(live->pagemap_fd, region, start, end, extents);
}

/* The path could lead to anything in a container: only a regular file with the inode that
   the mapping names is taken. */
static bool is_the_file(int fd, const struct region *region)
{
	struct stat status;
	return fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	       status.st_ino == region->inode;
}

struct error *live_open_module(struct target *target, const struct module *module,
			       int *fd)
{
	int via = ((const struct live *)target)->via;
	const struct region *region = &target->regions.items[module->first_region];
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, via,
		 region->start, region->end);
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*fd >= 0)
		return NULL;
	snprintf(path, sizeof(path), "/proc/%d/root%s", via, module->path);
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (is_the_file(*fd, region))
		return NULL;
	int cause = errno;
	if (*fd >= 0)
		close(*fd);
	struct error *error = error_create(
		ERROR_READ, "%s: the file that is mapped cannot be opened: %s",
		module->path,
		*fd >= 0 || module->deleted ? "it was replaced or deleted"
					    : strerror(cause));
	*fd = -1;
	return error_remedy(
		error, "run seep as root, which can open it through the process itself");
}

static struct error *load_regions(struct live *live)
{
	struct str maps = { 0 };
	struct error *error = process_file(live->via, "maps", &maps);
	if (!error)
		error = maps_parse(str_text(&maps), maps.length, "/proc/PID/maps",
				   &live->base.regions);
	str_deinit(&maps);
	return error;
}

/* The kernel gives the list a page at a time. While the process runs, a mapping that comes
   or goes in between can make the pages disagree. */
struct error *live_load(struct live *live)
{
	struct error *error = NULL;
	for (unsigned i = 0; i < LOAD_TRIES; i++) {
		error_destroy(error);
		target_forget(&live->base);
		error = load_regions(live);
		if (!error || error->code != ERROR_FORMAT || live->frozen_at_ns)
			break;
	}
	return error ? error : target_find_modules(&live->base);
}

struct error *live_init(struct live *live, const struct target_ops *ops, pid_t pid,
			pid_t via, uint64_t max_pause_ns)
{
	live->base = (struct target){ .ops = ops, .pid = pid };
	live->via = via;
	live->max_pause_ns = max_pause_ns;
	live->pagemap_fd = -1;
	struct process_status status;
	struct error *error = process_status(pid, 0, &status);
	if (error)
		return error;
	if (asprintf(&live->base.name, "%s (%d)", status.comm, (int)pid) < 0) {
		live->base.name = NULL;
		return error_no_memory();
	}
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)via);
	live->pagemap_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (live->pagemap_fd < 0)
		return error_create(ERROR_SYSTEM, "cannot open %s: %s", path,
				    strerror(errno));
	return NULL;
}

void live_deinit(struct live *live)
{
	if (live->pagemap_fd >= 0)
		close(live->pagemap_fd);
	target_forget(&live->base);
	free(live->base.freezing.why_stopped);
	free(live->base.name);
}

uint64_t live_thaw(struct target *target)
{
	struct live *live = (struct live *)target;
	if (!live->frozen_at_ns)
		return 0;
	freezer_release(&live->freezer);
	uint64_t pause_ns = freezer_now_ns() - live->frozen_at_ns;
	live->frozen_at_ns = 0;
	return pause_ns;
}

/* The thread may have ended before all were stopped. */
static void look_via_held_thread(struct live *live)
{
	const struct held_thread_vec *threads = &live->freezer.threads;
	for (size_t i = 0; i < threads->nr; i++)
		if (threads->items[i].tid == live->via)
			return;
	live->via = threads->items[0].tid;
}

struct error *live_freeze(struct target *target)
{
	struct live *live = (struct live *)target;
	struct error *error = foresee_budget(live);
	if (error)
		return error;
	uint64_t now_ns = freezer_now_ns();
	error = freezer_stop(&live->freezer, target->pid, now_ns + live->max_pause_ns);
	if (error)
		return error;
	live->frozen_at_ns = now_ns;
	look_via_held_thread(live);
	error = live_load(live);
	if (!error)
		error = freezer_threads(&live->freezer, &target->threads);
	if (!error)
		error = held_collect(live->via, &target->held, &target->held_incomplete);
	if (error)
		live_thaw(target);
	return error;
}

void live_destroy(struct target *target)
{
	struct live *live = (struct live *)target;
	live_thaw(target);
	live_deinit(live);
	free(live);
}

static const struct target_ops live_ops = {
	.name = "live",
	.unread = "swapped out",
	.freeze = live_freeze,
	.thaw = live_thaw,
	.read = live_read,
	.extents = live_extents,
	.open_module = live_open_module,
	.destroy = live_destroy,
};

struct error *live_open(pid_t pid, const struct target_ops *ops, size_t size,
			uint64_t max_pause_ns, const char *command, struct live **result)
{
	struct process_status status;
	struct error *error = process_status(pid, 0, &status);
	if (!error)
		error = process_check(pid, &status, command);
	if (error)
		return error;
	struct live *live = calloc(1, size);
	if (!live)
		return error_no_memory();
	error = live_init(live, ops, pid, status.via, max_pause_ns);
	if (!error)
		error = live_load(live);
	if (error) {
		ops->destroy(&live->base);
		return error;
	}
	*result = live;
	return NULL;
}

struct error *target_live_open(pid_t pid, const struct target_live_options *options,
			       struct target **target)
{
	struct live *live = NULL;
	struct error *error = live_open(pid, &live_ops, sizeof(*live),
					options->max_pause_ns, options->command, &live);
	if (error || !live)
		return error;
	live->few_reads = options->few_reads;
	*target = &live->base;
	return NULL;
}
