/*
 * types_locals: where the variables and parameters of a function stand while it waits for a call, or is
 * interrupted. See types.h.
 *
 * Of a variable that stands at one place all the time nobody knows whether it has been written yet. Those that
 * count are parameters, and variables of which a list says where they stand when, as optimising compilers write it:
 * there they are what the program thinks they are.
 */
#include "sym/types_priv.h"

#include <dwarf.h>
#include <stdlib.h>

/* Entries in each other, in a function. */
#define DEPTH_MAX 32u

/* What is asked of libdw. */
struct local_search {
	struct types *types;
	const struct types_function *function;
	const struct types_frame *frame;
	uint64_t base; /* what locations are relative to */
	bool has_base;
	void (*take)(void *context, const struct types_local *local);
	void *context;
};

/* --- functions ---------------------------------------------------------------------- */

void types_add_function(const struct types_walk *walk, Dwarf_Die *die)
{
	struct types *types = walk->types;
	Dwarf_Addr low = 0, high = 0;
	if (types->functions.nr >= TYPES_RECORDS_MAX || dwarf_lowpc(die, &low) != 0 ||
	    dwarf_highpc(die, &high) != 0 || !low || high <= low)
		return;
	const struct types_function function = {
		.start = low + walk->bias,
		.end = high + walk->bias,
		.bias = walk->bias,
		.die = *die,
		.file = types->current->number,
	};
	/* Without it there are fewer types, and that is all. */
	(void)types_function_vec_push(&types->functions, function);
}

static int by_start(const void *a, const void *b)
{
	const struct types_function *left = a, *right = b;
	return (left->start > right->start) - (left->start < right->start);
}

void types_sort_functions(struct types *types)
{
	if (types->functions.nr)
		qsort(types->functions.items, types->functions.nr,
		      sizeof(types->functions.items[0]), by_start);
}

static const struct types_function *function_at(const struct types *types, uint64_t code)
{
	size_t low = 0, high = types->functions.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (types->functions.items[middle].start <= code)
			low = middle + 1;
		else
			high = middle;
	}
	return low && code < types->functions.items[low - 1].end
		       ? &types->functions.items[low - 1]
		       : NULL;
}

/* --- places ------------------------------------------------------------------------- */

static bool register_value(const struct types_frame *frame, uint64_t number,
			   uint64_t *value)
{
	if (number >= TYPES_REGISTERS || !(frame->known & (uint32_t)1 << number))
		return false;
	*value = frame->registers[number];
	return true;
}

/* The one operation of a location at the frame's code; false: there are more, or none. */
static bool operation_of(const struct local_search *search, Dwarf_Attribute *location,
			 Dwarf_Op *operation)
{
	Dwarf_Op *operations = NULL;
	size_t nr = 0;
	const uint64_t code = search->frame->code - search->function->bias;
	if (dwarf_getlocation_addr(location, code, &operations, &nr, 1) != 1 || nr != 1)
		return false;
	*operation = operations[0];
	return true;
}

static bool find_base(struct local_search *search)
{
	Dwarf_Attribute attribute;
	Dwarf_Die die = search->function->die;
	Dwarf_Op is;
	if (!types_attribute(search->types, &die, DW_AT_frame_base, &attribute) ||
	    !operation_of(search, &attribute, &is))
		return false;
	if (is.atom == DW_OP_call_frame_cfa) {
		search->base = search->frame->cfa;
		return true;
	}
	if (is.atom >= DW_OP_reg0 && is.atom <= DW_OP_reg31)
		return register_value(search->frame, is.atom - DW_OP_reg0, &search->base);
	if (is.atom < DW_OP_breg0 || is.atom > DW_OP_breg31 ||
	    !register_value(search->frame, is.atom - DW_OP_breg0, &search->base))
		return false;
	search->base += is.number;
	return true;
}

/* Where it stands; false: that is not understood, or it is not there now. */
static bool find_place(const struct local_search *search, const Dwarf_Op *is,
		       struct types_local *local)
{
	if (is->atom == DW_OP_fbreg) {
		local->address = search->base + is->number;
		return search->has_base;
	}
	if (is->atom >= DW_OP_breg0 && is->atom <= DW_OP_breg31) {
		if (!register_value(search->frame, is->atom - DW_OP_breg0,
				    &local->address))
			return false;
		local->address += is->number;
		return true;
	}
	local->is_in_register = is->atom >= DW_OP_reg0 && is->atom <= DW_OP_reg31;
	return local->is_in_register &&
	       register_value(search->frame, is->atom - DW_OP_reg0, &local->word);
}

static bool is_list(Dwarf_Attribute *location)
{
	unsigned form = dwarf_whatform(location);
	return form == DW_FORM_sec_offset || form == DW_FORM_loclistx ||
	       form == DW_FORM_data4 || form == DW_FORM_data8;
}

/* A parameter stands at its one place when the function has begun, which it has when it calls. */
static bool is_sure(const struct local_search *search, Dwarf_Die *die,
		    Dwarf_Attribute *location)
{
	return is_list(location) || (dwarf_tag(die) == DW_TAG_formal_parameter &&
				     !search->frame->is_interrupted);
}

static void look_at(const struct local_search *search, Dwarf_Die *die)
{
	struct types *types = search->types;
	struct types_local local = { 0 };
	Dwarf_Attribute location;
	Dwarf_Die type;
	Dwarf_Op is;
	if (!dwarf_attr(die, DW_AT_location, &location) ||
	    !is_sure(search, die, &location) || !operation_of(search, &location, &is) ||
	    !find_place(search, &is, &local) || !types_type_of(types, die, &type))
		return;
	local.type = types_build(types, &type, 0);
	if (local.type)
		search->take(search->context, &local);
}

/* --- entries ------------------------------------------------------------------------ */

static bool has_code(Dwarf_Die *die, uint64_t code)
{
	return dwarf_haspc(die, code) == 1;
}

static void look_in(void *context)
{
	struct local_search *search = context;
	struct types *types = search->types;
	const uint64_t code = search->frame->code - search->function->bias;
	Dwarf_Die path[DEPTH_MAX];
	Dwarf_Die function = search->function->die;
	unsigned depth = 0;
	search->has_base = find_base(search);
	bool more = types_child(types, &function, &path[0]);
	while (more || depth) {
		if (!more) {
			more = types_next(types, &path[--depth]);
			continue;
		}
		Dwarf_Die *die = &path[depth];
		int tag = dwarf_tag(die);
		if (tag == DW_TAG_variable || tag == DW_TAG_formal_parameter)
			look_at(search, die);
		bool is_around = tag == DW_TAG_lexical_block ||
				 tag == DW_TAG_inlined_subroutine;
		if (is_around && depth + 1 < DEPTH_MAX && has_code(die, code) &&
		    types_child(types, die, &path[depth + 1]))
			depth++;
		else
			more = types_next(types, die);
	}
}

void types_locals(struct types *types, const struct types_frame *frame,
		  void (*take)(void *context, const struct types_local *local),
		  void *context)
{
	struct local_search search = {
		.types = types,
		.function = function_at(types, frame->code),
		.frame = frame,
		.take = take,
		.context = context,
	};
	if (!search.function || types->is_broken)
		return;
	types_enter(types, search.function->file);
	types->is_broken |= !dwarf_file_guard(look_in, &search);
}
