/*
 * growth SHAPE leak|cache: a program in which something grows for ever though a variable holds it, or does
 * not, because it is bounded. There are SHAPES of them, each with its own way to hold its items.
 *
 * Says READY when everything that is bounded is full; each line on stdin makes it work on, after which it
 * says "done". At the end of its input it says which blocks the shape has got, a line each, and ends.
 *
 * Besides, as any server has: a table that is only read, a cache of texts by key, a log of the last lines, and
 * sessions that become more and are all in use.
 */
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

static const unsigned BOUND = 400, STEPS = 150;

/* --- which blocks the shape has ------------------------------------------------------- */

static const size_t NOTES = 1 << 20;
static uintptr_t
	*notes; /* not in the heap, and complemented: nobody finds a pointer there */
static size_t nr_notes;
static thread_local bool notes_blocks;

__attribute__((noinline)) void *operator new(size_t size)
{
	void *block = malloc(size);
	if (!block)
		abort();
	if (notes_blocks && nr_notes < NOTES)
		notes[nr_notes++] = ~(uintptr_t)block;
	return block;
}

__attribute__((noinline)) void operator delete(void *block) noexcept
{
	free(block);
}

__attribute__((noinline)) void operator delete(void *block, size_t) noexcept
{
	free(block);
}

/* --- shapes ---------------------------------------------------------------------------- */

struct Item {
	explicit Item(unsigned number) : number(number)
	{
		snprintf(text, sizeof(text), "item %u of a shape", number);
	}
	virtual ~Item() = default;
	unsigned number;
	Item *next = nullptr, *left = nullptr, *right = nullptr;
	char text[64];
};

/* Something that items are put to, and the oldest one is taken from. */
struct Shape {
	virtual ~Shape() = default;
	virtual void put(unsigned number) = 0;
	virtual void drop(unsigned number) = 0;
};

template <typename Sequence> struct InSequence : Shape {
	Sequence items;
	void put(unsigned number) override
	{
		items.push_back(typename Sequence::value_type(new Item(number)));
	}
	void drop(unsigned) override
	{
		discard(*items.begin());
		items.erase(items.begin());
	}
	static void discard(Item *item)
	{
		delete item;
	}
	template <typename Smart> static void discard(Smart &)
	{
	}
};

template <typename Map> struct InMap : Shape {
	Map items;
	void put(unsigned number) override
	{
		items[number] = new Item(number);
	}
	void drop(unsigned number) override
	{
		delete items[number];
		items.erase(number);
	}
};

struct InSet : Shape {
	std::set<std::string> items;
	static std::string name(unsigned number)
	{
		return "a long name with the number " + std::to_string(number + 100000);
	}
	void put(unsigned number) override
	{
		items.insert(name(number));
	}
	void drop(unsigned number) override
	{
		items.erase(name(number));
	}
};

struct InChain : Shape { /* the newest first */
	Item *first = nullptr;
	void put(unsigned number) override
	{
		Item *item = new Item(number);
		item->next = first;
		first = item;
	}
	void drop(unsigned) override
	{
		Item **at = &first;
		while ((*at)->next)
			at = &(*at)->next;
		delete *at;
		*at = nullptr;
	}
};

struct InRing : Shape {
	Item *last = nullptr;
	void put(unsigned number) override
	{
		Item *item = new Item(number);
		item->next = last ? last->next : item;
		if (last)
			last->next = item;
		last = item;
	}
	void drop(unsigned) override
	{
		Item *first = last->next;
		last->next = first->next;
		delete first;
	}
};

struct InTree : Shape {
	Item *top = nullptr;
	static unsigned key(unsigned number)
	{
		return number * 2654435761u;
	}
	void put(unsigned number) override
	{
		Item **at = &top;
		while (*at)
			at = key(number) < key((*at)->number) ? &(*at)->left
							      : &(*at)->right;
		*at = new Item(number);
	}
	void drop(unsigned number) override
	{
		Item **at = &top;
		while (*at && (*at)->number != number)
			at = key(number) < key((*at)->number) ? &(*at)->left
							      : &(*at)->right;
		Item *item = *at, *rest = item->right;
		if (!rest)
			rest = item->left;
		else {
			Item *least = rest;
			while (least->left)
				least = least->left;
			least->left = item->left;
		}
		*at = rest;
		delete item;
	}
};

