/* vm_json: what the memory of processes is made of, for programs: schema seep.vm/1. */
#include "report/renderers_priv.h"

#include "report/json_parts_priv.h"

/* Keys of the columns. */
static const char *const column_keys[VM_NR_COLUMNS] = {
	[VM_VIRTUAL] = "virtual_bytes", [VM_RESIDENT] = "resident_bytes",
	[VM_DIRTY] = "dirty_bytes",     [VM_CLEAN] = "clean_bytes",
	[VM_SWAPPED] = "swapped_bytes", [VM_RECLAIMABLE] = "reclaimable_bytes",
	[VM_LOCKED] = "locked_bytes",   [VM_PRIVATE] = "private_bytes",
	[VM_SHARED] = "shared_bytes",   [VM_SHARE] = "share_bytes",
	[VM_HUGE] = "huge_bytes",       [VM_FOOTPRINT] = "footprint_bytes",
};

static void put_number(struct json_writer *json, const char *key, bool is_known,
		       uint64_t value)
{
	if (is_known)
		json_integer(json, key, value);
	else
		json_null(json, key);
}

static void put_sizes(struct json_writer *json, const struct vm_sizes *sizes,
		      unsigned known)
{
	for (size_t i = 0; i < VM_NR_COLUMNS; i++)
		put_number(json, column_keys[i], known >> i & 1, sizes->bytes[i]);
}

static void put_charge(struct json_writer *json, const struct vm_charge *charge)
{
	if (!charge->is_known) {
		json_null(json, "charge");
		return;
	}
	json_open_object(json, "charge");
	json_integer(json, "anonymous_bytes", charge->anonymous_bytes);
	json_integer(json, "shared_memory_bytes", charge->shared_memory_bytes);
	json_integer(json, "file_bytes", charge->file_bytes);
	json_close(json);
}

static void put_types(struct json_writer *json, const struct vm_process *process)
{
	json_open_array(json, "types");
	for (size_t i = 0; i < process->rows.nr; i++) {
		const struct vm_row *row = &process->rows.items[i];
		json_open_object(json, NULL);
		json_string(json, "type", row->type);
		json_integer(json, "regions", row->regions);
		put_sizes(json, &row->sizes, process->known);
		json_close(json);
	}
	json_close(json);
}

static void put_regions(struct json_writer *json, const struct vm_process *process)
{
	json_open_array(json, "regions");
	for (size_t i = 0; i < process->regions.nr; i++) {
		const struct vm_region *region = &process->regions.items[i];
		json_open_object(json, NULL);
		json_hex(json, "start", region->start, 16);
		json_hex(json, "end", region->end, 16);
		json_string(json, "access", region->access);
		json_string(json, "type", region->type);
		json_string(json, "name", region->name);
		put_sizes(json, &region->sizes, process->known);
		json_close(json);
	}
	json_close(json);
}

static void put_process(struct json_writer *json, const struct vm_process *process)
{
	bool has_footprint = vm_knows(process, VM_FOOTPRINT);
	json_open_object(json, NULL);
	json_target(json, process->pid, process->target ? process->target : "");
	json_bool(json, "stood_still", process->stood_still);
	json_number(json, "pause_ms", process->pause_ms, 3);
	json_integer(json, "threads", process->threads);
	put_number(json, "footprint_bytes", has_footprint, process->footprint_bytes);
	put_number(json, "page_table_bytes", has_footprint, process->page_table_bytes);
	put_number(json, "kernel_stack_bytes", has_footprint,
		   process->kernel_stack_bytes);
	json_open_object(json, "total");
	put_sizes(json, &process->total, process->known);
	json_close(json);
	put_charge(json, &process->charge);
	put_types(json, process);
	put_regions(json, process);
	json_close(json);
}

static void put_together(struct json_writer *json, const struct vm_report *report)
{
	const struct vm_together *together = &report->together;
	if (report->processes.nr < 2) {
		json_null(json, "together");
		return;
	}
	json_open_object(json, "together");
	json_bool(json, "is_exact", together->is_exact);
	json_integer(json, "resident_bytes", together->resident_bytes);
	put_number(json, "shared_bytes", together->is_exact, together->shared_bytes);
	json_integer(json, "footprint_bytes", together->footprint_bytes);
	json_integer(json, "sum_bytes", together->sum_bytes);
	json_close(json);
}

static void put_compressed(struct json_writer *json,
			   const struct vm_compressed *compressed)
{
	if (!compressed->where) {
		json_null(json, "compressed_estimate");
		return;
	}
	json_open_object(json, "compressed_estimate");
	json_string(json, "where", compressed->where);
	json_integer(json, "compressed_bytes", compressed->compressed_bytes);
	json_integer(json, "memory_bytes", compressed->memory_bytes);
	json_close(json);
}

struct str vm_json(const struct vm_report *report, const struct report_options *options)
{
	struct json_writer json = { .one_line = options->flags & REPORT_BRIEF };
	json_open_object(&json, NULL);
	json_string(&json, "schema", "seep.vm/1");
	json_open_array(&json, "processes");
	for (size_t i = 0; i < report->processes.nr; i++)
		put_process(&json, &report->processes.items[i]);
	json_close(&json);
	put_together(&json, report);
	put_compressed(&json, &report->compressed);
	json_sentences(&json, "warnings", report->warnings);
	json_sentences(&json, "notes", report->notes);
	json_close(&json);
	return json.out;
}
