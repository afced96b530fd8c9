/* Modules by the loader's own index of them, or by its list where it has no index. */
#include "unwind/module.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>

#include "raw/libc.h"
#include "unwind/musl.h"
#include "unwind/rule.h"
#include "unwind/section.h"
#include "unwind/sigreturn.h"

static struct bytes bytes_at(uint64_t address, uint64_t size)
{
	return (struct bytes){ (const uint8_t *)(uintptr_t)address, address, size };
}

struct search {
	uint64_t pc;
	struct module *module;
};

/* The size of `info` tells the end of what this libc fills in; we use what all do. */
static int take_if_its(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	struct search *search = data;
	struct module *module = search->module;
	uint64_t low = UINT64_MAX;
	uint64_t high = 0;
	struct bytes code = { 0 };
	module->header = module->section = module->code.size = 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + part->p_vaddr;
		if (part->p_type == PT_GNU_EH_FRAME)
			module->header = start;
		if (part->p_type != PT_LOAD)
			continue;
		low = start < low ? start : low;
		high = start + part->p_memsz > high ? start + part->p_memsz : high;
		if ((part->p_flags & PF_X) && (part->p_flags & PF_R) &&
		    search->pc - start < part->p_filesz)
			code = bytes_at(start, part->p_filesz);
	}
	if (search->pc < low || search->pc >= high)
		return 0;
	module->bytes = bytes_at(low, high - low);
	/* musl-gcc asks for no header; and what musl's loader has loaded stays. */
	if (!module->header && libc_is_musl())
		module->section = section_eh_frame(info, low);
	if (libc_is_musl() && musl_is_in(low, high))
		module->code = code;
	return 1;
}

static bool find_in_list(uint64_t pc, struct module *module)
{
	struct search search = { pc, module };
	return dl_iterate_phdr(take_if_its, &search) == 1;
}

#ifdef DLFO_STRUCT_HAS_EH_DBASE /* the libc that we are built with has the index */
#pragma weak _dl_find_object

bool module_find(uint64_t pc, struct module *module)
{
	if (!_dl_find_object) /* the libc that we run with has not */
		return find_in_list(pc, module);
	struct dl_find_object found;
	if (_dl_find_object((void *)(uintptr_t)pc, &found) != 0)
		return false;
	uint64_t low = (uintptr_t)found.dlfo_map_start;
	module->bytes = bytes_at(low, (uintptr_t)found.dlfo_map_end - low);
	module->header = (uintptr_t)found.dlfo_eh_frame;
	module->section = module->code.size = 0;
	return true;
}
#else
bool module_find(uint64_t pc, struct module *module)
{
	return find_in_list(pc, module);
}
#endif

static bool find_entry(const struct module *module, uint64_t code, struct eh_entry *entry)
{
	if (module->header)
		return eh_frame_find(&module->bytes, module->header, code, entry);
	return module->section &&
	       eh_frame_find_in_order(&module->bytes, module->section, code, entry);
}

static bool row_in(const struct module *module, uint64_t pc, struct row *row,
		   bool *is_signal_frame)
{
	struct eh_entry entry;
	if (find_entry(module, pc_code(pc), &entry)) {
		*is_signal_frame = entry.is_signal_frame;
		return row_find(&module->bytes, &entry, pc_code(pc), row);
	}
	return module->code.size && musl_row(&module->code, pc, row, is_signal_frame);
}

bool module_find_row(uint64_t pc, struct module *module, struct row *row,
		     bool *is_signal_frame)
{
	*is_signal_frame = false;
	bool is_there = module_find(pc_code(pc), module);
	if (!is_there)
		*module = (struct module){ 0 };
	bool has_row = is_there && row_in(module, pc, row, is_signal_frame);
	if (has_row && !*is_signal_frame)
		return true;
	bool is_sigreturn = sigreturn_row(pc, row);
	*is_signal_frame |= is_sigreturn;
	return has_row || is_sigreturn;
}
