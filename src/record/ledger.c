/* ledger: see ledger.h. */
#include "record/ledger.h"

#include <string.h>

/* By how much stamps of two processors may be off: well above what was seen, and below what a
   block takes to go through the hands of a third thread. */
#define SKEW_NS 800u
/* A free that did not come in so long will not. */
#define ASIDE_NS 800000000u
/* So many at most are waited for. */
#define MAX_ASIDE 256u

void ledger_deinit(struct ledger *ledger)
{
	blocks_deinit(&ledger->blocks);
	requests_deinit(&ledger->requests);
	mapping_vec_deinit(&ledger->mappings);
	ledger_aside_vec_deinit(&ledger->aside);
	ledger_early_vec_deinit(&ledger->early);
	ledger_last_vec_deinit(&ledger->last);
	deaths_deinit(&ledger->deaths);
}

/* --- what the trace is told --------------------------------------------------------- */

/* It is that late. */
static void reach(struct ledger *ledger, uint64_t us)
{
	if (us <= ledger->now.us)
		return;
	if (us - ledger->aged_us >= BLOCKS_AGE_US) {
		blocks_age(&ledger->blocks, ledger->now.us, us);
		ledger->aged_us = us;
	}
	ledger->now.us = us;
}

static void set_moment(struct ledger *ledger, const struct record *record)
{
	/* Threads that take their time from seep have the same for many records. */
	if (record->time != ledger->now_ticks) {
		uint64_t us = record_clock_us(ledger->clock, record->time);
		reach(ledger, us);
		ledger->now_ticks = record->time;
	}
	ledger->now.thread = record->thread;
}

static uint64_t *last_of_thread(struct ledger *ledger)
{
	return &ledger->last.items[ledger->now.thread];
}

static void tell(struct ledger *ledger, enum trace_other what, uint64_t number)
{
	if (ledger->trace)
		trace_writer_other(ledger->trace, &ledger->now, what, number);
}

/* Likewise, of an event that the thread's allocations are followed by. */
static void tell_of_thread(struct ledger *ledger, enum trace_other what, uint64_t number)
{
	*last_of_thread(ledger) = 0;
	tell(ledger, what, number);
}

/* The number of a request, which the trace hears of when it is new. */
static uint32_t request_of(struct ledger *ledger, uint64_t size, uint32_t node)
{
	uint32_t nr = ledger->requests.nr;
	uint32_t request = requests_number(&ledger->requests, size, node);
	ledger->no_memory |= request == REQUESTS_NO_MEMORY;
	if (ledger->trace && ledger->requests.nr > nr)
		trace_writer_request(ledger->trace, size, node);
	return request;
}

static uint64_t size_of(const struct ledger *ledger, uint32_t request)
{
	return requests_at(&ledger->requests, request)->size;
}

/* --- totals ------------------------------------------------------------------------- */

static void count_in(struct ledger *ledger, uint32_t request)
{
	struct ledger_totals *totals = &ledger->totals;
	uint64_t size = size_of(ledger, request);
	if (ledger->accounts)
		ledger->no_memory |= !accounts_in(ledger->accounts, request);
	totals->allocations++;
	totals->bytes += size;
	totals->live_blocks++;
	totals->live_bytes += size;
	if (totals->live_bytes > totals->peak_bytes) {
		totals->peak_bytes = totals->live_bytes;
		totals->peak_us = ledger->now.us;
		if (ledger->accounts)
			accounts_peak(ledger->accounts);
	}
}

static void count_out(struct ledger *ledger, uint32_t request)
{
	ledger->totals.live_blocks--;
	ledger->totals.live_bytes -= size_of(ledger, request);
	if (ledger->accounts)
		accounts_out(ledger->accounts, request);
}

/* --- ends of blocks ----------------------------------------------------------------- */

/* The number of a death, which the trace hears of when it is new. */
static uint32_t death_of(struct ledger *ledger, const struct birth *birth,
			 bool is_temporary)
{
	uint32_t nr = ledger->deaths.nr;
	const struct death death = {
		.request = birth->request,
		.flags = death_flags(birth, ledger->now.us, ledger->marks, is_temporary),
		.thread = birth->thread == ledger->now.thread
				  ? 0
				  : (uint64_t)birth->thread + 1,
	};
	uint32_t number = deaths_number(&ledger->deaths, &death);
	ledger->no_memory |= number == DEATHS_NO_MEMORY;
	if (ledger->deaths.nr > nr)
		trace_writer_death(ledger->trace, death.request, death.flags,
				   death.thread);
	return number;
}

