/*
 * demangle: symbols_demangle() on libiberty, kept bounded for names made to hurt.
 *
 * libiberty limits its recursion, but not its output: substitutions and back references
 * let a hundred bytes stand for gigabytes. Its callback interface has no way to stop, and
 * so the callback leaves with longjmp once the text is longer than any name deserves.
 * That loses no memory: the C++ demangler keeps all on the stack. The Rust one has on the
 * heap only an identifier decoded from punycode, which is never pure ASCII; it is left
 * alone until it hands out a piece that is.
 */
#include "sym/symbols.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#include "base/str.h"

#define MANGLED_CEILING   ((size_t)64 << 10)
#define DEMANGLED_CEILING ((size_t)256 << 10)

struct demangler {
	int (*run)(const char *name, int options, demangle_callbackref take, void *sink);
	bool holds_non_ascii_pieces;
};

/* Legacy Rust names are well-formed C++ names too, so Rust comes first. */
static const struct demangler demanglers[] = {
	{ .run = rust_demangle_callback, .holds_non_ascii_pieces = true },
	{ .run = cplus_demangle_v3_callback, .holds_non_ascii_pieces = false },
};

struct sink {
	struct str text;
	const struct demangler *demangler;
	jmp_buf too_long;
};

static bool is_ascii(const char *piece, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)piece[i] >= 0x80)
			return false;
	}
	return true;
}

static void take_piece(const char *piece, size_t length, void *opaque)
{
	struct sink *sink = opaque;
	if (!length)
		return; /* its piece may be NULL then */
	bool fits = !sink->text.failed && length <= DEMANGLED_CEILING - sink->text.length;
	if (fits)
		str_append(&sink->text, piece, length);
	else if (!sink->demangler->holds_non_ascii_pieces || is_ascii(piece, length))
		longjmp(sink->too_long, 1);
}

/* What longjmp may clobber lives in the caller: the sink. */
static bool demangle_with(struct sink *sink, const char *name)
{
	if (setjmp(sink->too_long))
		return false;
	return sink->demangler->run(name, DMGL_PARAMS | DMGL_ANSI, take_piece, sink);
}

char *symbols_demangle(const char *name)
{
	if (strnlen(name, MANGLED_CEILING + 1) > MANGLED_CEILING)
		return strdup(name);
	for (size_t i = 0; i < ARRAY_SIZE(demanglers); i++) {
		struct sink sink = { .demangler = &demanglers[i] };
		if (demangle_with(&sink, name) && sink.text.length && !sink.text.failed)
			return str_take(&sink.text);
		str_deinit(&sink.text);
	}
	return strdup(name);
}
