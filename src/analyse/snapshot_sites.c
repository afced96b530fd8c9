/* snapshot_sites: what allocated blocks, as a snapshot has it: stacks and requests in one chunk and more, and then of
   which request each block is, and its age. */
#include "analyse/snapshot_priv.h"

#include <stdlib.h>

/* So many blocks are told by a chunk. */
#define SEGMENT_BLOCKS 65536u

/* --- stacks and requests ---------------------------------------------------------------- */

struct saving {
	const struct block_sites *sites;
	struct snap_writer *writer;
	struct pack payload;
};

/* From a site and a request on, as many as fit; both become what comes next. */
static struct error *save_some(struct saving *saving, size_t *site, size_t *request)
{
	const struct block_sites *sites = saving->sites;
	struct pack stacks = { 0 }, requests = { 0 };
	size_t nr_sites = 0, nr_requests = 0;
	for (; *site < sites->sites.nr && stacks.size < FLUSH_BYTES; nr_sites++) {
		const struct block_site *told = &sites->sites.items[(*site)++];
		pack_text(&stacks, told->stack);
		pack_text(&stacks, told->function);
	}
	bool is_last = *site == sites->sites.nr;
	for (; is_last && *request < sites->requests.nr && requests.size < FLUSH_BYTES;
	     nr_requests++) {
		const struct block_request *told = &sites->requests.items[(*request)++];
		pack_number(&requests, told->site);
		pack_number(&requests, told->size);
	}
	struct pack *payload = &saving->payload;
	pack_number(payload, nr_sites);
	pack_bytes(payload, stacks.bytes, stacks.size);
	pack_number(payload, nr_requests);
	pack_bytes(payload, requests.bytes, requests.size);
	payload->failed |= stacks.failed || requests.failed;
	pack_deinit(&stacks);
	pack_deinit(&requests);
	return snap_writer_chunk(saving->writer, SNAP_SITES, CHUNK_VERSION, payload);
}

static struct error *save_lists(struct saving *saving)
{
	const struct block_sites *sites = saving->sites;
	struct error *error = NULL;
	size_t site = 1, request = 1; /* what is not known is not told */
	while (!error && (site < sites->sites.nr || request < sites->requests.nr))
		error = save_some(saving, &site, &request);
	return error;
}

/* 0: it is not known. */
static void pack_age(struct pack *payload, uint32_t age_ms)
{
	pack_number(payload, age_ms == BLOCK_AGE_UNKNOWN ? 0 : (uint64_t)age_ms + 1);
}

static struct error *save_blocks(struct saving *saving, uint64_t nr)
{
	const uint32_t *numbers = saving->sites->numbers.memory;
	struct pack *payload = &saving->payload;
	struct error *error = NULL;
	for (uint64_t first = 0; !error && first < nr; first += SEGMENT_BLOCKS) {
		uint64_t length = nr - first < SEGMENT_BLOCKS ? nr - first
							      : SEGMENT_BLOCKS;
		pack_number(payload, first);
		pack_number(payload, length);
		for (uint64_t i = first; i < first + length; i++) {
			pack_number(payload, numbers[i]);
			if (numbers[i])
				pack_age(payload,
					 block_age_ms(saving->sites, (uint32_t)i));
		}
		error = snap_writer_chunk(saving->writer, SNAP_BLOCK_SITES, CHUNK_VERSION,
					  payload);
	}
	return error;
}

struct error *snapshot_save_sites(const struct look *look, struct snap_writer *writer)
{
	struct saving saving = { .sites = &look->sites, .writer = writer };
	if (!block_sites_are_known(&look->sites))
		return NULL;
	struct error *error = save_lists(&saving);
	if (!error)
		error = save_blocks(&saving, look->graph.nr_blocks);
	pack_deinit(&saving.payload);
	return error;
}

/* --- loading ---------------------------------------------------------------------------- */

static struct error *nonsense(const struct loader *loader)
{
	return loader_nonsense(loader, "holds a site that cannot be");
}

static struct error *load_site(struct loader *loader, struct unpack *payload)
{
	char *stack = unpack_text(payload), *function = unpack_text(payload);
	if (!payload->bad && stack)
		return block_sites_add(&loader->look->sites, stack, function);
	free(stack);
	free(function);
	return nonsense(loader);
}

static struct error *load_request(struct loader *loader, struct unpack *payload)
{
	struct block_sites *sites = &loader->look->sites;
	uint64_t site = unpack_number(payload);
	const struct block_request request = { (uint32_t)site, unpack_number(payload) };
	if (payload->bad || site >= sites->sites.nr)
		return nonsense(loader);
	return block_request_vec_push(&sites->requests, request) ? NULL
								 : error_no_memory();
}

struct error *snapshot_load_sites(struct loader *loader, struct unpack *payload)
{
	struct block_sites *sites = &loader->look->sites;
	struct error *error = NULL;
	if (!block_sites_are_known(sites))
		error = block_sites_init(sites, 0);
	uint64_t nr = unpack_number(payload);
	for (uint64_t i = 0; !error && i < nr; i++)
		error = load_site(loader, payload);
	nr = unpack_number(payload);
	for (uint64_t i = 0; !error && i < nr; i++)
		error = load_request(loader, payload);
	return error;
}

static bool load_block(const struct block_sites *sites, uint64_t rank,
		       struct unpack *payload)
{
	uint64_t number = unpack_number(payload);
	uint64_t age = number ? unpack_number(payload) : 0;
	if (payload->bad || number >= sites->requests.nr || age > BLOCK_AGE_MAX + 1ul)
		return false;
	((uint32_t *)sites->numbers.memory)[rank] = (uint32_t)number;
	((uint32_t *)sites->ages.memory)[rank] = age ? (uint32_t)age - 1
						     : BLOCK_AGE_UNKNOWN;
	return true;
}

struct error *snapshot_load_block_sites(struct loader *loader, struct unpack *payload)
{
	struct block_sites *sites = &loader->look->sites;
	uint64_t first = unpack_number(payload), nr = unpack_number(payload);
	/* A block takes a byte and more. */
	if (payload->bad || !block_sites_are_known(sites) || first != loader->nr_sited ||
	    nr > unpack_left(payload) || first + nr > RANK_MAX)
		return loader_nonsense(loader, "is not the next one");
	struct error *error = block_sites_reserve(sites, first + nr);
	if (error)
		return error;
	for (; nr; nr--, loader->nr_sited++)
		if (!load_block(sites, loader->nr_sited, payload))
			return nonsense(loader);
	return NULL;
}