/* The block at an address goes, by the current thread. */
static void end_block(struct ledger *ledger, uint64_t address, const struct birth *birth)
{
	bool is_temporary = *last_of_thread(ledger) == address &&
			    birth->thread == ledger->now.thread;
	count_out(ledger, birth->request);
	ledger->totals.frees++;
	ledger->totals.temporary += is_temporary;
	if (ledger->accounts && is_temporary)
		accounts_temporary(ledger->accounts, birth->request);
	*last_of_thread(ledger) = 0;
	if (ledger->trace)
		trace_writer_free(ledger->trace, &ledger->now,
				  death_of(ledger, birth, is_temporary), address);
}

static void tell_stray(struct ledger *ledger)
{
	ledger->totals.strays++;
	tell_of_thread(ledger, TRACE_STRAY, 0);
}

/* --- blocks aside ------------------------------------------------------------------- */

/* One of 64 bits: where it is not set in the filter, the address is not aside. */
static uint64_t filter_bit(uint64_t address)
{
	return UINT64_C(1) << ((address >> 4) * 0x9e3779b97f4a7c15u >> 58);
}

static void drop_aside(struct ledger *ledger, size_t i)
{
	struct ledger_aside_vec *aside = &ledger->aside;
	memmove(&aside->items[i], &aside->items[i + 1],
		(aside->nr - i - 1) * sizeof(*aside->items));
	aside->nr--;
	ledger->aside_filter = 0;
	for (i = 0; i < aside->nr; i++)
		ledger->aside_filter |= filter_bit(aside->items[i].address);
}

/* The free of the one that waits longest did not come. */
static void give_up_oldest(struct ledger *ledger)
{
	struct ledger_aside oldest = ledger->aside.items[0];
	drop_aside(ledger, 0);
	ledger->totals.implied++;
	end_block(ledger, oldest.address, &oldest.birth);
}

static void put_aside(struct ledger *ledger, const struct block_entry *entry,
		      const struct record *by)
{
	if (ledger->aside.nr == MAX_ASIDE)
		give_up_oldest(ledger);
	struct ledger_aside aside = {
		.address = block_address(entry),
		.until = by->time,
		.thread = by->thread,
		.birth = blocks_birth(&ledger->blocks, entry, ledger->now.us),
	};
	ledger->no_memory |= !ledger_aside_vec_push(&ledger->aside, aside);
	ledger->aside_filter |= filter_bit(aside.address);
}

static uint64_t skew_ticks(const struct ledger *ledger)
{
	return record_clock_ticks(ledger->clock, SKEW_NS);
}

/* Whether a record that ends a block at that address is about this one. A free is stamped
   before it happens; a realloc after, so the next owner's stamp may be earlier. */
static bool is_end_of(const struct ledger *ledger, const struct ledger_aside *aside,
		      const struct record *record)
{
	if (aside->address != record->address)
		return false;
	if (record->thread == aside->thread)
		return false;
	return record->type == EVENT_REALLOCATION ||
	       record->time <= aside->until + skew_ticks(ledger);
}

/* Takes the block aside that a record ends; false if it ends none. */
static bool take_aside(struct ledger *ledger, const struct record *record,
		       struct ledger_aside *taken)
{
	for (size_t i = 0; i < ledger->aside.nr; i++) {
		if (!is_end_of(ledger, &ledger->aside.items[i], record))
			continue;
		*taken = ledger->aside.items[i];
		drop_aside(ledger, i);
		return true;
	}
	return false;
}

/* --- frees that came too early ------------------------------------------------------ */

/* Entries of the table know them by a number, which they keep when others go. */
static const struct ledger_early *early_of(const struct ledger *ledger,
					   const struct block_entry *entry)
{
	return &ledger->early.items[entry->number - ledger->early_base];
}

static void wait_for_allocation(struct ledger *ledger, const struct record *record)
{
	struct block_entry *place =
		blocks_find_or_place(&ledger->blocks, record->address);
	struct ledger_early early = { record->address, record->time, ledger->round,
				      record->thread };
	if (!place || !ledger_early_vec_push(&ledger->early, early)) {
		ledger->no_memory = true;
		return;
	}
	blocks_fill_early(&ledger->blocks, place, record->address,
			  ledger->early_base + (uint32_t)ledger->early.nr - 1);
}

