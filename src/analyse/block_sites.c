/* block_sites: see block_sites.h. */
#include "analyse/block_sites.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/str.h"

struct error *block_sites_reserve(struct block_sites *sites, uint64_t nr_blocks)
{
	return area_reserve(&sites->numbers, (nr_blocks + 1) * sizeof(uint32_t)) &&
			       area_reserve(&sites->ages,
					    (nr_blocks + 1) * sizeof(uint32_t))
		       ? NULL
		       : error_no_memory();
}

struct error *block_sites_init(struct block_sites *sites, uint64_t nr_blocks)
{
	*sites = (struct block_sites){ 0 };
	struct error *error = block_sites_reserve(sites, nr_blocks);
	if (error)
		return error;
	if (!block_request_vec_push(&sites->requests, (struct block_request){ 0 }))
		return error_no_memory();
	return block_sites_add(sites, strdup("site not known"), NULL);
}

void block_sites_deinit(struct block_sites *sites)
{
	for (size_t i = 0; i < sites->sites.nr; i++) {
		free(sites->sites.items[i].stack);
		free(sites->sites.items[i].function);
	}
	block_site_vec_deinit(&sites->sites);
	block_request_vec_deinit(&sites->requests);
	area_release(&sites->numbers);
	area_release(&sites->ages);
	*sites = (struct block_sites){ 0 };
}

struct error *block_sites_add(struct block_sites *sites, char *stack, char *function)
{
	const struct block_site site = {
		.stack = stack,
		.function = function,
		.hash = stack ? hash_bytes(HASH_SEED, stack, strlen(stack)) : 0,
	};
	if (stack && block_site_vec_push(&sites->sites, site))
		return NULL;
	free(stack);
	free(function);
	return error_no_memory();
}

/* --- types --------------------------------------------------------------------------- */

struct naming {
	const struct block_sites *sites;
	struct natures *natures;
	uint16_t *codes;    /* by site; 0: none yet */
	struct map by_name; /* codes by hash of the function */
	bool out_of_memory;
};

static uint16_t code_of(struct naming *naming, const char *function)
{
	uint64_t key = hash_bytes(HASH_SEED, function, strlen(function));
	uint64_t *known = map_at(&naming->by_name, key);
	struct str name = { 0 };
	if (known && !*known) {
		str_printf(&name, "malloc in %s", function);
		*known = name.failed ? 0
				     : natures_add_type(naming->natures, str_text(&name));
		str_deinit(&name);
	}
	naming->out_of_memory |= !known;
	return known ? (uint16_t)*known : 0;
}

static void name_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address, (void)size;
	struct naming *naming = context;
	uint32_t number = block_site(naming->sites, rank);
	const struct block_site *site = &naming->sites->sites.items[number];
	if (!site->function ||
	    natures_class(naming->natures, natures_get(naming->natures, rank)))
		return;
	if (!naming->codes[number])
		naming->codes[number] = code_of(naming, site->function);
	if (naming->codes[number])
		natures_set(naming->natures, rank, naming->codes[number]);
}

struct error *block_sites_name(const struct block_sites *sites, const struct space *space,
			       struct natures *natures)
{
	struct naming naming = { .sites = sites, .natures = natures };
	naming.codes = calloc(sites->sites.nr + 1, sizeof(*naming.codes));
	if (!naming.codes)
		return error_no_memory();
	space_each(space, name_block, &naming);
	map_deinit(&naming.by_name);
	free(naming.codes);
	return naming.out_of_memory ? error_no_memory() : NULL;
}

/* --- coverage ------------------------------------------------------------------------- */

struct coverage {
	const struct block_sites *sites;
	uint64_t blocks, bytes, all_bytes;
};

static void cover(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	(void)address;
	struct coverage *coverage = context;
	bool is_known = block_site(coverage->sites, rank);
	coverage->blocks += is_known;
	coverage->bytes += is_known ? size : 0;
	coverage->all_bytes += size;
}

struct error *block_sites_warn(const struct block_sites *sites, const struct space *space,
			       struct sentence_vec *warnings)
{
	struct coverage known = { .sites = sites };
	space_each(space, cover, &known);
	if (known.blocks == space->nr_blocks)
		return NULL;
	return sentences_add(warnings,
			     "sites are known for %" PRIu64 " %% of bytes, "
			     "%" PRIu64 " %% of blocks",
			     known.all_bytes ? known.bytes * 100 / known.all_bytes : 0,
			     space->nr_blocks ? known.blocks * 100 / space->nr_blocks
					      : 0);
}
