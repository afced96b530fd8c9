/*
 * The containers of the C++ library, and classes with vtables. Each allocation is of the type that
 * was announced for it.
 */
#include <cstdlib>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "truth.h"

static const char *announced, *is_wanted;
static unsigned nr_announced;
static std::size_t size_announced;

void *operator new(std::size_t size)
{
	void *block = std::malloc(size);
	if (!announced || !nr_announced || (size_announced && size != size_announced))
		return block;
	nr_announced--;
	return truth(block, is_wanted, announced);
}

void *operator new[](std::size_t size)
{
	return operator new(size);
}

void operator delete(void *block) noexcept
{
	truth_forget(block);
	std::free(block);
}

void operator delete(void *block, std::size_t) noexcept
{
	operator delete(block);
}

void operator delete[](void *block) noexcept
{
	operator delete(block);
}

void operator delete[](void *block, std::size_t) noexcept
{
	operator delete(block);
}

/* While it lives, what is allocated is of that type: the first so many blocks, of that
   size. */
struct announce {
	const char *before = announced, *wanted_before = is_wanted;
	unsigned nr_before = nr_announced;
	std::size_t size_before = size_announced;
	explicit announce(const char *type, const char *wanted = "told",
			  unsigned nr = ~0u, std::size_t size = 0)
	{
		announced = type;
		is_wanted = wanted;
		nr_announced = nr;
		size_announced = size;
	}
	~announce()
	{
		announced = before;
		is_wanted = wanted_before;
		nr_announced = nr_before;
		size_announced = size_before;
	}
};

/* clang describes std::string only where it is inlined. */
#if defined(__clang__) && !defined(__OPTIMIZE__)
#define OF_STRING "open"
#else
#define OF_STRING "told"
#endif

/* --- what they hold ------------------------------------------------------------------- */

namespace goods
{
struct thing {
	long numbers[4] = {};
	thing *next = nullptr;
	char mark = 0;
};

template <typename T> struct crate {
	T inside;
	crate *next = nullptr;
};
} // namespace goods

using goods::crate;
using goods::thing;

static thing *new_thing()
{
	announce type("goods::thing");
	return new thing;
}

struct animal {
	virtual ~animal() = default;
	int legs = 4;
};
struct named {
	virtual const char *call() const
	{
		return "";
	}
	thing *tag = nullptr;
};
struct dog : animal, named {
	thing *bone = nullptr;
	long years[4] = {};
};
struct cat final : animal {
	std::vector<thing *> mice;
};
namespace
{
struct fish : animal {
	thing *bowl = nullptr;
};
} // namespace

/* Has a destructor, so that new[] notes how many there are. */
struct guarded {
	thing *it = nullptr;
	long guards[3] = {};
	~guarded()
	{
		guards[0] = 1;
	}
};

/* --- what holds them ------------------------------------------------------------------ */

struct shop {
	std::vector<thing> things;
	std::vector<thing *> pointers;
	std::vector<char> bytes;
	std::vector<std::vector<thing>> shelves;
	std::string sign;
	std::vector<std::string> labels;
	std::list<thing *> line;
	std::list<thing> stock;
	std::forward_list<thing> forward;
	std::map<int, thing *> by_number;
	std::map<long, thing> owned;
	std::set<long> numbers;
	std::unordered_map<int, thing *> hashed;
	std::unordered_set<long> hashed_numbers;
	std::unordered_map<std::string, thing *> by_name;
	std::deque<thing *> belt;
	std::deque<thing> long_belt;
	std::unique_ptr<thing> own;
	std::shared_ptr<thing> wrapped, made, aliased;
	std::weak_ptr<thing> gone;
	std::unique_ptr<animal> dog_by_base;
	std::vector<std::unique_ptr<animal>> animals;
	std::optional<std::vector<thing>> maybe, not_there;
	std::variant<int, thing *, animal *> either;
	guarded *guards = nullptr;
	crate<thing *> *crates = nullptr;
};

shop *the_shop;

static void fill_vectors(shop &shop)
{
	{
		announce type("goods::thing[]");
		shop.things.resize(20);
		shop.things.reserve(40);
	}
	for (thing &one : shop.things)
		one.next = new_thing();
	/* What is beyond the end is left from before. */
	{
		announce type("goods::thing*[]");
		shop.pointers.resize(30);
	}
	for (thing *&one : shop.pointers)
		one = new_thing();
	while (shop.pointers.size() > 20) {
		delete shop.pointers.back();
		shop.pointers.pop_back();
		announce type("char[]", "open");
		static void *kept[10];
		kept[shop.pointers.size() - 20] = operator new(sizeof(thing));
		__asm__ volatile("" : : "r"(kept) : "memory");
	}
	{
		announce type("char[]");
		shop.bytes.resize(1000);
	}
	{
		announce type(
			"std::vector<goods::thing, std::allocator<goods::thing> >[]");
		shop.shelves.resize(5);
	}
	for (auto &shelf : shop.shelves) {
		announce type("goods::thing[]");
		shelf.resize(3);
	}
}

static void fill_strings(shop &shop)
{
	{
		announce type("char[]", OF_STRING);
		shop.sign.assign(200, 's');
	}
	{
		announce type("std::__cxx11::basic_string<char, std::char_traits<char>, "
			      "std::allocator<char> >[]");
		shop.labels.resize(6);
	}
	for (std::size_t i = 0; i < 3; i++) {
		announce type("char[]", OF_STRING);
		shop.labels[i].assign(50 + i, 'l');
	}
}