struct InBuckets : Shape {
	Item *buckets[256] = {};
	void put(unsigned number) override
	{
		Item *item = new Item(number);
		item->next = buckets[number % 256];
		buckets[number % 256] = item;
	}
	void drop(unsigned number) override
	{
		Item **at = &buckets[number % 256];
		while ((*at)->number != number)
			at = &(*at)->next;
		Item *item = *at;
		*at = item->next;
		delete item;
	}
};

struct InMapOfVectors : Shape {
	std::map<unsigned, std::vector<Item *>> items;
	void put(unsigned number) override
	{
		items[number / 10].push_back(new Item(number));
	}
	void drop(unsigned number) override
	{
		std::vector<Item *> &these = items[number / 10];
		delete these.front();
		these.erase(these.begin());
		if (these.empty())
			items.erase(number / 10);
	}
};

struct InTexts : Shape {
	std::deque<std::string> items;
	void put(unsigned number) override
	{
		items.push_back("a text that is too long to stand in the string itself " +
				std::to_string(number));
	}
	void drop(unsigned) override
	{
		items.pop_front();
	}
};

struct InBuffers : Shape {
	std::deque<char *> items;
	void put(unsigned number) override
	{
		char *buffer = static_cast<char *>(operator new(300));
		memset(buffer, (int)(number % 255 + 1), 300);
		items.push_back(buffer);
	}
	void drop(unsigned) override
	{
		operator delete(items.front());
		items.pop_front();
	}
};

struct InChunks : Shape { /* large ones, with an item's worth of data each */
	std::list<std::unique_ptr<unsigned[]>> items;
	void put(unsigned number) override
	{
		unsigned *chunk = static_cast<unsigned *>(operator new(2000));
		for (unsigned i = 0; i < 500; i++)
			chunk[i] = number + i;
		items.emplace_back(chunk);
	}
	void drop(unsigned) override
	{
		operator delete(items.front().release());
		items.pop_front();
	}
};

struct InObservers : Shape {
	std::multimap<unsigned, std::function<unsigned()>> items;
	void put(unsigned number) override
	{
		std::shared_ptr<Item> item(new Item(number));
		unsigned long more[4] = { number, number, number, number };
		items.emplace(number,
			      [item, more] { return item->number + (unsigned)more[0]; });
	}
	void drop(unsigned number) override
	{
		items.erase(number);
	}
};

struct InBoth : Shape { /* two indices of the same items */
	std::unordered_map<unsigned, Item *> by_number;
	std::map<std::string, Item *> by_name;
	void put(unsigned number) override
	{
		by_number[number] = by_name[InSet::name(number)] = new Item(number);
	}
	void drop(unsigned number) override
	{
		delete by_number[number];
		by_number.erase(number);
		by_name.erase(InSet::name(number));
	}
};

struct InForwardList : Shape {
	std::forward_list<Item *> items;
	void put(unsigned number) override
	{
		items.push_front(new Item(number));
	}
	void drop(unsigned) override
	{
		auto at = items.before_begin();
		while (std::next(at, 2) != items.end())
			++at;
		delete *std::next(at);
		items.erase_after(at);
	}
};

/* --- who holds it ----------------------------------------------------------------------- */

static Shape *in_variable;
static thread_local Shape *in_thread;
struct Service {
	std::vector<Shape *> parts;
};
static Service *service()
{
	static Service the_service;
	return &the_service;
}

static void hold_in_variable(Shape *shape)
{
	in_variable = shape;
}
static void hold_in_thread(Shape *shape)
{
	in_thread = shape;
}
static void hold_in_service(Shape *shape)
{
	service()->parts.push_back(shape);
}

template <typename Kind> static Shape *make()
{
	return new Kind;
}

