/*
 * A program to record that knows what it allocates of which type: it writes a line of each type as
 * seep report --group-by type calls it, with how many blocks and bytes; and of those whose type no
 * stack tells, "?" with a size instead.
 */
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

struct book {
	long isbn[5] = {};
	book *next = nullptr;
	virtual ~book() = default;
};

/* What it allocates in its constructor is not one of it. */
struct owner {
	long *pages;
	owner() : pages(new long[11])
	{
	}
	~owner()
	{
		delete[] pages;
	}
};

namespace
{
struct hidden {
	int numbers[9];
};
} // namespace

/* Asks for memory in a way of its own, with a header in front. */
template <typename T> struct careful {
	using value_type = T;
	careful() = default;
	template <typename U> careful(const careful<U> &)
	{
	}
	T *allocate(size_t nr)
	{
		return static_cast<T *>(malloc(nr * sizeof(T) + 13));
	}
	void deallocate(T *block, size_t)
	{
		free(block);
	}
	bool operator==(const careful &) const
	{
		return true;
	}
	bool operator!=(const careful &) const
	{
		return false;
	}
};

static constexpr auto policy = __gnu_cxx::__default_lock_policy;

/* So that nothing is optimised away. */
static void use(const void *pointer)
{
	asm volatile("" : : "r"(pointer) : "memory");
}

static void tell(const char *type, size_t nr, size_t bytes)
{
	printf("%s\t%zu\t%zu\n", type, nr, bytes);
}

static void tell_unknown(size_t size, size_t nr)
{
	printf("?%zu\t%zu\t%zu\n", size, nr, nr * size);
}

/* Compilers may make one of local functions whose code is the same: these are none. */
void containers();
void strings();
void pointers();

void containers()
{
	for (int i = 0; i < 3; i++) {
		std::vector<book> books(10);
		std::vector<hidden> others(4);
		use(&books);
		use(&others);
	}
	std::list<book> list(7);
	std::map<int, long> map;
	std::unordered_map<int, long> table(100);
	for (int i = 0; i < 20; i++)
		map[i] = table[i] = i;
	std::deque<book *> queue(5);
	std::vector<bool> bits(640);
	std::vector<char, careful<char>> chars(1000);
	use(&list);
	use(&map);
	use(&table);
	use(&queue);
	use(&bits);
	use(&chars);
	tell("book[] of std::vector", 3, 30 * sizeof(book));
	tell("(anonymous namespace)::hidden[] of std::vector", 3, 12 * sizeof(hidden));
	tell("std::_List_node<book>", 7, 7 * sizeof(std::_List_node<book>));
	tell("std::_Rb_tree_node<std::pair<int const, long> >", 20,
	     20 * sizeof(std::_Rb_tree_node<std::pair<const int, long>>));
	tell("std::__detail::_Hash_node<std::pair<int const, long>, false>", 20,
	     20 * sizeof(std::__detail::_Hash_node<std::pair<const int, long>, false>));
	tell("std::__detail::_Hash_node_base*[]", 1,
	     table.bucket_count() * sizeof(void *));
	tell("book*[] of std::deque", 1, 512);
	tell("book**[] of std::deque", 1, 8 * sizeof(void *));
	tell("unsigned long[] of std::vector<bool>", 1, 640 / 8);
	tell_unknown(1013, 1);
}

void strings()
{
	std::string letters[5], more(200, 'x');
	for (std::string &word : letters)
		word = "a sentence that has no room in the string itself";
	more += "and then some";
	more.reserve(1000);
	std::wstring wide(50, L'x');
	use(letters);
	use(&more);
	use(&wide);
	/* A string that grows at least doubles. */
	tell("char[] of std::basic_string", 8,
	     5 * (letters[0].capacity() + 1) + 201 + 401 + 1001);
	tell("wchar_t[] of std::basic_string", 1, 51 * sizeof(wchar_t));
}

void pointers()
{
	for (int i = 0; i < 4; i++) {
		auto shared = std::make_shared<book>();
		auto adopted = std::shared_ptr<owner>(new owner);
		auto single = std::make_unique<owner>();
		auto several = std::make_unique<hidden[]>(3);
		auto plain = std::make_unique<hidden>();
		std::vector<owner> owners(2);
		use(shared.get());
		use(adopted.get());
		use(single.get());
		use(several.get());
		use(plain.get());
		use(&owners);
	}
	using block = std::_Sp_counted_ptr_inplace<book, std::allocator<void>, policy>;
	tell("std::_Sp_counted_ptr_inplace<book, std::allocator<void>, "
	     "(__gnu_cxx::_Lock_policy)2>",
	     4, 4 * sizeof(block));
	tell("std::_Sp_counted_ptr<owner*, (__gnu_cxx::_Lock_policy)2>", 4,
	     4 * sizeof(std::_Sp_counted_ptr<owner *, policy>));
	tell("owner", 4, 4 * sizeof(owner));
	tell("(anonymous namespace)::hidden[]", 4, 12 * sizeof(hidden));
	tell("(anonymous namespace)::hidden", 4, 4 * sizeof(hidden));
	tell("owner[] of std::vector", 4, 8 * sizeof(owner));
	tell_unknown(sizeof(long[11]), 16);
	tell_unknown(sizeof(owner), 4);
}

int main()
{
	containers();
	strings();
	pointers();
	return 0;
}
