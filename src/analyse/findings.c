/* findings: see findings.h. */
#include "analyse/findings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyse/size_class.h"
#include "base/bitmap.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/str.h"

/* So many distinct kinds of members make up the shape of a tree; more do not change it. */
#define SHAPE_MAX 64u

/* What is known of a finding in the making. */
struct group {
	uint64_t type; /* hash of its first block's */
	bool is_mixed;
};
DEFINE_VEC(group_vec, struct group);

/* What is known of a lost root. */
struct root_leak {
	uint64_t shape;           /* hash of what hangs on it */
	struct suppression *rule; /* that suppresses it; NULL: none does */
};

/* What a verdict on blocks is in `verdicts`: the number of the rule + this. */
#define VERDICT_LISTED     1u
#define VERDICT_SUPPRESSED 2u

struct maker {
	const struct findings_input *in;
	struct leaks_report *report;
	struct map numbers;          /* of findings, + 1, by key */
	struct group_vec groups;     /* by number of finding */
	struct graph_root_vec stale; /* pointers to lost blocks in dead memory, by edge */
	struct area owners;          /* roots by rank, for kinds that roots hold */
	unsigned asked;              /* kinds that are listed, or that rules may match */
	unsigned ruled;              /* those that rules may match */
	struct map verdicts;         /* by what rules see of a block */
	struct root_leak *roots;     /* as lost->roots */
	struct reach listed; /* blocks that roots or lost roots that are listed lead to */
};

/* --- names ----------------------------------------------------------------------------- */

static char *type_name(const struct maker *maker, uint16_t code, uint64_t size,
		       unsigned group_by)
{
	struct str str = { 0 };
	const char *class = natures_class(maker->in->look->natures, code);
	if (group_by == GROUP_BY_SIZE) {
		size_class_put(&str, size);
		str_puts(&str, " block");
	} else if (class) {
		str_printf(&str, "class %s", class);
	} else {
		size_class_put(&str, size);
		str_printf(&str, " block of %s",
			   natures_word(maker->in->look->natures, code));
	}
	return str_take(&str);
}

/* The same for the same code in another run: names, not numbers or addresses. */
static uint64_t type_hash(const struct maker *maker, uint16_t code, uint64_t size)
{
	const char *class = natures_class(maker->in->look->natures, code);
	if (class)
		return hash_bytes(HASH_SEED, class, strlen(class));
	const char *word = natures_word(maker->in->look->natures, code);
	uint64_t class_of_size = size_class_of(size);
	uint64_t hash = hash_bytes(HASH_SEED, word, strlen(word));
	return hash_bytes(hash, &class_of_size, sizeof(class_of_size));
}

/* A module's .bss beyond its file pages is an anonymous mapping; a symbol tells it from
   other mappings. */
static bool is_global(const struct graph_root *root, const struct symbol_name *name)
{
	return root->source == ROOT_GLOBAL ||
	       (root->source == ROOT_MAPPING && name->function);
}

static void print_global(struct str *str, const struct symbol_name *name)
{
	str_printf(str, "global %s", name->module ? name->module : "");
	if (name->function)
		str_printf(str, ":%s", name->function);
	if (name->offset)
		str_printf(str, "+%" PRIu64, name->offset);
}

/* The variable that a root is, if it is one. */
static struct symbol_name root_variable(const struct maker *maker,
					const struct graph_root *root)
{
	struct symbol_name name = places_name(maker->in->places, root->where);
	return is_global(root, &name) ? name : (struct symbol_name){ 0 };
}

static char *root_name(const struct maker *maker, const struct graph_root *root)
{
	static const char *const sources[] = {
		[ROOT_STACK] = "stack",
		[ROOT_REGISTER] = "register",
		[ROOT_MAPPING] = "mapping",
		[ROOT_KERNEL] = "kernel (epoll or timer)",
		[ROOT_ALLOCATOR] = "allocator",
		[ROOT_UNREADABLE] = "unreadable part of the heap",
	};
	struct str str = { 0 };
	struct symbol_name name = places_name(maker->in->places, root->where);
	if (is_global(root, &name))
		print_global(&str, &name);
	else if (root->where)
		str_printf(&str, "%s at 0x%" PRIx64, sources[root->source], root->where);
	else
		str_puts(&str, sources[root->source]);
	return str_take(&str);
}

