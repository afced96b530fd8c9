/* vm: see vm.h. */
#include "model/vm.h"

#include <stdlib.h>

const char *const vm_column_names[VM_NR_COLUMNS] = {
	[VM_VIRTUAL] = "virtual", [VM_RESIDENT] = "resident",
	[VM_DIRTY] = "dirty",     [VM_CLEAN] = "clean",
	[VM_SWAPPED] = "swapped", [VM_RECLAIMABLE] = "reclaimable",
	[VM_LOCKED] = "locked",   [VM_PRIVATE] = "private",
	[VM_SHARED] = "shared",   [VM_SHARE] = "share",
	[VM_HUGE] = "huge",       [VM_FOOTPRINT] = "footprint",
};

void vm_process_deinit(struct vm_process *process)
{
	for (size_t i = 0; i < process->regions.nr; i++)
		free(process->regions.items[i].name);
	vm_region_vec_deinit(&process->regions);
	vm_row_vec_deinit(&process->rows);
	free(process->target);
}

static void destroy_sentences(char **sentences)
{
	for (char **sentence = sentences; sentence && *sentence; sentence++)
		free(*sentence);
	free(sentences);
}

void vm_report_destroy(struct vm_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->processes.nr; i++)
		vm_process_deinit(&report->processes.items[i]);
	vm_process_vec_deinit(&report->processes);
	destroy_sentences(report->warnings);
	destroy_sentences(report->notes);
	free(report);
}
