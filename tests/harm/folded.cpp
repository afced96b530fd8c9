/*
 * A program to record, of types whose functions have the same code, so that a compiler or linker may
 * make one of two. It writes the lines that typed.cpp does: nothing else may be told. With LOCAL the
 * types and their functions are this file's own.
 */
#include <cstdio>
#include <list>
#include <memory>
#include <vector>

#ifdef LOCAL
#define SCOPE "(anonymous namespace)::"
namespace
{
#else
#define SCOPE
#endif

struct left {
	int numbers[9];
};
struct right {
	int others[9];
};

#ifdef LOCAL
} // namespace
#endif

static void use(const void *pointer)
{
	asm volatile("" : : "r"(pointer) : "memory");
}

/* Room for one, two, four and so on. */
template <typename T> __attribute__((noinline)) void fill(std::vector<T> &vector, int nr)
{
	for (int i = 0; i < nr; i++)
		vector.push_back(T());
}

template <typename T> __attribute__((noinline)) void fill(std::list<T> &list, int nr)
{
	for (int i = 0; i < nr; i++)
		list.push_back(T());
}

template <typename T> __attribute__((noinline)) void make(int nr)
{
	for (int i = 0; i < nr; i++)
		use(std::make_unique<T>().get());
}

static void tell(const char *type, int nr, size_t bytes)
{
	printf("%s\t%d\t%zu\n", type, nr, bytes);
}

int main()
{
	std::vector<left *> left_pointers;
	std::vector<right *> right_pointers;
	std::vector<left> left_row;
	std::vector<right> right_row;
	std::list<left> left_list;
	std::list<right> right_list;
	fill(left_pointers, 4);
	fill(right_pointers, 16);
	fill(left_row, 4);
	fill(right_row, 16);
	fill(left_list, 3);
	fill(right_list, 5);
	make<left>(2);
	make<right>(4);
	tell(SCOPE "left*[] of std::vector", 3, 7 * sizeof(void *));
	tell(SCOPE "right*[] of std::vector", 5, 31 * sizeof(void *));
	tell(SCOPE "left[] of std::vector", 3, 7 * sizeof(left));
	tell(SCOPE "right[] of std::vector", 5, 31 * sizeof(right));
	tell("std::_List_node<" SCOPE "left>", 3, 3 * sizeof(std::_List_node<left>));
	tell("std::_List_node<" SCOPE "right>", 5, 5 * sizeof(std::_List_node<right>));
	tell(SCOPE "left", 2, 2 * sizeof(left));
	tell(SCOPE "right", 4, 4 * sizeof(right));
	return 0;
}
