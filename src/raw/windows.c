/* windows: see windows.h. */
#include "raw/windows.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "raw/pages.h"
#include "raw/system_call.h"

/* The last page of addresses holds the error numbers. */
static void *address_or_null(long result)
{
	return (unsigned long)result > -4096ul ? NULL : (void *)result;
}

static void *map_at(int file, uint64_t offset)
{
	return address_or_null(system_call(SYS_mmap, 0, SESSION_WINDOW,
					   PROT_READ | PROT_WRITE, MAP_SHARED, file,
					   (long)offset));
}

/* The file's size is looked at first: a page past it cannot be touched. */
static int map_first(struct windows *windows, int file)
{
	if (system_call(SYS_lseek, file, 0, SEEK_END, 0, 0, 0) != (long)SESSION_BYTES)
		return -EINVAL;
	windows->session = map_at(file, 0);
	if (!windows->session)
		return -ENOMEM;
	if (windows->session->magic != SESSION_MAGIC ||
	    windows->session->bytes != SESSION_BYTES)
		return -EINVAL;
	atomic_store(&windows->rings[0], map_at(file, SESSION_RINGS_OFFSET));
	atomic_store(&windows->nodes[0], map_at(file, SESSION_NODES_OFFSET));
	return windows->rings[0] && windows->nodes[0] ? 0 : -ENOMEM;
}

int windows_open(struct windows *windows, const char *path)
{
	long file = system_call(SYS_openat, AT_FDCWD, (long)path, O_RDWR | O_CLOEXEC, 0,
				0, 0);
	if (file < 0)
		return (int)file;
	int result = map_first(windows, (int)file);
	system_call(SYS_close, file, 0, 0, 0, 0, 0);
	if (result < 0)
		windows_close(windows);
	return result;
}

static void unmap(_Atomic(char *) *window)
{
	char *address = atomic_exchange(window, NULL);
	if (address)
		pages_unmap(address, SESSION_WINDOW);
}

void windows_close(struct windows *windows)
{
	for (size_t i = 0; i < SESSION_RINGS / WINDOW_RINGS; i++)
		unmap(&windows->rings[i]);
	for (size_t i = 0; i < SESSION_NODES / WINDOW_NODES; i++)
		unmap(&windows->nodes[i]);
	if (windows->session)
		pages_unmap(windows->session, SESSION_WINDOW);
	windows->session = NULL;
}

char *windows_map(_Atomic(char *) *first, size_t index)
{
	size_t near = index;
	while (near > 0 && !atomic_load_explicit(&first[near], memory_order_acquire))
		near--;
	char *from = atomic_load_explicit(&first[near], memory_order_acquire);
	size_t before = (index - near) * (size_t)SESSION_WINDOW;
	char *window = address_or_null(system_call(SYS_mremap, (long)from, 0,
						   (long)(before + SESSION_WINDOW),
						   MREMAP_MAYMOVE, 0, 0));
	if (!window)
		return NULL;
	if (before > 0)
		pages_unmap(window, before);
	window += before;

	char *others = NULL;
	if (atomic_compare_exchange_strong(&first[index], &others, window))
		return window;
	pages_unmap(window, SESSION_WINDOW);
	return others;
}