/* A free that waited was of no recorded block. */
static void settle_early(struct ledger *ledger, struct block_entry *entry)
{
	const struct trace_writer_moment now = ledger->now;
	ledger->now.thread = early_of(ledger, entry)->thread;
	tell_stray(ledger);
	ledger->now.thread = now.thread;
	blocks_remove(&ledger->blocks, entry);
}

static void forget_settled(struct ledger *ledger)
{
	struct ledger_early_vec *early = &ledger->early;
	early->nr -= ledger->first_early;
	if (early->nr)
		memmove(early->items, early->items + ledger->first_early,
			early->nr * sizeof(*early->items));
	ledger->early_base += (uint32_t)ledger->first_early;
	ledger->first_early = 0;
}

/* Those of rounds before `round`. */
static void settle_early_before(struct ledger *ledger, uint64_t round)
{
	struct ledger_early_vec *early = &ledger->early;
	for (; ledger->first_early < early->nr; ledger->first_early++) {
		const struct ledger_early *oldest = &early->items[ledger->first_early];
		uint32_t number = ledger->early_base + (uint32_t)ledger->first_early;
		if (oldest->round >= round)
			break;
		struct block_entry *entry = blocks_find(&ledger->blocks, oldest->address);
		if (entry && entry->key & BLOCK_EARLY && entry->number == number)
			settle_early(ledger, entry);
	}
	if (ledger->first_early * 2 >= early->nr)
		forget_settled(ledger);
}

/* Whether an allocation is of the block that was freed already. */
static bool is_freed_early(const struct ledger *ledger, const struct block_entry *entry,
			   const struct record *record)
{
	const struct ledger_early *early = early_of(ledger, entry);
	return early->thread != record->thread &&
	       record->time <= early->time + skew_ticks(ledger);
}

/* --- allocations -------------------------------------------------------------------- */

/* Something is at the address of a new block. Takes it away; false if that shows that the new
   block was freed already, by *thread. */
static bool make_room(struct ledger *ledger, const struct record *record,
		      struct block_entry *entry, uint32_t *thread)
{
	if (!(entry->key & BLOCK_EARLY)) {
		put_aside(ledger, entry, record);
		blocks_remove(&ledger->blocks, entry);
		return true;
	}
	if (!is_freed_early(ledger, entry, record)) {
		settle_early(ledger, entry);
		return true;
	}
	*thread = early_of(ledger, entry)->thread;
	blocks_remove(&ledger->blocks, entry);
	return false;
}

/* The block is there from now on, unless it was freed already. */
static void enter_block(struct ledger *ledger, const struct record *record,
			uint64_t address, uint32_t request)
{
	const struct birth birth = {
		.us = ledger->now.us,
		.marks = ledger->marks,
		.request = request,
		.thread = ledger->now.thread,
	};
	struct block_entry *place = blocks_find_or_place(&ledger->blocks, address);
	uint32_t freed_by = 0;
	*last_of_thread(ledger) = address;
	if (place && place->key) {
		if (!make_room(ledger, record, place, &freed_by)) {
			ledger->now.thread = freed_by;
			end_block(ledger, address, &birth);
			return;
		}
		place = blocks_find_or_place(&ledger->blocks, address);
	}
	ledger->no_memory |= !place ||
			     !blocks_fill(&ledger->blocks, place, address, &birth);
}

static void begin_block(struct ledger *ledger, const struct record *record,
			uint64_t address)
{
	uint32_t request = request_of(ledger, record->size, record->node);
	if (ledger->no_memory)
		return;
	count_in(ledger, request);
	if (ledger->trace)
		trace_writer_allocate(ledger->trace, &ledger->now, request, address);
	enter_block(ledger, record, address, request);
}

static void enter_allocation(struct ledger *ledger, const struct record *record,
			     const struct record_load *load)
{
	(void)load;
	begin_block(ledger, record, record->address);
}

/* --- frees and resizes -------------------------------------------------------------- */

/* Takes the block out that a record ends; false if nothing lives there. */
static bool take_block(struct ledger *ledger, const struct record *record,
		       struct ledger_aside *taken)
{
	struct block_entry *entry = blocks_find(&ledger->blocks, record->address);
	if (ledger->aside_filter & filter_bit(record->address) &&
	    take_aside(ledger, record, taken))
		return true;
	if (!entry)
		return false;
	if (entry->key & BLOCK_EARLY) {
		settle_early(ledger, entry);
		return false;
	}
	*taken = (struct ledger_aside){
		.address = record->address,
		.birth = blocks_birth(&ledger->blocks, entry, ledger->now.us),
	};
	blocks_remove(&ledger->blocks, entry);
	return true;
}

