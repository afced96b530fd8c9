/*
 * containers: what ordinary C++ leaves behind: kept containers, an owner forgotten, two
 * objects that share each other for ever.
 *
 * expect: definite 408 in 4
 * expect: indirect 712 in 9
 * expect: reachable 1528 in 16
 */
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plant.h"

namespace
{

struct shape {
	virtual ~shape() = default;
	virtual long area() const
	{
		return 0;
	}
	long numbers[3] = {};
};

struct square : shape {
	long side[6] = {};
	long area() const override
	{
		return side[0] * side[0];
	}
};

struct peer {
	std::shared_ptr<peer> other;
	std::vector<long> numbers;
	long more[10] = {};
};

struct document {
	long numbers[15] = {};
	std::string title;
	std::unique_ptr<square> figure;
	std::vector<std::unique_ptr<shape>> shapes;
};

/* Pointers: objects would be destroyed at exit. */
document *volatile kept;
std::map<long, std::string> *volatile index_of_titles;

/* A string too long to live inside its object: its text is a block. */
std::string text(enum plant_kind kind, const char *shape)
{
	std::string string(plant_next_size() - 1, 'x');
	plant_note(string.data(), kind, shape);
	return string;
}

document *make_document(enum plant_kind kind, enum plant_kind below)
{
	auto made = new document;
	plant_note(made, kind, "document");
	made->title = text(below, "document: title");
	made->figure = std::make_unique<square>();
	plant_note(made->figure.get(), below, "document: figure");
	made->shapes.reserve(plant_next_size() / sizeof(void *));
	plant_note(made->shapes.data(), below, "document: vector");
	made->shapes.push_back(std::make_unique<square>());
	plant_note(made->shapes.back().get(), below, "document: shape");
	return made;
}

void documents()
{
	kept = make_document(PLANT_REACHABLE, PLANT_REACHABLE);
	make_document(PLANT_DEFINITE, PLANT_INDIRECT);
	plant_note(std::make_unique<square>().release(), PLANT_DEFINITE,
		   "released for good");
}

void maps()
{
	index_of_titles = new std::map<long, std::string>;
	plant_note(index_of_titles, PLANT_REACHABLE, "map");
	for (long key = 0; key < 5; key++) {
		auto &entry = *index_of_titles->emplace(key, "").first;
		/* four words of tree before the entry */
		plant_note(reinterpret_cast<char *>(&entry) - 32, PLANT_REACHABLE,
			   "map: node");
		entry.second = text(PLANT_REACHABLE, "map: text");
	}
}

/* The list's object points at its nodes and they at it: one cycle. */
void lists()
{
	auto list = new std::list<long>;
	plant_note(list, PLANT_DEFINITE, "list");
	for (long value = 0; value < 3; value++) {
		list->push_back(value);
		plant_note(reinterpret_cast<char *>(&list->back()) - 16, PLANT_INDIRECT,
			   "list: node");
	}
}

/* Two objects that own each other, each with its own vector. */
void peers()
{
	auto one = std::shared_ptr<peer>(new peer);
	auto two = std::shared_ptr<peer>(new peer);
	one->other = two;
	two->other = one;
	one->numbers.reserve(plant_next_size() / sizeof(long));
	plant_note(one.get(), PLANT_DEFINITE,
		   "shared pointers in a cycle: first by address");
	plant_note(two.get(), PLANT_INDIRECT, "shared pointers in a cycle");
	plant_note(one->numbers.data(), PLANT_INDIRECT,
		   "shared pointers in a cycle: vector");
}

void plant()
{
	documents();
	maps();
	lists();
	peers();
}

} // namespace

int main(int argc, char **argv)
{
	plant_run(plant);
	plant_wait(argc, argv);
}
