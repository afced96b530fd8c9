/*
 * allocated_type: see allocated_type.h.
 *
 * To add a function: a row in `rules`, if it allocates, or in `askers`, if it asks an allocator. It
 * must not run code of the type that it allocates for, unless its row has a file that such code is
 * not in.
 */
#include "traces/allocated_type.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "base/vec.h"

/* --- names --------------------------------------------------------------------------- */

/* A piece of a name. */
struct piece {
	const char *text;
	size_t length;
};

/* "operator<", "operator->": what follows is no bracket. */
static size_t operator_length(const char *name, const char *at)
{
	static const char word[] = "operator";
	size_t length = strlen(word);
	bool is_word = at == name || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
	if (!is_word || strncmp(at, word, length))
		return 0;
	size_t sign = strspn(at + length, "<>=-!+*/%^&|~,");
	if (!strncmp(at + length, "()", 2) || !strncmp(at + length, "[]", 2))
		sign = 2;
	return sign ? length + sign : 0;
}

/*
 * From within a name to where its brackets are closed and one of `ends` stands, or the name
 * ends: as in "std::vector<int>::push_back". NULL: brackets do not match.
 */
static const char *skip(const char *name, const char *from, const char *ends)
{
	char open[128];
	size_t depth = 0;
	for (const char *at = from; *at; at++) {
		size_t length = operator_length(name, at);
		if (length) {
			at += length - 1;
			continue;
		}
		if (!depth && strchr(ends, *at))
			return at;
		if (strchr("<([{", *at)) {
			if (depth == sizeof(open))
				return NULL;
			open[depth++] = *at;
		} else if (*at == '>' && at[-1] == '-') {
			continue;
		} else if (strchr(">)]}", *at)) {
			const char *pair = strchr("<>()[]{}", *at);
			if (!depth || open[--depth] != pair[-1])
				return NULL;
		}
	}
	return depth ? NULL : from + strlen(from);
}

/* The first of the template arguments that begin here; *rest is behind it: "," or ">…". */
static bool take_argument(const char *name, const char *from, struct piece *argument,
			  const char **rest)
{
	const char *end = skip(name, from, ",>");
	if (!end || !*end || end == from)
		return false;
	*argument = (struct piece){ from, (size_t)(end - from) };
	while (argument->length && from[argument->length - 1] == ' ')
		argument->length--;
	*rest = end;
	return true;
}

/* Behind the bracket that closes the template arguments. */
static const char *skip_arguments(const char *name, const char *rest)
{
	while (rest && *rest == ',')
		rest = skip(name, rest + 1, ",>");
	return rest && *rest == '>' ? rest + 1 : NULL;
}

/* Where in a name something begins, which may have a return type before it. */
static const char *find_start(const char *name, const char *start)
{
	const char *at = name;
	while (at && *at) {
		if (!strncmp(at, start, strlen(start)))
			return at;
		at = skip(name, at, " (");
		if (!at || *at != ' ')
			return NULL;
		at++;
	}
	return NULL;
}

/* The first template argument behind a start, and what follows all of them. */
static bool take_arguments(const char *name, const char *start, struct piece *argument,
			   const char **rest)
{
	const char *from = find_start(name, start);
	if (!from || !take_argument(name, from + strlen(start), argument, rest))
		return false;
	*rest = skip_arguments(name, *rest);
	if (*rest)
		*rest += strspn(*rest, " ");
	return *rest;
}