/* --- groups ---------------------------------------------------------------------------- */

/* The number of the finding of that key, which may be a new one. */
static struct error *find_finding(struct maker *maker, uint64_t key, size_t *number,
				  bool *is_new)
{
	struct leak_finding_vec *findings = &maker->report->findings;
	uint64_t *known = map_at(&maker->numbers, key);
	if (!known)
		return error_no_memory();
	*is_new = *known == 0;
	if (*is_new && (!leak_finding_vec_push(findings, (struct leak_finding){ 0 }) ||
			!group_vec_push(&maker->groups, (struct group){ 0 })))
		return error_no_memory();
	if (*is_new)
		*known = findings->nr;
	*number = *known - 1;
	return NULL;
}

/* One block that is to be listed. */
struct listed {
	enum leak_kind kind;
	uint32_t rank;
	uint16_t code;
	uint64_t address, size;
	uint64_t cause;               /* hash of what the fingerprint is made of */
	const struct call_site *site; /* that allocated it; NULL: not known */
	uint32_t root; /* for GROUP_BY_ROOT: index of what holds it; RANK_NONE */
	uint64_t retained_blocks, retained_bytes;
	bool is_cycle;
	uint32_t holder; /* rank; RANK_NONE: unknown */
};

static uint64_t key_of(const struct maker *maker, const struct listed *block)
{
	uint64_t parts[3] = { block->kind, block->cause,
			      block->site ? block->site->lines : 0 };
	switch (maker->in->options->group_by) {
	case GROUP_BY_TYPE:
		parts[1] = type_hash(maker, block->code, block->size);
		break;
	case GROUP_BY_SIZE:
		parts[1] = size_class_of(block->size);
		break;
	case GROUP_BY_ROOT:
		parts[1] = block->kind == LEAK_DEFINITE ? block->address : block->root;
		break;
	default:
		break;
	}
	return hash_bytes(HASH_SEED, parts, sizeof(parts));
}

static uint64_t fingerprint_of(const struct maker *maker, const struct listed *block,
			       unsigned group_by)
{
	const char *kind = leak_kind_names[block->kind];
	uint64_t hash = hash_bytes(HASH_SEED, kind, strlen(kind));
	uint64_t rest = block->cause;
	if (group_by == GROUP_BY_TYPE)
		rest = type_hash(maker, block->code, block->size);
	else if (group_by == GROUP_BY_SIZE)
		rest = size_class_of(block->size);
	return hash_bytes(hash, &rest, sizeof(rest));
}

static char *holder_name(const struct maker *maker, uint32_t rank)
{
	uint64_t address = 0, size = 0;
	space_block(&maker->in->look->graph.space, rank, &address, &size);
	char *type = type_name(maker, natures_get(maker->in->look->natures, rank), size,
			       GROUP_BY_CAUSE);
	char *name = NULL;
	if (type && asprintf(&name, "lost %s at 0x%" PRIx64, type, address) < 0)
		name = NULL;
	free(type);
	return name;
}

static int by_edge(const void *a, const void *b)
{
	const struct graph_root *left = a, *right = b;
	return left->edge < right->edge ? -1 : left->edge > right->edge;
}

static struct error *sort_stale(struct maker *maker)
{
	const struct graph_root_vec *stale = &maker->in->look->graph.stale;
	for (size_t i = 0; i < stale->nr; i++)
		if (!bitmap_test(maker->in->reach->any.memory,
				 edge_rank(stale->items[i].edge)) &&
		    !graph_root_vec_push(&maker->stale, stale->items[i]))
			return error_no_memory();
	if (maker->stale.nr)
		qsort(maker->stale.items, maker->stale.nr, sizeof(maker->stale.items[0]),
		      by_edge);
	return NULL;
}

/* Where a pointer to the block still stands that nothing uses any more; NULL: nowhere. */
static char *stale_holder_name(const struct maker *maker, uint32_t rank)
{
	size_t low = 0, high = maker->stale.nr;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (edge_rank(maker->stale.items[middle].edge) < rank)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == maker->stale.nr || edge_rank(maker->stale.items[low].edge) != rank)
		return NULL;
	const struct graph_root *stale = &maker->stale.items[low];
	char *name = NULL;
	if (asprintf(&name, "%s (a stale pointer at 0x%" PRIx64 ")",
		     stale->source == STALE_STACK ? "a function that has returned"
						  : "a freed block",
		     stale->where) < 0)
		return NULL;
	return name;
}

