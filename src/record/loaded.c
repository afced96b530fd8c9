/* loaded: see loaded.h. */
#include "record/loaded.h"

#include <string.h>

static bool copy(const char *text, char **result)
{
	*result = text[0] ? strdup(text) : NULL;
	return *result || !text[0];
}

bool loaded_add(struct loaded_vec *all, const struct record_load *load, bool is_executed)
{
	struct loaded code = {
		.start = load->start,
		.end = load->end,
		.bias = load->bias,
		.first_node = load->first_node,
		.end_node = UINT64_MAX,
		.is_executed = is_executed,
	};
	if (copy(load->path, &code.path) && copy(load->build_id, &code.build_id) &&
	    loaded_vec_push(all, code))
		return true;
	free(code.path);
	free(code.build_id);
	return false;
}

void loaded_end(struct loaded_vec *all, uint64_t start, uint32_t node)
{
	for (size_t i = all->nr; i-- > 0;) {
		struct loaded *code = &all->items[i];
		if (code->start != start || code->end_node != UINT64_MAX)
			continue;
		code->end_node = node;
		return;
	}
}

void loaded_deinit(struct loaded_vec *all)
{
	for (size_t i = 0; i < all->nr; i++) {
		free(all->items[i].path);
		free(all->items[i].build_id);
	}
	loaded_vec_deinit(all);
}
