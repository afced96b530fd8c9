/* why_json: why a process has so much memory resident, for programs: schema seep.why/1. */
#include "report/renderers_priv.h"

#include "report/json_parts_priv.h"

static void put_parts(struct json_writer *json, const struct why_report *report)
{
	json_open_array(json, "parts");
	for (size_t i = 0; i < report->parts.nr; i++) {
		const struct why_part *part = &report->parts.items[i];
		json_open_object(json, NULL);
		json_string(json, "kind", why_kind_names[part->kind]);
		json_string(json, "name", part->name);
		json_integer(json, "bytes", part->bytes);
		json_integer(json, "count", part->count);
		json_string(json, "evidence", why_kind_evidence[part->kind]);
		json_close(json);
	}
	json_close(json);
}

static void put_arenas(struct json_writer *json, const struct why_report *report)
{
	json_open_array(json, "arenas");
	for (size_t i = 0; i < report->arenas.nr; i++) {
		const struct why_arena *arena = &report->arenas.items[i];
		json_open_object(json, NULL);
		json_hex(json, "address", arena->address, 16);
		json_bool(json, "is_main", arena->is_main);
		json_integer(json, "threads", arena->threads);
		json_integer(json, "system_bytes", arena->system_bytes);
		json_integer(json, "live_blocks", arena->live_blocks);
		json_integer(json, "live_bytes", arena->live_bytes);
		json_integer(json, "tcache_bytes", arena->tcache_bytes);
		json_integer(json, "fastbin_bytes", arena->fast_bytes);
		json_integer(json, "bin_bytes", arena->binned_bytes);
		json_integer(json, "top_bytes", arena->top_bytes);
		json_integer(json, "trim_bytes", arena->trim_bytes);
		json_close(json);
	}
	json_close(json);
}

static void put_pins(struct json_writer *json, const struct why_report *report)
{
	json_open_object(json, "pinned");
	json_integer(json, "pages", report->pinned_pages);
	json_integer(json, "free_bytes", report->pinned_bytes);
	json_open_array(json, "types");
	for (size_t i = 0; i < report->pins.nr; i++) {
		const struct why_pin *pin = &report->pins.items[i];
		json_open_object(json, NULL);
		json_string(json, "type", pin->type);
		json_integer(json, "blocks", pin->blocks);
		json_integer(json, "bytes", pin->bytes);
		json_integer(json, "pages", pin->pages);
		json_integer(json, "pages_alone", pin->pages_alone);
		json_integer(json, "free_bytes", pin->free_bytes);
		json_close(json);
	}
	json_close(json);
	json_close(json);
}

struct str why_json(const struct why_report *report, const struct report_options *options)
{
	(void)options;
	struct json_writer json = { 0 };
	json_open_object(&json, NULL);
	json_string(&json, "schema", "seep.why/1");
	json_open_object(&json, "target");
	json_target(&json, report->pid, report->target ? report->target : "");
	json_string(&json, "allocator", report->allocator);
	json_close(&json);
	json_integer(&json, "rss_bytes", report->rss_bytes);
	json_integer(&json, "explained_bytes", report->explained_bytes);
	json_integer(&json, "opaque_bytes", report->opaque_bytes);
	json_signed(&json, "residual_bytes", report->residual_bytes);
	put_parts(&json, report);
	json_open_object(&json, "beside");
	json_integer(&json, "page_table_bytes", report->page_table_bytes);
	json_integer(&json, "kernel_stack_bytes", report->kernel_stack_bytes);
	json_integer(&json, "swapped_bytes", report->swapped_bytes);
	json_close(&json);
	put_arenas(&json, report);
	json_integer(&json, "arena_limit", report->arena_limit);
	json_bool(&json, "is_arena_limit_set", report->is_limit_set);
	json_integer(&json, "processors", report->processors);
	json_integer(&json, "threads", report->threads);
	json_integer(&json, "mapped_blocks", report->mapped_blocks);
	json_integer(&json, "mapped_bytes", report->mapped_bytes);
	if (report->is_trim_known)
		json_integer(&json, "trim_bytes", report->trim_bytes);
	else
		json_null(&json, "trim_bytes");
	put_pins(&json, report);
	json_string(&json, "unknown_allocator", report->unknown);
	json_number(&json, "pause_ms", report->pause_ms, 3);
	json_string(&json, "freeze", report->copied ? "copy" : "stop");
	json_string(&json, "why_stopped", report->why_stopped);
	if (report->copied)
		json_integer(&json, "copy_bytes", report->copy_bytes);
	else
		json_null(&json, "copy_bytes");
	json_sentences(&json, "warnings", report->warnings);
	json_sentences(&json, "notes", report->notes);
	json_close(&json);
	return json.out;
}
