/*
 * heuristics: the four layouts in which Memcheck takes a pointer to an interior for one to
 * the start, made by hand and by the C++ compiler, and near misses of each.
 *
 * expect: definite 320 in 2
 * expect: possible 784 in 6
 * expect: reachable 1404 in 11
 */
#include <cstdint>
#include <cstdlib>
#include <new>

#include "plant.h"

namespace
{

void *volatile root[32];

/*
 * glibc tells what can be used of a block, up to 15 bytes more than was asked for. So what
 * is wrong by less than that cannot be seen; the near misses here miss by more.
 */
const size_t MISS = 20;

const char rounded[] =
	"it would be right for a block of fewer bytes, rounded to this one";

/* ---- std::string before C++11: capacity and length in front, text behind three words */

struct old_string {
	size_t length, capacity;
	long references;
	char text[];
};

void old_strings()
{
	const size_t header = sizeof(old_string);
	size_t size = plant_next_size();
	auto string = static_cast<old_string *>(
		plant_sized(size, PLANT_REACHABLE, "old string"));
	string->capacity = size - header - 1;
	string->length = 5;
	root[0] = string->text;

	size = plant_next_size();
	string = static_cast<old_string *>(
		plant_sized(size, PLANT_POSSIBLE, "old string, capacity too small"));
	string->capacity = size - header - 1 - MISS;
	string->length = 5;
	root[1] = string->text;

	size = plant_next_size();
	string = static_cast<old_string *>(
		plant_sized(size, PLANT_REACHABLE, "old string, capacity off by one"));
	string->capacity = size - header - 2;
	string->length = 5;
	plant_differs(string, PLANT_POSSIBLE, rounded);
	root[12] = string->text;

	size = plant_next_size() - 7;
	string = static_cast<old_string *>(
		plant_sized(size, PLANT_REACHABLE, "old string in a rounded block"));
	string->capacity = size - header - 1;
	string->length = 5;
	root[13] = string->text;

	size = plant_next_size();
	string = static_cast<old_string *>(plant_sized(
		size, PLANT_POSSIBLE, "old string, longer than its capacity"));
	string->capacity = size - header - 1;
	string->length = string->capacity + 1;
	root[2] = string->text;
}

/* ---- the size in front (sqlite) */

void lengths()
{
	size_t size = plant_next_size();
	auto words = static_cast<uint64_t *>(
		plant_sized(size, PLANT_REACHABLE, "length in front"));
	words[0] = size - 8;
	root[3] = words + 1;

	size = plant_next_size();
	words = static_cast<uint64_t *>(
		plant_sized(size, PLANT_POSSIBLE, "length in front, too large"));
	words[0] = size - 7;
	root[4] = words + 1;

	size = plant_next_size() - 5;
	words = static_cast<uint64_t *>(
		plant_sized(size, PLANT_REACHABLE, "length in front of a rounded block"));
	words[0] = size - 8;
	root[14] = words + 1;
}

/* ---- new[] of what has a destructor: the count in front */

struct counted {
	long value[3];
	~counted()
	{
		value[0] = 0;
	}
};

void arrays()
{
	auto array = new counted[3]();
	plant_note(reinterpret_cast<char *>(array) - 8, PLANT_REACHABLE,
		   "new[] with a count");
	root[5] = array;

	size_t size = plant_next_size();
	auto words = static_cast<uint64_t *>(
		plant_sized(size, PLANT_POSSIBLE, "count that does not divide"));
	words[0] = size - 8 - MISS;
	root[6] = words + 1;

	size = plant_next_size();
	words = static_cast<uint64_t *>(plant_sized(
		size, PLANT_REACHABLE, "count that would divide one byte less"));
	words[0] = size - 9;
	plant_differs(words, PLANT_POSSIBLE, rounded);
	root[15] = words + 1;

	size = plant_next_size();
	words = static_cast<uint64_t *>(
		plant_sized(size, PLANT_POSSIBLE, "count of zero"));
	root[7] = words + 1;

	/* Held through a block: promoted on the way. */
	auto holder = static_cast<void **>(plant_block(PLANT_REACHABLE, "holds a new[]"));
	array = new counted[5]();
	plant_note(reinterpret_cast<char *>(array) - 8, PLANT_REACHABLE,
		   "new[] held by a block");
	*holder = array;
	root[8] = holder;

	/* Nobody holds it. */
	array = new counted[7]();
	plant_note(reinterpret_cast<char *>(array) - 8, PLANT_DEFINITE, "new[] lost");
}

/* ---- a pointer to the second base class */

struct first_base {
	long first[4];
	virtual ~first_base() = default;
	virtual long one()
	{
		return first[0];
	}
};

struct second_base {
	long second[5];
	virtual ~second_base() = default;
	virtual long two()
	{
		return second[0];
	}
};

struct derived : first_base, second_base {
	long own[6];
	long one() override
	{
		return own[0];
	}
	long two() override
	{
		return own[1];
	}
};

struct derived_further : derived {
	long more[8];
};

struct plain : first_base {
	long own[10];
};

void bases()
{
	auto object = new derived();
	plant_note(object, PLANT_REACHABLE, "held by its second base class");
	root[9] = static_cast<second_base *>(object);

	auto further = new derived_further();
	plant_note(further, PLANT_REACHABLE, "held by a grandparent's second base class");
	root[10] = static_cast<second_base *>(further);

	auto one_base = new plain();
	plant_note(one_base, PLANT_POSSIBLE, "object held by a member");
	root[11] = &one_base->own[4];

	auto lost = new derived[1]();
	plant_note(reinterpret_cast<char *>(lost) - 8, PLANT_DEFINITE,
		   "array of objects, lost");
}

void plant()
{
	old_strings();
	lengths();
	arrays();
	bases();
}

} // namespace

int main(int argc, char **argv)
{
	plant_run(plant);
	plant_wait(argc, argv);
}