static void enter_free(struct ledger *ledger, const struct record *record,
		       const struct record_load *load)
{
	struct ledger_aside block;
	(void)load;
	if (take_block(ledger, record, &block))
		end_block(ledger, record->address, &block.birth);
	else
		wait_for_allocation(ledger, record);
}

static void enter_reallocation(struct ledger *ledger, const struct record *record,
			       const struct record_load *load)
{
	struct ledger_aside block;
	(void)load;
	if (!take_block(ledger, record, &block)) {
		begin_block(ledger, record, record->new_address);
		return;
	}
	const struct trace_writer_move move = { record->address, record->new_address };
	uint32_t request = request_of(ledger, record->size, record->node);
	if (ledger->no_memory)
		return;
	count_out(ledger, block.birth.request);
	count_in(ledger, request);
	if (ledger->trace)
		trace_writer_resize(ledger->trace, &ledger->now,
				    death_of(ledger, &block.birth, false), request,
				    &move);
	enter_block(ledger, record, record->new_address, request);
}

/* --- other records ------------------------------------------------------------------ */

static void enter_map(struct ledger *ledger, const struct record *record,
		      const struct record_load *load)
{
	uint64_t unmapped = 0;
	(void)load;
	uint32_t request = request_of(ledger, record->size, record->node);
	ledger->no_memory |= !mappings_add(&ledger->mappings, record->address,
					   record->size, &unmapped);
	if (unmapped)
		tell_of_thread(ledger, TRACE_UNMAP, unmapped);
	tell_of_thread(ledger, TRACE_MAP, request);
}

static void enter_unmap(struct ledger *ledger, const struct record *record,
			const struct record_load *load)
{
	uint64_t unmapped = 0;
	(void)load;
	ledger->no_memory |= !mappings_remove(&ledger->mappings, record->address,
					      record->size, &unmapped);
	if (unmapped)
		tell_of_thread(ledger, TRACE_UNMAP, unmapped);
}

static void enter_thread(struct ledger *ledger, const struct record *record,
			 const struct record_load *load)
{
	(void)load;
	if (ledger->trace)
		trace_writer_thread(ledger->trace, record->address);
}

static void enter_gap(struct ledger *ledger, const struct record *record,
		      const struct record_load *load)
{
	(void)load;
	ledger->totals.lost += record->address;
	tell_of_thread(ledger, TRACE_GAP, record->address);
}

static void enter_load(struct ledger *ledger, const struct record *record,
		       const struct record_load *load)
{
	const struct trace_writer_code code = {
		.first_node = load->first_node,
		.start = load->start,
		.end = load->end,
		.bias = load->bias,
		.path = load->path[0] ? load->path : NULL,
		.build_id = load->build_id[0] ? load->build_id : NULL,
	};
	(void)record;
	if (ledger->trace)
		trace_writer_load(ledger->trace, &code);
	if (ledger->loaded)
		ledger->no_memory |=
			!loaded_add(ledger->loaded, load, ledger->is_executing);
	ledger->is_executing = false;
}

static void enter_unload(struct ledger *ledger, const struct record *record,
			 const struct record_load *load)
{
	(void)load;
	if (ledger->trace)
		trace_writer_unload(ledger->trace, record->node, record->address);
	if (ledger->loaded)
		loaded_end(ledger->loaded, record->address, record->node);
}

static void enter_execution(struct ledger *ledger, const struct record *record,
			    const struct record_load *load)
{
	(void)record;
	(void)load;
	ledger->executed = true;
}

static void enter_nothing(struct ledger *ledger, const struct record *record,
			  const struct record_load *load)
{
	(void)ledger;
	(void)record;
	(void)load;
}

/* --- records ------------------------------------------------------------------------ */

static void (*const enterers[EVENT_NR_TYPES])(struct ledger *ledger,
					      const struct record *record,
					      const struct record_load *load) = {
	[EVENT_NONE] = enter_nothing,
	[EVENT_ALLOCATION] = enter_allocation,
	[EVENT_BIG_ALLOCATION] = enter_allocation,
	[EVENT_FREE] = enter_free,
	[EVENT_REALLOCATION] = enter_reallocation,
	[EVENT_MAP] = enter_map,
	[EVENT_UNMAP] = enter_unmap,
	[EVENT_THREAD] = enter_thread,
	[EVENT_THREAD_END] = enter_nothing,
	[EVENT_GAP] = enter_gap,
	[EVENT_LOAD] = enter_load,
	[EVENT_UNLOAD] = enter_unload,
	[EVENT_FORK] = enter_nothing,
	[EVENT_EXEC] = enter_execution,
};

