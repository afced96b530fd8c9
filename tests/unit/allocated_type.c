/* Tests of analyse/allocated_type: names as demanglers and debug information have them. */
#include "traces/allocated_type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/vec.h"

static void assert_type(const char *function, const char *file,
			enum allocated_type verdict, const char *expected)
{
	struct str type = { 0 };
	assert_int_equal(allocated_type_of(function, file, &type), verdict);
	assert_string_equal(str_text(&type), expected);
	str_deinit(&type);
}

#define STRING                                                                           \
	"std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >"

static void allocators_have_their_type(void **state)
{
	static const char *const names[][2] = {
		{ "std::__new_allocator<int>::allocate(unsigned long, void const*)",
		  "int" },
		{ "__gnu_cxx::new_allocator<std::pair<int const, long> >::allocate(unsigned "
		  "long, void const*)",
		  "std::pair<int const, long>" },
		{ "std::allocator_traits<std::allocator<book*> >::allocate(std::allocator<book*"
		  ">&, unsigned long)",
		  "book*" },
		{ "std::__new_allocator<(anonymous namespace)::book>::allocate",
		  "(anonymous namespace)::book" },
		{ "std::__new_allocator<shelf<(order)2, &(shop::operator<)> >::allocate(int)",
		  "shelf<(order)2, &(shop::operator<)>" },
		{ "std::__new_allocator<decltype (x->y)>::allocate(int)",
		  "decltype (x->y)" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_type(names[i][0], NULL, ALLOCATED_TYPE_ALLOCATOR, names[i][1]);
}

static void others_have_theirs(void **state)
{
	static const char *const names[][2] = {
		{ STRING "::_M_create(unsigned long&, unsigned long)",
		  "char[] of std::basic_string" },
		{ "void " STRING "::_M_construct<char const*>(char const*, char const*, "
		  "std::forward_iterator_tag)",
		  "char[] of std::basic_string" },
		{ "std::__detail::_MakeUniq<book>::__single_object std::make_unique<book, "
		  "int>(int&&)",
		  "book" },
		{ "std::__detail::_MakeUniq<book []>::__array std::make_unique<book []>(unsigned "
		  "long)",
		  "book[]" },
		{ "std::make_unique<(anonymous namespace)::book>",
		  "(anonymous namespace)::book" },
		{ "std::__shared_count<(__gnu_cxx::_Lock_policy)2>::__shared_count<book*>(book*"
		  ")",
		  "std::_Sp_counted_ptr<book*, (__gnu_cxx::_Lock_policy)2>" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_type(names[i][0], "/usr/include/c++/12/bits/unique_ptr.h",
			    ALLOCATED_TYPE_KNOWN, names[i][1]);
}

static void most_have_none(void **state)
{
	static const char *const names[] = {
		NULL,
		"",
		"main",
		"operator new(unsigned long)",
		"shop::std::allocator<int>::allocate(unsigned long)",
		"std::allocator<int>::deallocate(int*, unsigned long)",
		"std::allocator<int",
		"std::allocator<>::allocate",
		"std::allocator<int)>::allocate",
		"std::allocator<int>>::allocate",
		"std::allocator<operator<>::allocate",
		"std::allocator_traits<careful<int> >::allocate(careful<int>&, unsigned long)",
		"std::vector<int, std::allocator<int> >::_M_realloc_insert<int>(int)",
		"std::__cxx11::basic_string<char, std::char_traits<char>, careful<char> >"
		"::_M_create(unsigned long&, unsigned long)",
		"void " STRING "::_M_construct<shelf::iterator>(shelf::iterator, "
		"shelf::iterator, std::input_iterator_tag)",
		"std::__shared_count<(__gnu_cxx::_Lock_policy)2>::__shared_count<book, "
		"std::allocator<void>>(book*&, std::_Sp_alloc_shared_tag<std::allocator<void> >"
		")",
		"std::__shared_count<(__gnu_cxx::_Lock_policy)2>::__shared_count<book>(std::"
		"auto_ptr<book>&&)",
		"f(std::make_unique<int>())",
		"alloc::boxed::Box<T>::new",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_type(names[i], "unique_ptr.h", ALLOCATED_TYPE_UNKNOWN, "");
	/* What is written elsewhere may be a constructor's. */
	assert_type("std::make_unique<book>()", NULL, ALLOCATED_TYPE_UNKNOWN, "");
	assert_type("std::make_unique<book>()", "/src/book.h", ALLOCATED_TYPE_UNKNOWN,
		    "");
}

static void assert_agrees(const char *function, const char *type, const char *expected)
{
	struct str text = { 0 };
	str_puts(&text, type);
	assert_int_equal(allocated_type_agrees(function, &text), expected != NULL);
	assert_string_equal(str_text(&text), expected ? expected : type);
	str_deinit(&text);
}

static void callers_agree_or_not(void **state)
{
	const char *vector =
		"std::_Vector_base<book, std::allocator<book> >::_M_allocate("
		"unsigned long)";
	const char *map =
		"std::_Deque_base<book, std::allocator<book> >::_M_allocate_map("
		"unsigned long)";
	const char *tree =
		"std::_Rb_tree<int, std::pair<int const, f<long> >, std::_Select1st<"
		"int> >::_M_get_node()";
	const char *buckets =
		"std::__detail::_Hashtable_alloc<std::allocator<std::__detail::"
		"_Hash_node<int, false> > >::_M_allocate_buckets(unsigned long)";
	(void)state;
	assert_agrees(vector, "book", "book[] of std::vector");
	assert_agrees(vector, "books", NULL);
	assert_agrees(vector, "boo", NULL);
	assert_agrees(vector, "std::_List_node<book>", NULL);
	assert_agrees(map, "book*", "book*[] of std::deque");
	assert_agrees(map, "book", NULL);
	assert_agrees(tree, "std::_Rb_tree_node<std::pair<int const, f<long> > >",
		      "std::_Rb_tree_node<std::pair<int const, f<long> > >");
	assert_agrees(tree, "std::_Rb_tree_node<std::pair<int const, f<long>>>",
		      "std::_Rb_tree_node<std::pair<int const, f<long>>>");
	assert_agrees(tree, "std::_Rb_tree_node<int>", NULL);
	assert_agrees(buckets, "std::__detail::_Hash_node_base*",
		      "std::__detail::_Hash_node_base*[]");
	assert_agrees(buckets, "std::__detail::_Hash_node<int, false>", NULL);
	assert_agrees("shop::allocate(unsigned long)", "book", NULL);
	assert_agrees(NULL, "book", NULL);
	assert_agrees("std::_Vector_base<", "", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocators_have_their_type),
		cmocka_unit_test(others_have_theirs),
		cmocka_unit_test(most_have_none),
		cmocka_unit_test(callers_agree_or_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