static void fill_lists(shop &shop)
{
	for (int i = 0; i < 20; i++) {
		thing *one = new_thing();
		announce type("std::_List_node<goods::thing *>");
		shop.line.push_back(one);
	}
	for (int i = 0; i < 20; i++) {
		{
			announce type("std::_List_node<goods::thing>");
			shop.stock.emplace_back();
		}
		shop.stock.back().next = new_thing();
		announce type("std::_Fwd_list_node<goods::thing>");
		shop.forward.emplace_front();
	}
}

static void fill_trees(shop &shop)
{
	for (int i = 0; i < 50; i++) {
		thing *one = new_thing();
		announce type("std::_Rb_tree_node<std::pair<int const, goods::thing*> >");
		shop.by_number[i * 37 % 101] = one;
	}
	for (int i = 0; i < 50; i++) {
		{
			announce type(
				"std::_Rb_tree_node<std::pair<long const, goods::thing> >");
			shop.owned[i];
		}
		shop.owned[i].next = new_thing();
		announce type("std::_Rb_tree_node<long>");
		shop.numbers.insert(i);
	}
}

static void fill_hashes(shop &shop)
{
	{
		announce type("std::__detail::_Hash_node_base *[]");
		shop.hashed.reserve(200);
		shop.hashed_numbers.reserve(200);
		shop.by_name.reserve(200);
	}
	for (int i = 0; i < 50; i++) {
		thing *one = new_thing(), *other = new_thing();
		{
			announce type("std::__detail::_Hash_node<std::pair<int const, "
				      "goods::thing*> >");
			shop.hashed[i] = one;
		}
		{
			announce type("std::__detail::_Hash_node<long>");
			shop.hashed_numbers.insert(i);
		}
		announce type("std::__detail::_Hash_node<std::pair<"
			      "std::__cxx11::basic_string<char, std::char_traits<char>, "
			      "std::allocator<char> > const, goods::thing*> >");
		shop.by_name.emplace(std::string(1, (char)('A' + i)), other);
	}
}

static void fill_deques(shop &shop)
{
	for (int i = 0; i < 200; i++) {
		thing *one = new_thing();
		announce type("goods::thing *[]", "told", 100, 512);
		shop.belt.push_back(one);
		announce other("goods::thing[]", "told", 100, 480);
		shop.long_belt.emplace_back();
	}
	for (int i = 0; i < 100; i++) {
		delete shop.belt.front();
		shop.belt.pop_front();
		announce type("char[]", "open");
		static void *kept[100];
		kept[i] = operator new(sizeof(thing));
		__asm__ volatile("" : : "r"(kept) : "memory");
	}
}

static void fill_owners(shop &shop)
{
	shop.own.reset(new_thing());
	thing *one = new_thing();
	{
		announce type("std::_Sp_counted_ptr<goods::thing*, "
			      "(__gnu_cxx::_Lock_policy)2>");
		shop.wrapped.reset(one);
	}
	{
		announce type("std::_Sp_counted_ptr_inplace<goods::thing, "
			      "std::allocator<void>, (__gnu_cxx::_Lock_policy)2>");
		shop.made = std::make_shared<thing>();
		auto gone = std::make_shared<thing>();
		gone->next = (thing *)nullptr;
		shop.gone = gone;
	}
	shop.made->next = new_thing();
	shop.aliased = std::shared_ptr<thing>(shop.wrapped, shop.made.get());
	{
		announce type("goods::thing[]");
		shop.maybe.emplace(7);
	}
	{
		announce type("guarded[]");
		shop.guards = new guarded[6];
	}
	for (int i = 0; i < 6; i++)
		shop.guards[i].it = new_thing();
	for (int i = 0; i < 5; i++) {
		announce type("goods::crate<goods::thing*>");
		auto *next = new crate<thing *>;
		next->inside = new_thing();
		next->next = shop.crates;
		shop.crates = next;
	}
}

static void fill_animals(shop &shop)
{
	announce quiet(nullptr);
	for (int i = 0; i < 12; i++) {
		animal *one;
		if (i % 3 == 0) {
			announce type("dog");
			dog *it = new dog;
			it->bone = new_thing();
			it->tag = new_thing();
			one = it;
		} else if (i % 3 == 1) {
			announce type("cat");
			cat *it = new cat;
			{
				announce array("goods::thing*[]");
				it->mice.resize(4);
			}
			it->mice[1] = new_thing();
			one = it;
		} else {
			announce type("(anonymous namespace)::fish");
			fish *it = new fish;
			it->bowl = new_thing();
			one = it;
		}
		if (i == 0)
			shop.dog_by_base.reset(one);
		announce type("std::unique_ptr<animal, std::default_delete<animal> >[]");
		if (i)
			shop.animals.emplace_back(one);
	}
	{
		announce type("goods::thing", "open");
		shop.either = new thing;
	}
}

int main()
{
	{
		announce type("shop", "told", 1);
		the_shop = new shop;
	}
	fill_vectors(*the_shop);
	fill_strings(*the_shop);
	fill_lists(*the_shop);
	fill_trees(*the_shop);
	fill_hashes(*the_shop);
	fill_deques(*the_shop);
	fill_owners(*the_shop);
	fill_animals(*the_shop);
	truth_tell();
}
