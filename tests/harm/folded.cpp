/*
 * A program to record, of types whose functions have the same code, so that a compiler or linker may
 * make one of two. It writes the lines that typed.cpp does: nothing else may be told.
 */
#include <cstdio>
#include <list>
#include <memory>
#include <vector>

struct left {
	int numbers[9];
};
struct right {
	int others[9];
};

namespace
{
struct hidden_left {
	int numbers[9];
};
struct hidden_right {
	int others[9];
};
} // namespace

static void use(const void *pointer)
{
	asm volatile("" : : "r"(pointer) : "memory");
}

/* By ones, twos and fours. */
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

/* A vector of so many, a power of two, that was filled one by one. */
static void tell_vector(const char *type, size_t nr, size_t size)
{
	size_t nr_blocks = 0, nr_all = 0;
	for (size_t room = 1; room <= nr; room *= 2, nr_blocks++)
		nr_all += room;
	printf("%s\t%zu\t%zu\n", type, nr_blocks, nr_all * size);
}

template <typename T>
static void allocate(const char *vector, const char *pointers, const char *node,
		     const char *single, int nr)
{
	std::vector<T> some;
	std::vector<T *> others;
	std::list<T> list;
	fill(some, nr);
	fill(others, nr);
	fill(list, nr + 1);
	make<T>(nr + 2);
	use(&some);
	use(&others);
	use(&list);
	tell_vector(vector, nr, sizeof(T));
	tell_vector(pointers, nr, sizeof(T *));
	printf("%s\t%d\t%zu\n", node, nr + 1, (nr + 1) * sizeof(std::_List_node<T>));
	printf("%s\t%d\t%zu\n", single, nr + 2, (nr + 2) * sizeof(T));
}

int main()
{
	allocate<left>("left[] of std::vector", "left*[] of std::vector",
		       "std::_List_node<left>", "left", 4);
	allocate<right>("right[] of std::vector", "right*[] of std::vector",
			"std::_List_node<right>", "right", 16);
	allocate<hidden_left>("(anonymous namespace)::hidden_left[] of std::vector",
			      "(anonymous namespace)::hidden_left*[] of std::vector",
			      "std::_List_node<(anonymous namespace)::hidden_left>",
			      "(anonymous namespace)::hidden_left", 8);
	allocate<hidden_right>("(anonymous namespace)::hidden_right[] of std::vector",
			       "(anonymous namespace)::hidden_right*[] of std::vector",
			       "std::_List_node<(anonymous namespace)::hidden_right>",
			       "(anonymous namespace)::hidden_right", 32);
	return 0;
}