static struct error *add_example(struct maker *maker, struct leak_finding *finding,
				 const struct listed *block)
{
	if (finding->examples.nr >= maker->in->options->max_examples)
		return NULL;
	struct leak_example example = { .address = block->address, .size = block->size };
	if (block->holder != RANK_NONE)
		example.last_holder = holder_name(maker, block->holder);
	else if (block->kind == LEAK_DEFINITE)
		example.last_holder = stale_holder_name(maker, block->rank);
	if (leak_example_vec_push(&finding->examples, example))
		return NULL;
	free(example.last_holder);
	return error_no_memory();
}

static struct error *name_finding(struct maker *maker, struct leak_finding *finding,
				  const struct listed *block)
{
	finding->kind = block->kind;
	finding->fingerprint = fingerprint_of(maker, block, maker->in->options->group_by);
	finding->type =
		type_name(maker, block->code, block->size, maker->in->options->group_by);
	if (!finding->type)
		return error_no_memory();
	struct error *error = NULL;
	if (block->site && maker->in->options->group_by == GROUP_BY_CAUSE)
		error = call_sites_tell(maker->in->sites, block->site, &finding->stack);
	if (error)
		return error;
	bool held = block->kind == LEAK_REACHABLE || block->kind == LEAK_POSSIBLE;
	if (maker->in->options->group_by != GROUP_BY_ROOT || !held ||
	    block->root == RANK_NONE)
		return NULL;
	finding->root =
		root_name(maker, &maker->in->look->graph.roots.items[block->root]);
	return finding->root ? NULL : error_no_memory();
}

/* Grouped by what holds or allocated them, blocks of all types come together. */
static struct error *note_type(const struct maker *maker, struct group *group,
			       struct leak_finding *finding, const struct listed *block)
{
	uint64_t type = type_hash(maker, block->code, block->size);
	if (finding->blocks == 1)
		group->type = type;
	if (group->is_mixed || group->type == type ||
	    (maker->in->options->group_by != GROUP_BY_ROOT && !block->site))
		return NULL;
	char *mixed = strdup("blocks of several types");
	if (!mixed)
		return error_no_memory();
	free(finding->type);
	finding->type = mixed;
	group->is_mixed = true;
	return NULL;
}

/* Counts what is new, and notes the block for who compares with this look later. */
static struct error *compare_block(const struct maker *maker, const struct listed *block,
				   struct leak_finding *finding, bool *is_new)
{
	const struct baseline *before = maker->in->before;
	const struct known_block known = {
		.address = block->address,
		.size = block->size,
		.type = type_hash(maker, block->code, block->size),
	};
	*is_new = !before || !baseline_has(before, block->kind, &known);
	if (before && *is_new) {
		finding->new_blocks++;
		finding->new_bytes += block->size;
	}
	return maker->in->now ? baseline_note(maker->in->now, block->kind, &known) : NULL;
}

static struct error *list_block(struct maker *maker, const struct listed *block)
{
	if (!(maker->in->options->kinds & (1u << block->kind)))
		return NULL;
	bool is_first = false, is_new = true;
	size_t number = 0;
	struct error *error =
		find_finding(maker, key_of(maker, block), &number, &is_first);
	if (error)
		return error;
	struct leak_finding *finding = &maker->report->findings.items[number];
	finding->blocks++;
	finding->bytes += block->size;
	finding->retained_blocks += block->retained_blocks;
	finding->retained_bytes += block->retained_bytes;
	finding->cycles += block->is_cycle;
	if (is_first)
		error = name_finding(maker, finding, block);
	if (!error)
		error = note_type(maker, &maker->groups.items[number], finding, block);
	if (!error && (maker->in->before || maker->in->now))
		error = compare_block(maker, block, finding, &is_new);
	return error || !is_new ? error : add_example(maker, finding, block);
}

/* --- suppressed blocks ------------------------------------------------------------------ */