static const struct {
	Shape *(*make)();
	void (*hold)(Shape *);
	unsigned each; /* steps to an item */
} shapes[] = {
	{ make<InSequence<std::vector<Item *>>>, hold_in_variable, 1 },
	{ make<InSequence<std::list<Item *>>>, hold_in_variable, 1 },
	{ make<InSequence<std::deque<Item *>>>, hold_in_service, 1 },
	{ make<InSequence<std::vector<std::shared_ptr<Item>>>>, hold_in_variable, 2 },
	{ make<InSequence<std::vector<std::unique_ptr<Item>>>>, hold_in_service, 1 },
	{ make<InMap<std::map<unsigned, Item *>>>, hold_in_variable, 1 },
	{ make<InMap<std::unordered_map<unsigned, Item *>>>, hold_in_thread, 1 },
	{ make<InSet>, hold_in_variable, 1 },
	{ make<InChain>, hold_in_thread, 1 },
	{ make<InChain>, hold_in_service, 10 },
	{ make<InRing>, hold_in_variable, 1 },
	{ make<InTree>, hold_in_variable, 1 },
	{ make<InBuckets>, hold_in_service, 3 },
	{ make<InMapOfVectors>, hold_in_variable, 1 },
	{ make<InTexts>, hold_in_variable, 1 },
	{ make<InBuffers>, hold_in_service, 5 },
	{ make<InChunks>, hold_in_thread, 4 },
	{ make<InObservers>, hold_in_variable, 1 },
	{ make<InBoth>, hold_in_service, 2 },
	{ make<InForwardList>, hold_in_variable, 1 },
};
static const unsigned SHAPES = sizeof(shapes) / sizeof(shapes[0]);

/* --- what else there is ------------------------------------------------------------------ */

struct Session {
	virtual ~Session() = default;
	unsigned long requests = 0, bytes = 0;
};

static std::map<unsigned, std::string> table;
static std::unordered_map<unsigned, std::string> cached;
static std::deque<std::string> log_lines;
static std::vector<Session *> sessions;

static void load_table()
{
	for (unsigned i = 0; i < 1000; i++)
		table[i] =
			"an entry of the table, which is only read " + std::to_string(i);
}

static void serve(unsigned step)
{
	unsigned key = step * 7919 % 5000;
	if (!cached.count(key)) {
		if (cached.size() >= BOUND)
			cached.erase(cached.begin());
		cached[key] = table[key % 1000] + " as it was answered at last";
	}
	log_lines.push_back("a request for the key with the number " +
			    std::to_string(key));
	if (log_lines.size() > BOUND)
		log_lines.pop_front();
	if (step % 20 == 0)
		sessions.push_back(new Session);
	for (Session *session : sessions)
		session->requests++;
}

/* --- the program ---------------------------------------------------------------------------- */

struct Worker {
	Shape *shape;
	bool is_bounded;
	unsigned each, step = 0, nr = 0;

	void work()
	{
		serve(++step);
		if (step % each)
			return;
		notes_blocks = true;
		shape->put(nr++);
		if (is_bounded && nr > BOUND)
			shape->drop(nr - 1 - BOUND);
		notes_blocks = false;
	}
};

int main(int argc, char **argv)
{
	unsigned number = argc == 3 ? (unsigned)atoi(argv[1]) : SHAPES;
	if (number >= SHAPES) {
		fprintf(stderr, "usage: growth SHAPE leak|cache, of %u shapes\n", SHAPES);
		return 2;
	}
	notes = static_cast<uintptr_t *>(mmap(nullptr, NOTES * sizeof(*notes),
					      PROT_READ | PROT_WRITE,
					      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	if (notes == MAP_FAILED)
		return 1;
	load_table();
	Worker worker = { shapes[number].make(), !strcmp(argv[2], "cache"),
			  shapes[number].each };
	shapes[number].hold(worker.shape);
	for (unsigned i = 0; i < 2 * BOUND * worker.each; i++)
		worker.work();
	puts("READY");
	fflush(stdout);
	for (int byte; (byte = getchar()) != EOF;) {
		if (byte != '\n')
			continue;
		for (unsigned i = 0; i < STEPS; i++)
			worker.work();
		puts("done");
		fflush(stdout);
	}
	for (size_t i = 0; i < nr_notes; i++)
		printf("0x%lx\n", (unsigned long)~notes[i]);
	puts("END");
	fflush(stdout);
	return 0;
}