static bool begins(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* --- functions that allocate ---------------------------------------------------------- */

enum shape {
	ALLOCATOR,
	STRING, /* a row of characters */
	SINGLE, /* one, or as the type says itself: "order[]" */
	COUNTS, /* what counts shared pointers to the type */
};

static const struct rule {
	const char *start; /* up to where the template argument with the type begins */
	const char
		*rest; /* what follows the arguments begins so; NULL: a method, not of a
			      template */
	enum shape shape;
	const char *file; /* the base name of the line's file; NULL: any */
} rules[] = {
	{ "std::__new_allocator<", "::allocate", ALLOCATOR, NULL },
	{ "__gnu_cxx::new_allocator<", "::allocate", ALLOCATOR, NULL },
	{ "std::allocator<", "::allocate", ALLOCATOR, NULL },
	{ "std::allocator_traits<std::allocator<", ">::allocate", ALLOCATOR, NULL },
	/* A string allocates nothing else; of its templates, those without others' code. */
	{ "std::__cxx11::basic_string<", NULL, STRING, NULL },
	{ "std::__cxx11::basic_string<", "::_M_construct<char const*>(", STRING, NULL },
	{ "std::__cxx11::basic_string<", "::_M_construct<char*>(", STRING, NULL },
	{ "std::__cxx11::basic_string<", "::_M_construct<wchar_t const*>(", STRING,
	  NULL },
	{ "std::__cxx11::basic_string<", "::_M_construct<wchar_t*>(", STRING, NULL },
	{ "std::__cxx11::basic_string<", "::basic_string<std::allocator<", STRING, NULL },
	{ "std::make_unique<", "", SINGLE, "unique_ptr.h" },
	{ "std::make_unique_for_overwrite<", "", SINGLE, "unique_ptr.h" },
	{ "std::__shared_count<", "::__shared_count<", COUNTS, NULL },
};

static bool is_in_file(const struct rule *rule, const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	return !rule->file || (file && !strcmp(slash ? slash + 1 : file, rule->file));
}

/* "::reserve(unsigned long)" or without its parameters, but not "::reserve<char>(…" */
static bool is_plain_method(const char *rest)
{
	const char *end = begins(rest, "::") ? rest + strcspn(rest, "<(") : "<";
	return *end == '(' || !*end;
}

static void put_string(struct str *type, struct piece piece)
{
	str_append(type, piece.text, piece.length);
	str_puts(type, "[] of std::basic_string");
}

/* "order []" is "order[]". */
static void put_single(struct str *type, struct piece piece)
{
	static const char row[] = " []";
	size_t tail = strlen(row);
	bool is_row = piece.length > tail &&
		      !memcmp(piece.text + piece.length - tail, row, tail);
	str_append(type, piece.text, piece.length - (is_row ? tail : 0));
	str_puts(type, is_row ? "[]" : "");
}

/* __shared_count<LOCK>::__shared_count<TYPE*>(TYPE*, …) makes nothing but the block that counts
   the references. Its other constructors make more. */
static bool put_counts(struct str *type, const char *name, const char *rest,
		       struct piece lock)
{
	struct piece pointer;
	const char *method = strchr(rest, '<') + 1, *end;
	if (!take_argument(name, method, &pointer, &end) || *end != '>' ||
	    pointer.text[pointer.length - 1] != '*' || end[1] != '(' ||
	    strncmp(end + 2, pointer.text, pointer.length))
		return false;
	str_puts(type, "std::_Sp_counted_ptr<");
	str_append(type, pointer.text, pointer.length);
	str_puts(type, ", ");
	str_append(type, lock.text, lock.length);
	str_puts(type, ">");
	return true;
}

static bool put_type(enum shape shape, struct str *type, const char *name,
		     const char *rest, struct piece piece)
{
	if (shape == COUNTS)
		return put_counts(type, name, rest, piece);
	if (shape == STRING)
		put_string(type, piece);
	else
		put_single(type, piece);
	return true;
}

static bool apply(const struct rule *rule, const char *name, const char *file,
		  struct str *type)
{
	struct piece piece;
	const char *rest;
	if (!is_in_file(rule, file) || !take_arguments(name, rule->start, &piece, &rest))
		return false;
	/* Strings of another allocator may do anything. */
	const char *own = rule->shape == STRING ? strstr(name, "std::allocator<") : name;
	if (!own || own > rest)
		return false;
	bool fits = rule->rest ? begins(rest, rule->rest) : is_plain_method(rest);
	return fits && put_type(rule->shape, type, name, rest, piece);
}

enum allocated_type allocated_type_of(const char *function, const char *file,
				      struct str *type)
{
	for (size_t i = 0; function && i < ARRAY_SIZE(rules); i++)
		if (apply(&rules[i], function, file, type))
			return rules[i].shape == ALLOCATOR ? ALLOCATED_TYPE_ALLOCATOR
							   : ALLOCATED_TYPE_KNOWN;
	return ALLOCATED_TYPE_UNKNOWN;
}

/* --- functions that ask an allocator --------------------------------------------------- */

/* What a function asks for: a template argument of its own between `before` and `after`. */
static const struct asker {
	const char *start; /* up to where the argument begins */
	const char *rest;  /* what follows the arguments begins so; NULL: anything */
	const char *before, *after;
	const char *purpose; /* is appended; NULL: it asks for one at a time */
} askers[] = {
	{ "std::_Vector_base<", NULL, "", "", "[] of std::vector" },
	{ "std::vector<", NULL, "", "", "[] of std::vector" },
	{ "std::_Deque_base<", "::_M_allocate_map", "", "*", "[] of std::deque" },
	{ "std::_Deque_base<", "::_M_allocate_node", "", "", "[] of std::deque" },
	{ "std::__cxx11::basic_string<", NULL, "", "", "[] of std::basic_string" },
	{ "std::__cxx11::_List_base<", NULL, "std::_List_node<", ">", NULL },
	{ "std::_Fwd_list_base<", NULL, "std::_Fwd_list_node<", ">", NULL },
	{ "std::__detail::_Hashtable_alloc<std::allocator<", ">::_M_allocate_node", "",
	  "", NULL },
	{ "std::__allocate_guarded<std::allocator<", NULL, "", "", NULL },
};

/* These ask for what is none of their first arguments. */
static const struct asker fixed_askers[] = {
	{ "std::_Bvector_base<", NULL, "unsigned long", "", "[] of std::vector<bool>" },
	{ "std::__detail::_Hashtable_alloc<", "::_M_allocate_buckets",
	  "std::__detail::_Hash_node_base*", "", "[]" },
};

/* Compilers and demanglers do not agree on spaces. */
static const char *skip_spaces(const char *at)
{
	return at + strspn(at, " ");
}

/* Behind a part that both have; NULL if they differ. */
static const char *match(const char *text, const char *part, size_t length)
{
	for (const char *end = part + length; text && part < end; part++)
		if (*part != ' ') {
			text = skip_spaces(text);
			text = *text == *part ? text + 1 : NULL;
		}
	return text;
}

static bool is_type(const char *type, const struct asker *asker, struct piece argument)
{
	const char *rest = match(type, asker->before, strlen(asker->before));
	if (rest)
		rest = match(rest, argument.text, argument.length);
	if (rest)
		rest = match(rest, asker->after, strlen(asker->after));
	return rest && !*skip_spaces(rest);
}

static bool has_rest(const struct asker *asker, const char *rest)
{
	return !asker->rest || begins(rest, asker->rest);
}

/* A tree's nodes are of its second argument. */
static bool is_node_of_tree(const char *name, const char *type)
{
	static const struct asker tree = { "std::_Rb_tree<", NULL, "std::_Rb_tree_node<",
					   ">", NULL };
	struct piece key, value;
	const char *start = find_start(name, tree.start), *rest;
	return start && take_argument(name, start + strlen(tree.start), &key, &rest) &&
	       *rest == ',' &&
	       take_argument(name, skip_spaces(rest + 1), &value, &rest) &&
	       is_type(type, &tree, value);
}

bool allocated_type_agrees(const char *function, struct str *type)
{
	struct piece argument;
	const char *rest, *name = function ? function : "";
	const struct piece none = { "", 0 };
	const struct asker *found = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(askers) && !found; i++)
		if (take_arguments(name, askers[i].start, &argument, &rest) &&
		    has_rest(&askers[i], rest) &&
		    is_type(str_text(type), &askers[i], argument))
			found = &askers[i];
	for (size_t i = 0; i < ARRAY_SIZE(fixed_askers) && !found; i++)
		if (take_arguments(name, fixed_askers[i].start, &argument, &rest) &&
		    has_rest(&fixed_askers[i], rest) &&
		    is_type(str_text(type), &fixed_askers[i], none))
			found = &fixed_askers[i];
	if (found && found->purpose)
		str_puts(type, found->purpose);
	return found || is_node_of_tree(name, str_text(type));
}