static void count(struct leaks_report *report, enum leak_kind kind, uint64_t size)
{
	report->kinds[kind].blocks++;
	report->kinds[kind].bytes += size;
}

static void count_suppressed(struct maker *maker, struct suppression *rule, uint64_t size)
{
	count(maker->report, LEAK_SUPPRESSED, size);
	if (rule)
		suppression_use(rule, size);
}

static const struct graph_root *root_of(const struct maker *maker,
					const struct listed *block)
{
	bool is_held = block->kind == LEAK_POSSIBLE || block->kind == LEAK_REACHABLE;
	return is_held && block->root != RANK_NONE
		       ? &maker->in->look->graph.roots.items[block->root]
		       : NULL;
}

/* Shows a block to the rules. */
static struct error *ask_rules(struct maker *maker, const struct listed *block,
			       struct suppression **rule)
{
	const struct graph_root *root = root_of(maker, block);
	struct symbol_name variable = { 0 }, class = { 0 };
	if (root)
		variable = root_variable(maker, root);
	uint64_t vtable = natures_vtable(maker->in->look->natures, block->code);
	if (vtable)
		class = places_name(maker->in->places, vtable);
	CLEANUP_FREE char *type =
		type_name(maker, block->code, block->size, GROUP_BY_CAUSE);
	CLEANUP_FREE char *root_text = root ? root_name(maker, root) : NULL;
	if (!type || (root && !root_text))
		return error_no_memory();
	const struct suppression_subject subject = {
		.kind = block->kind,
		.type = type,
		.size = block->size,
		.fingerprints = { fingerprint_of(maker, block, GROUP_BY_CAUSE),
				  fingerprint_of(maker, block, GROUP_BY_TYPE),
				  fingerprint_of(maker, block, GROUP_BY_SIZE) },
		.root = root_text,
		.symbol = variable.function,
		.modules = { class.module, variable.module },
		.calls = block->site ? block->site->calls : NULL,
		.nr_calls = block->site ? block->site->nr : 0,
	};
	*rule = suppressions_match(maker->in->suppressions, &subject);
	return NULL;
}

/* The same for blocks that no rule can tell apart. */
static uint64_t look_of(const struct maker *maker, const struct listed *block)
{
	const uint64_t parts[] = { block->kind,
				   block->code,
				   block->size,
				   block->cause,
				   root_of(maker, block) ? block->root : RANK_NONE,
				   block->site ? block->site->lines : 0 };
	uint64_t look = 0;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		look = hash_mix(look ^ parts[i]);
	return look;
}

/* The rule that suppresses a block, or NULL. Blocks that look alike are shown once. */
static struct error *find_rule(struct maker *maker, const struct listed *block,
			       struct suppression **rule)
{
	struct suppressions *set = maker->in->suppressions;
	*rule = NULL;
	if (!(maker->ruled & (1u << block->kind)))
		return NULL;
	uint64_t *verdict = map_at(&maker->verdicts, look_of(maker, block));
	if (!verdict)
		return error_no_memory();
	if (!*verdict) {
		struct error *error = ask_rules(maker, block, rule);
		if (error)
			return error;
		*verdict =
			*rule ? VERDICT_SUPPRESSED + (uint64_t)(*rule - set->rules.items)
			      : VERDICT_LISTED;
	}
	if (*verdict >= VERDICT_SUPPRESSED)
		*rule = &set->rules.items[*verdict - VERDICT_SUPPRESSED];
	return NULL;
}

static struct error *list_unless(struct maker *maker, const struct listed *block,
				 struct suppression *rule)
{
	if (rule) {
		count_suppressed(maker, rule, block->size);
		return NULL;
	}
	count(maker->report, block->kind, block->size);
	return list_block(maker, block);
}

/* --- lost blocks ----------------------------------------------------------------------- */

/* Members of each root's tree, as (root, hash of its type) pairs in ascending order. */
struct member {
	uint32_t root;
	uint64_t hash;
};
DEFINE_VEC(member_vec, struct member);

static int by_root_and_hash(const void *a, const void *b)
{
	const struct member *left = a, *right = b;
	if (left->root != right->root)
		return left->root < right->root ? -1 : 1;
	return left->hash < right->hash ? -1 : left->hash > right->hash;
}

