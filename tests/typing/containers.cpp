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

/* --- what types are called ------------------------------------------------------------ */

#ifdef _LIBCPP_VERSION
#define STD           "std::__1::"
#define STD_STRING    STD
#define LIST_NODE     STD "__list_node"
#define FORWARD_NODE  STD "__forward_list_node"
#define TREE_NODE     STD "__tree_node"
#define OF_MAP        STD "__value_type"
#define KEY_OF(type)  type
#define HASH_NODE     STD "__hash_node"
#define OF_HASH       STD "__hash_value_type"
#define BUCKET(value) STD "__hash_node_base<" STD "__hash_node<" value ", void*>*>*[]"
#define COUNTED_POINTER                                                                               \
	STD "__shared_ptr_pointer<goods::thing*, " STD                                                \
	    "shared_ptr<goods::thing>::__shared_ptr_default_delete<goods::thing, goods::thing>, " STD \
	    "allocator<goods::thing> >"
#define COUNTED_INPLACE                                                                  \
	STD "__shared_ptr_emplace<goods::thing, " STD "allocator<goods::thing> >"
#define CHUNK      4096
#define LONG_CHUNK 4080
#else
#define STD             "std::"
#define STD_STRING      "std::__cxx11::"
#define LIST_NODE       "std::_List_node"
#define FORWARD_NODE    "std::_Fwd_list_node"
#define TREE_NODE       "std::_Rb_tree_node"
#define OF_MAP          "std::pair"
#define KEY_OF(type)    type " const"
#define HASH_NODE       "std::__detail::_Hash_node"
#define OF_HASH         "std::pair"
#define BUCKET(value)   "std::__detail::_Hash_node_base *[]"
#define COUNTED_POINTER "std::_Sp_counted_ptr<goods::thing*, (__gnu_cxx::_Lock_policy)2>"
#define COUNTED_INPLACE                                                                  \
	"std::_Sp_counted_ptr_inplace<goods::thing, std::allocator<void>, "              \
	"(__gnu_cxx::_Lock_policy)2>"
#define CHUNK      512
#define LONG_CHUNK 480
#endif
#define STRING                                                                           \
	STD_STRING "basic_string<char, " STD "char_traits<char>, " STD "allocator<char> >"
#define HASHED  OF_HASH "<" KEY_OF("int") ", goods::thing*>"
#define BY_NAME OF_HASH "<" KEY_OF(STRING) ", goods::thing*>"

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
		announce type(STD "vector<goods::thing, " STD
				  "allocator<goods::thing> >[]");
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
		announce type(STRING "[]");
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
		announce type(LIST_NODE "<goods::thing *>");
		shop.line.push_back(one);
	}
	for (int i = 0; i < 20; i++) {
		{
			announce type(LIST_NODE "<goods::thing>");
			shop.stock.emplace_back();
		}
		shop.stock.back().next = new_thing();
		announce type(FORWARD_NODE "<goods::thing>");
		shop.forward.emplace_front();
	}
}

static void fill_trees(shop &shop)
{
	for (int i = 0; i < 50; i++) {
		thing *one = new_thing();
		announce type(TREE_NODE "<" OF_MAP
					"<" KEY_OF("int") ", goods::thing*> >");
		shop.by_number[i * 37 % 101] = one;
	}
	for (int i = 0; i < 50; i++) {
		{
			announce type(TREE_NODE "<" OF_MAP
						"<" KEY_OF("long") ", goods::thing> >");
			shop.owned[i];
		}
		shop.owned[i].next = new_thing();
		announce type(TREE_NODE "<long>");
		shop.numbers.insert(i);
	}
}

static void fill_hashes(shop &shop)
{
	{
		announce type(BUCKET(HASHED));
		shop.hashed.reserve(200);
		announce other(BUCKET("long"));
		shop.hashed_numbers.reserve(200);
		announce third(BUCKET(BY_NAME));
		shop.by_name.reserve(200);
	}
	for (int i = 0; i < 50; i++) {
		thing *one = new_thing(), *other = new_thing();
		{
			announce type(HASH_NODE "<" HASHED ">");
			shop.hashed[i] = one;
		}
		{
			announce type(HASH_NODE "<long>");
			shop.hashed_numbers.insert(i);
		}
		announce type(HASH_NODE "<" BY_NAME ">");
		shop.by_name.emplace(std::string(1, (char)('A' + i)), other);
	}
}

static void fill_deques(shop &shop)
{
	for (int i = 0; i < 200; i++) {
		thing *one = new_thing();
		announce type("goods::thing *[]", "told", 100, CHUNK);
		shop.belt.push_back(one);
		announce other("goods::thing[]", "told", 100, LONG_CHUNK);
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
		announce type(COUNTED_POINTER);
		shop.wrapped.reset(one);
	}
	{
		announce type(COUNTED_INPLACE);
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
		announce type(STD "unique_ptr<animal, " STD "default_delete<animal> >[]");
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