static bool know_thread(struct ledger *ledger, uint32_t thread)
{
	while (ledger->last.nr <= thread)
		if (!ledger_last_vec_push(&ledger->last, 0))
			return false;
	return true;
}

void ledger_enter(struct ledger *ledger, const struct record *record,
		  const struct record_load *load)
{
	if (!know_thread(ledger, record->thread))
		ledger->no_memory = true;
	if (ledger->no_memory)
		return;
	set_moment(ledger, record);
	enterers[record->type](ledger, record, load);
}

void ledger_end_round(struct ledger *ledger, uint64_t now)
{
	if (ledger->no_memory)
		return;
	settle_early_before(ledger, ledger->round);
	ledger->round++;
	uint64_t aside_ticks = record_clock_ticks(ledger->clock, ASIDE_NS);
	while (ledger->aside.nr && ledger->aside.items[0].until + aside_ticks < now)
		give_up_oldest(ledger);
}

void ledger_finish(struct ledger *ledger)
{
	if (ledger->no_memory)
		return;
	settle_early_before(ledger, UINT64_MAX);
	while (ledger->aside.nr)
		give_up_oldest(ledger);
}

/* --- another program ---------------------------------------------------------------- */

static void unload_all(struct ledger *ledger, uint32_t first_node)
{
	for (size_t i = 0; ledger->loaded && i < ledger->loaded->nr; i++) {
		struct loaded *code = &ledger->loaded->items[i];
		if (code->end_node != UINT64_MAX)
			continue;
		code->end_node = first_node;
		if (ledger->trace)
			trace_writer_unload(ledger->trace, first_node, code->start);
	}
}

/* Numbers of requests and threads are not used again; so no block of another program can be
   taken for one that was replaced. */
static void end_all_blocks(struct ledger *ledger)
{
	struct ledger_totals *totals = &ledger->totals;
	totals->replaced_blocks += totals->live_blocks;
	totals->replaced_bytes += totals->live_bytes;
	totals->live_blocks = totals->live_bytes = 0;
	if (ledger->accounts)
		accounts_out_all(ledger->accounts);
	blocks_deinit(&ledger->blocks);
	requests_forget(&ledger->requests);
	ledger->mappings.nr = 0;
}

void ledger_replace(struct ledger *ledger, const char *program, uint32_t first_node)
{
	ledger_finish(ledger);
	if (ledger->no_memory)
		return;
	ledger->totals.executions++;
	ledger->executed = false;
	ledger->is_executing = true;
	unload_all(ledger, first_node);
	end_all_blocks(ledger);
	if (ledger->trace && ledger->last.nr)
		trace_writer_execute(ledger->trace, &ledger->now, program);
}

/* --- from outside ------------------------------------------------------------------- */

void ledger_lose(struct ledger *ledger, uint64_t nr_events)
{
	ledger->totals.lost += nr_events;
	if (ledger->last.nr)
		tell(ledger, TRACE_GAP, nr_events);
}

bool ledger_note(struct ledger *ledger, uint64_t us, enum trace_other what)
{
	reach(ledger, us);
	if (!ledger->last.nr)
		return false;
	tell(ledger, what, 0);
	return true;
}

bool ledger_mark(struct ledger *ledger, uint64_t us, const char *name)
{
	reach(ledger, us);
	if (!ledger->last.nr)
		return false;
	if (ledger->trace)
		trace_writer_mark(ledger->trace, &ledger->now, name);
	ledger->marks += ledger->marks < UINT16_MAX;
	return true;
}

bool ledger_live(const struct ledger *ledger, struct recorded_block_vec *blocks)
{
	for (size_t i = 0; i < ledger->blocks.size; i++) {
		const struct block_entry *entry = &ledger->blocks.entries[i];
		if (!entry->key || entry->key & BLOCK_EARLY)
			continue;
		const struct request *request =
			requests_at(&ledger->requests, entry->number);
		struct recorded_block block = { block_address(entry), request->size,
						request->node };
		if (!recorded_block_vec_push(blocks, block))
			return false;
	}
	return true;
}