/* The shape of the tree that hangs on each lost root: the set of kinds of its members, so
   that two lists of different length have the same cause. */
static struct error *hash_shapes(const struct maker *maker)
{
	const struct lost *lost = maker->in->lost;
	const uint32_t *ranks = lost->ranks.memory, *owners = lost->owners.memory;
	const uint64_t *sizes = lost->sizes.memory;
	struct member_vec members = { 0 };
	for (uint32_t i = 0; i < lost->nr; i++) {
		if (owners[i] == LOST_SHARED ||
		    lost->roots.items[owners[i]].leader == ranks[i])
			continue;
		struct member member = {
			.root = owners[i],
			.hash = type_hash(maker,
					  natures_get(maker->in->look->natures, ranks[i]),
					  sizes[i]),
		};
		if (!member_vec_push(&members, member)) {
			member_vec_deinit(&members);
			return error_no_memory();
		}
	}
	if (members.nr)
		qsort(members.items, members.nr, sizeof(members.items[0]),
		      by_root_and_hash);
	unsigned distinct = 0;
	for (size_t i = 0; i < members.nr; i++) {
		const struct member *member = &members.items[i];
		bool same_root = i > 0 && member[-1].root == member->root;
		distinct = same_root ? distinct : 0;
		if ((same_root && member[-1].hash == member->hash) ||
		    distinct == SHAPE_MAX)
			continue;
		distinct++;
		uint64_t *shape = &maker->roots[member->root].shape;
		*shape = hash_bytes(*shape, &member->hash, sizeof(member->hash));
	}
	member_vec_deinit(&members);
	return NULL;
}

/* The root leak that a block stands for; NULL: it hangs on one, or on several. */
static const struct lost_root *led_by(const struct lost *lost, uint32_t i)
{
	uint32_t owner = ((const uint32_t *)lost->owners.memory)[i];
	uint32_t rank = ((const uint32_t *)lost->ranks.memory)[i];
	if (owner == LOST_SHARED || lost->roots.items[owner].leader != rank)
		return NULL;
	return &lost->roots.items[owner];
}

/* What one call stack allocated has one cause, whatever it is and whatever hangs on it. */
static struct error *find_site(const struct maker *maker, struct listed *block)
{
	if (!maker->in->sites)
		return NULL;
	struct error *error =
		call_sites_of_block(maker->in->sites, block->address, &block->site);
	if (block->site)
		block->cause = block->site->functions;
	return error;
}

/* A lost block as it would be listed. */
static struct error *describe_lost(const struct maker *maker, uint32_t i,
				   struct listed *result)
{
	const struct lost *lost = maker->in->lost;
	const struct lost_root *leads = led_by(lost, i);
	uint32_t rank = ((const uint32_t *)lost->ranks.memory)[i];
	uint32_t owner = ((const uint32_t *)lost->owners.memory)[i];
	uint64_t size = ((const uint64_t *)lost->sizes.memory)[i];
	uint16_t code = natures_get(maker->in->look->natures, rank);
	struct listed block = {
		.kind = leads ? LEAK_DEFINITE : LEAK_INDIRECT,
		.rank = rank,
		.code = code,
		.size = size,
		.cause = type_hash(maker, code, size),
		.root = owner,
		.retained_blocks = leads ? leads->blocks : 1,
		.retained_bytes = leads ? leads->bytes : size,
		.is_cycle = leads && leads->members > 1,
		.holder = ((const uint32_t *)lost->holders.memory)[i],
	};
	if (leads)
		block.cause = hash_bytes(block.cause, &maker->roots[owner].shape,
					 sizeof(maker->roots[owner].shape));
	uint64_t ignored = 0;
	space_block(&maker->in->look->graph.space, rank, &block.address, &ignored);
	*result = block;
	return find_site(maker, result);
}

/* What root leaks that are not suppressed lead to is not either. */
static struct error *mark_listed(struct maker *maker)
{
	const struct lost *lost = maker->in->lost;
	const struct graph *graph = &maker->in->look->graph;
	size_t bytes = (bitmap_words(graph->nr_blocks) + 1) * 8;
	CLEANUP_FREE uint32_t *leaders = calloc(lost->roots.nr + 1, sizeof(*leaders));
	uint64_t nr = 0;
	if (!leaders || !area_reserve(&maker->listed.any, bytes))
		return error_no_memory();
	memcpy(maker->listed.any.memory, maker->in->reach->any.memory, bytes);
	for (size_t i = 0; i < lost->roots.nr; i++)
		if (!maker->roots[i].rule)
			leaders[nr++] = lost->roots.items[i].leader;
	return reach_add(graph, &maker->listed, leaders, nr);
}

/* Rules are asked once per root leak; what hangs on it goes with it. */
static struct error *suppress_roots(struct maker *maker)
{
	const struct lost *lost = maker->in->lost;
	const uint32_t *owners = lost->owners.memory;
	bool any = false;
	if (!(maker->ruled & (1u << LEAK_DEFINITE)))
		return NULL;
	for (uint32_t i = 0; i < lost->nr; i++) {
		if (!led_by(lost, i))
			continue;
		struct listed block;
		struct error *error = describe_lost(maker, i, &block);
		if (!error)
			error = find_rule(maker, &block, &maker->roots[owners[i]].rule);
		if (error)
			return error;
		any = any || maker->roots[owners[i]].rule;
	}
	return any ? mark_listed(maker) : NULL;
}

/* Whether all root leaks that lead to a lost block are suppressed. */
static bool is_suppressed(const struct maker *maker, uint32_t rank)
{
	return maker->listed.any.memory && !bitmap_test(maker->listed.any.memory, rank);
}

static struct error *list_lost_block(struct maker *maker, uint32_t i)
{
	const struct lost *lost = maker->in->lost;
	uint32_t owner = ((const uint32_t *)lost->owners.memory)[i];
	uint64_t size = ((const uint64_t *)lost->sizes.memory)[i];
	struct suppression *rule = owner == LOST_SHARED ? NULL : maker->roots[owner].rule;
	if (is_suppressed(maker, ((const uint32_t *)lost->ranks.memory)[i])) {
		count_suppressed(maker, rule, size);
		return NULL;
	}
	enum leak_kind kind = led_by(lost, i) ? LEAK_DEFINITE : LEAK_INDIRECT;
	if (!(maker->asked & (1u << kind))) {
		count(maker->report, kind, size);
		return NULL;
	}
	struct listed block;
	struct error *error = describe_lost(maker, i, &block);
	if (!error && kind == LEAK_INDIRECT)
		error = find_rule(maker, &block, &rule);
	return error ? error : list_unless(maker, &block, rule);
}

static struct error *list_lost(struct maker *maker)
{
	const struct lost *lost = maker->in->lost;
	maker->roots = calloc(lost->roots.nr + 1, sizeof(*maker->roots));
	if (!maker->roots)
		return error_no_memory();
	struct error *error = hash_shapes(maker);
	if (!error)
		error = suppress_roots(maker);
	for (uint32_t i = 0; !error && i < lost->nr; i++)
		error = list_lost_block(maker, i);
	return error;
}

/* --- blocks that roots hold ------------------------------------------------------------ */

struct held_lister {
	struct maker *maker;
	struct error *error;
};

static enum leak_kind held_kind(const struct maker *maker, uint32_t rank)
{
	return bitmap_test(reach_sure(maker->in->reach), rank) ? LEAK_REACHABLE
							       : LEAK_POSSIBLE;
}

static void list_held_block(void *context, uint32_t rank, uint64_t address, uint64_t size)
{
	struct held_lister *lister = context;
	struct maker *maker = lister->maker;
	if (lister->error || !bitmap_test(maker->in->reach->any.memory, rank))
		return;
	enum leak_kind kind = held_kind(maker, rank);
	if (!(maker->asked & (1u << kind))) {
		count(maker->report, kind, size);
		return;
	}
	uint16_t code = natures_get(maker->in->look->natures, rank);
	const uint32_t *owners = maker->owners.memory;
	struct listed block = {
		.kind = kind,
		.rank = rank,
		.code = code,
		.address = address,
		.size = size,
		.cause = type_hash(maker, code, size),
		.root = owners ? owners[rank] : RANK_NONE,
		.retained_blocks = 1,
		.retained_bytes = size,
		.holder = RANK_NONE,
	};
	struct suppression *rule = NULL;
	lister->error = find_site(maker, &block);
	if (!lister->error)
		lister->error = find_rule(maker, &block, &rule);
	if (!lister->error)
		lister->error = list_unless(maker, &block, rule);
}

/* When nothing of them is listed, the held blocks are all that are not lost. */
static bool is_enough_to_subtract(const struct maker *maker)
{
	unsigned held = 1u << LEAK_REACHABLE | 1u << LEAK_POSSIBLE;
	return reach_sure(maker->in->reach) == maker->in->reach->any.memory &&
	       !(maker->asked & held & ~(1u << LEAK_POSSIBLE));
}

static void subtract_lost(struct maker *maker)
{
	struct leak_count held = {
		.blocks = maker->in->look->totals.used_blocks,
		.bytes = maker->in->look->totals.used_bytes,
	};
	const uint64_t *sizes = maker->in->lost->sizes.memory;
	held.blocks -= maker->in->lost->nr;
	for (uint32_t i = 0; i < maker->in->lost->nr; i++)
		held.bytes -= sizes[i];
	maker->report->kinds[LEAK_REACHABLE] = held;
}

static struct error *list_held(struct maker *maker)
{
	if (is_enough_to_subtract(maker)) {
		subtract_lost(maker);
		return NULL;
	}
	unsigned held = 1u << LEAK_REACHABLE | 1u << LEAK_POSSIBLE;
	bool by_root = (maker->in->options->group_by == GROUP_BY_ROOT &&
			(maker->in->options->kinds & held)) ||
		       suppressions_held_kinds(maker->in->suppressions);
	struct error *error =
		by_root ? reach_attribute(&maker->in->look->graph, &maker->owners) : NULL;
	struct held_lister lister = { .maker = maker, .error = error };
	if (!error)
		space_each(&maker->in->look->graph.space, list_held_block, &lister);
	return lister.error;
}

/* --- order ----------------------------------------------------------------------------- */

static int worst_first(const void *a, const void *b)
{
	const struct leak_finding *left = a, *right = b;
	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	if (left->retained_bytes != right->retained_bytes)
		return left->retained_bytes > right->retained_bytes ? -1 : 1;
	if (left->blocks != right->blocks)
		return left->blocks > right->blocks ? -1 : 1;
	return left->fingerprint < right->fingerprint   ? -1
	       : left->fingerprint > right->fingerprint ? 1
							: 0;
}

static void sort_findings(struct leak_finding_vec *findings)
{
	if (findings->nr)
		qsort(findings->items, findings->nr, sizeof(findings->items[0]),
		      worst_first);
}

static void keep_kinds(struct leak_finding_vec *findings, unsigned kinds)
{
	size_t kept = 0;
	for (size_t i = 0; i < findings->nr; i++)
		if (kinds & (1u << findings->items[i].kind))
			findings->items[kept++] = findings->items[i];
		else
			leak_finding_deinit(&findings->items[i]);
	findings->nr = kept;
}

void findings_cut(struct leaks_report *report, unsigned kinds, unsigned max)
{
	struct leak_finding_vec *findings = &report->findings;
	keep_kinds(findings, kinds);
	sort_findings(findings);
	if (report->diff) {
		keep_kinds(&report->diff->gone, kinds);
		sort_findings(&report->diff->gone);
	}
	if (!max || findings->nr <= max)
		return;
	report->findings_left_out = findings->nr - max;
	while (findings->nr > max)
		leak_finding_deinit(&findings->items[--findings->nr]);
}

struct error *findings_make(const struct findings_input *input,
			    struct leaks_report *report)
{
	struct maker maker = { .in = input, .report = report };
	maker.ruled = suppressions_kinds(input->suppressions);
	maker.asked = maker.ruled | input->options->kinds;
	struct error *error = sort_stale(&maker);
	if (!error)
		error = list_lost(&maker);
	if (!error)
		error = list_held(&maker);
	if (!error)
		error = suppressions_tell(input->suppressions, &report->suppressions);
	map_deinit(&maker.numbers);
	map_deinit(&maker.verdicts);
	group_vec_deinit(&maker.groups);
	free(maker.roots);
	reach_deinit(&maker.listed);
	graph_root_vec_deinit(&maker.stale);
	area_release(&maker.owners);
	return error;
}
