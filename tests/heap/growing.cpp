/*
 * growing: `growing SHAPE leaking|bounded`: a static structure of a shape that keeps all it is ever
 * given, or only as much as a cache does; caches of other kinds beside it churn. Says which variable
 * it is, then READY; each line on stdin is a round of work, after which it says "done".
 */
#include <pthread.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "growing_library.h"

/* What a cache holds, and what a round brings where nothing else is said. */
static const unsigned capacity = 400, usual = 150;

static char *make_text(size_t size, unsigned key)
{
	char *text = static_cast<char *>(calloc(1, size));
	snprintf(text, size, "text %u", key);
	memset(text + strlen(text), 'a' + key % 26, size - 1 - strlen(text));
	return text;
}

static std::string make_string(unsigned key, size_t size = 60)
{
	return std::to_string(key) + std::string(size, static_cast<char>('a' + key % 26));
}

/* --- shapes ------------------------------------------------------------------------- */

struct Link {
	Link *next, *previous;
	unsigned key;
	char text[90];
};

static Link *make_link(unsigned key)
{
	Link *link = static_cast<Link *>(calloc(1, sizeof(Link)));
	link->key = key;
	snprintf(link->text, sizeof(link->text), "link %u", key);
	return link;
}

static Link *list_head;
static void list_add(unsigned key)
{
	Link *link = make_link(key);
	link->next = list_head;
	list_head = link;
}
static void list_drop(unsigned key)
{
	Link **at = &list_head;
	while ((*at)->key != key)
		at = &(*at)->next;
	Link *link = *at;
	*at = link->next;
	free(link);
}

static Link *ring_of_links;
static void ring_add(unsigned key)
{
	Link *link = make_link(key), *before = ring_of_links;
	link->next = before ? before->next : link;
	link->previous = before ? before : link;
	link->next->previous = link->previous->next = link;
	ring_of_links = link;
}
static void ring_drop(unsigned key)
{
	Link *link = ring_of_links;
	while (link->key != key)
		link = link->next;
	link->next->previous = link->previous;
	link->previous->next = link->next;
	ring_of_links = link->next == link ? nullptr : link->next;
	free(link);
}

/* A tree of digits: a leaf for each key. */
struct Branch {
	Branch *children[8];
	char *text;
};
static Branch *tree_top;
static void tree_add(unsigned key)
{
	Branch **at = &tree_top;
	unsigned digits = key;
	for (unsigned i = 0;; i++, digits /= 8) {
		if (!*at)
			*at = static_cast<Branch *>(calloc(1, sizeof(Branch)));
		if (i == 6)
			break;
		at = &(*at)->children[digits % 8];
	}
	(*at)->text = make_text(120, key);
}
/* Branches go with their last leaf. */
static void tree_drop(unsigned key)
{
	Branch **path[7] = { &tree_top };
	for (unsigned i = 0; i < 6; i++, key /= 8)
		path[i + 1] = &(*path[i])->children[key % 8];
	free((*path[6])->text);
	(*path[6])->text = nullptr;
	for (unsigned i = 7; i-- > 0;) {
		for (const Branch *child : (*path[i])->children)
			if (child)
				return;
		free(*path[i]);
		*path[i] = nullptr;
	}
}

static Link *hash_buckets[128];
static void buckets_add(unsigned key)
{
	Link *link = make_link(key), **bucket = &hash_buckets[key % 128];
	link->next = *bucket;
	*bucket = link;
}
static void buckets_drop(unsigned key)
{
	Link **at = &hash_buckets[key % 128];
	while ((*at)->key != key)
		at = &(*at)->next;
	Link *link = *at;
	*at = link->next;
	free(link);
}

static std::vector<char *> vector_of_texts;
static void vector_add(unsigned key)
{
	vector_of_texts.push_back(make_text(200, key));
}
static void vector_drop(unsigned key)
{
	for (char *&text : vector_of_texts) {
		if (!text || strtoul(text + 5, nullptr, 10) != key)
			continue;
		free(text);
		text = vector_of_texts.back();
		vector_of_texts.pop_back();
		return;
	}
}

/* Texts behind blocks of pointers to 32 each. */
struct Page {
	char *texts[32];
	Page *next;
};
static Page *first_page;
static char **page_slot(unsigned key)
{
	Page **at = &first_page;
	for (; *at && !(*at)->texts[31]; at = &(*at)->next)
		break;
	if (!*at || (*at)->texts[31]) {
		Page *page = static_cast<Page *>(calloc(1, sizeof(Page)));
		page->next = first_page;
		first_page = page;
	}
	(void)key;
	for (char *&text : first_page->texts)
		if (!text)
			return &text;
	return nullptr;
}
static void pages_add(unsigned key)
{
	*page_slot(key) = make_text(72, key);
}
/* The page goes with its first text. */
static void pages_drop(unsigned key)
{
	for (Page **at = &first_page; *at; at = &(*at)->next)
		for (char *&text : (*at)->texts) {
			if (!text || strtoul(text + 5, nullptr, 10) != key)
				continue;
			free(text);
			text = nullptr;
			Page *page = *at;
			for (const char *left : page->texts)
				if (left)
					return;
			*at = page->next;
			free(page);
			return;
		}
}

struct Shape {
	virtual ~Shape() = default;
	long numbers[6];
};
struct Circle : Shape {
	explicit Circle(long key)
	{
		numbers[0] = key;
	}
};
static std::map<unsigned, Shape *> objects_by_key;
static void objects_add(unsigned key)
{
	objects_by_key[key] = new Circle(key);
}
static void objects_drop(unsigned key)
{
	delete objects_by_key[key];
	objects_by_key.erase(key);
}

struct Observer {
	std::shared_ptr<Observer> peer;
	std::string name;
};
static std::map<unsigned, std::shared_ptr<Observer>> observers;
static void observers_add(unsigned key)
{
	auto one = std::make_shared<Observer>(), two = std::make_shared<Observer>();
	one->name = make_string(key);
	one->peer = two;
	two->peer = one;
	observers[key] = one;
}
static void observers_drop(unsigned key)
{
	observers[key]->peer.reset();
	observers.erase(key);
}

/* The other containers, by what is put in and taken out. */
static std::map<unsigned, std::string> map_of_strings;
static std::unordered_map<unsigned, std::string> hash_of_strings;
static std::list<std::pair<unsigned, std::string>> list_of_strings;
static std::deque<std::pair<unsigned, std::unique_ptr<std::string>>> queue_of_strings;
static std::set<std::string> interned;
static std::map<unsigned, std::vector<std::string>> nested;
static std::vector<std::string> log_lines;

static void map_add(unsigned key)
{
	map_of_strings[key] = make_string(key);
}
static void map_drop(unsigned key)
{
	map_of_strings.erase(key);
}
static void hash_add(unsigned key)
{
	hash_of_strings[key] = make_string(key);
}
static void hash_drop(unsigned key)
{
	hash_of_strings.erase(key);
}
static void strings_add(unsigned key)
{
	list_of_strings.emplace_back(key, make_string(key));
}
static void strings_drop(unsigned key)
{
	list_of_strings.remove_if([&](const auto &item) { return item.first == key; });
}
static void queue_add(unsigned key)
{
	queue_of_strings.emplace_back(key, new std::string(make_string(key)));
}
static void queue_drop(unsigned key)
{
	for (auto at = queue_of_strings.begin(); at != queue_of_strings.end(); ++at)
		if (at->first == key) {
			queue_of_strings.erase(at);
			return;
		}
}
static void interned_add(unsigned key)
{
	interned.insert(make_string(key, 40));
}
static void interned_drop(unsigned key)
{
	interned.erase(make_string(key, 40));
}
static void nested_add(unsigned key)
{
	nested[key] = { make_string(key), make_string(key + 1), make_string(key + 2) };
}
static void nested_drop(unsigned key)
{
	nested.erase(key);
}
static void log_add(unsigned key)
{
	log_lines.push_back(make_string(key, 150));
}
static void log_drop(unsigned key)
{
	for (std::string &line : log_lines)
		if (line == make_string(key, 150)) {
			line.swap(log_lines.back());
			log_lines.pop_back();
			return;
		}
}

struct Registry {
	std::map<unsigned, std::string> items;
	static Registry &get()
	{
		static Registry *registry = new Registry;
		return *registry;
	}
};
static void singleton_add(unsigned key)
{
	Registry::get().items[key] = make_string(key);
}
static void singleton_drop(unsigned key)
{
	Registry::get().items.erase(key);
}

static thread_local std::map<unsigned, std::string> *of_thread;
static void thread_add(unsigned key)
{
	if (!of_thread)
		of_thread = new std::map<unsigned, std::string>;
	(*of_thread)[key] = make_string(key);
}
static void thread_drop(unsigned key)
{
	of_thread->erase(key);
}

/* --- what is bounded ------------------------------------------------------------------- */

enum Policy { OLDEST, ANY, ALL, GENERATION };

static const struct Kind {
	const char *name, *root;
	void (*add)(unsigned key);
	void (*drop)(unsigned key);
	Policy policy;
	unsigned per_round;
} kinds[] = {
	{ "list", "list_head", list_add, list_drop, OLDEST, usual },
	{ "ring", "ring_of_links", ring_add, ring_drop, ANY, usual },
	{ "tree", "tree_top", tree_add, tree_drop, OLDEST, usual },
	{ "buckets", "hash_buckets", buckets_add, buckets_drop, ANY, usual },
	{ "vector", "vector_of_texts", vector_add, vector_drop, OLDEST, usual },
	{ "pages", "first_page", pages_add, pages_drop, OLDEST, usual },
	{ "objects", "objects_by_key", objects_add, objects_drop, ANY, usual },
	{ "observers", "observers", observers_add, observers_drop, OLDEST, usual },
	{ "map", "map_of_strings", map_add, map_drop, ALL, 700 },
	{ "hash", "hash_of_strings", hash_add, hash_drop, ALL, 700 },
	{ "strings", "list_of_strings", strings_add, strings_drop, OLDEST, usual },
	{ "queue", "queue_of_strings", queue_add, queue_drop, OLDEST, usual },
	{ "interned", "interned", interned_add, interned_drop, ANY, usual },
	{ "nested", "nested", nested_add, nested_drop, GENERATION, usual },
	{ "log", "log_lines", log_add, log_drop, GENERATION, usual },
	{ "singleton", "registry", singleton_add, singleton_drop, OLDEST, usual },
	{ "thread", "thread", thread_add, thread_drop, OLDEST, usual },
	{ "library", "library_table", library_add, library_drop, ANY, usual },
	{ "slow", "list_head", list_add, list_drop, OLDEST, 6 },
	{ "fast", "map_of_strings", map_add, map_drop, OLDEST, 4000 },
};

struct Cache {
	const Kind *kind;
	bool is_bounded;
	unsigned next;
	std::vector<unsigned> keys; /* of what is in it, the oldest first */
};

static unsigned draw(unsigned limit)
{
	static unsigned long state = 7;
	state = state * 6364136223846793005ul + 1442695040888963407ul;
	return static_cast<unsigned>((state >> 33) % limit);
}

static void drop(Cache &cache, size_t at)
{
	cache.kind->drop(cache.keys[at]);
	cache.keys.erase(cache.keys.begin() + static_cast<long>(at));
}

/* Before something more comes in. */
static void make_room(Cache &cache)
{
	size_t nr = cache.keys.size();
	size_t gone = cache.kind->policy == ALL          ? nr
		      : cache.kind->policy == GENERATION ? nr / 2
							 : 1;
	for (size_t i = 0; i < gone; i++)
		drop(cache, cache.kind->policy == ANY ? draw((unsigned)nr) : 0);
}

static void fill(Cache &cache, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		if (cache.is_bounded && cache.keys.size() == capacity)
			make_room(cache);
		cache.kind->add(cache.next);
		if (cache.is_bounded)
			cache.keys.push_back(cache.next);
		cache.next++;
	}
}

/* --- what churns beside it --------------------------------------------------------------- */

static char *recent[200]; /* what was used last */
static char *memo[500];   /* results, forgotten together */
static unsigned nr_memo, nr_recent;
static std::vector<std::string> front, back;     /* built anew in turn */
static char *pool[64];                           /* written to again and again */
static std::map<unsigned, std::string> settings; /* read at the start */

static void load()
{
	for (unsigned i = 0; i < 3000; i++)
		settings[i] = make_string(i, 80);
	for (char *&item : pool)
		item = make_text(512, 0);
}

static void churn()
{
	for (unsigned i = 0; i < 90; i++) {
		char *&old = recent[draw(200)];
		free(old);
		old = make_text(64 + 16 * draw(6), nr_recent++);
	}
	for (unsigned i = 0; i < 330; i++) {
		if (nr_memo == 500)
			while (nr_memo)
				free(memo[--nr_memo]);
		memo[nr_memo] = make_text(48, nr_memo);
		nr_memo++;
	}
	/* Without room for more, where pointers to what was would be left. */
	std::vector<std::string> fresh;
	fresh.reserve(200);
	front.swap(back);
	front.swap(fresh);
	for (unsigned i = 0; i < 200; i++)
		front.push_back(make_string(i, 60 + draw(50)));
	for (char *item : pool)
		snprintf(item, 512, "used %u", draw(1u << 30));
}

/* --- rounds ----------------------------------------------------------------------------- */

static void __attribute__((noinline)) wipe()
{
	volatile char bytes[16384];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = 0;
	asm volatile("" : : "r"(bytes) : "memory", "rbx", "r12", "r13", "r14", "r15");
}

static void *work(void *context)
{
	Cache &cache = *static_cast<Cache *>(context);
	load();
	fill(cache, cache.is_bounded ? capacity + 100 : 100);
	/* Until all of them are full. */
	for (unsigned i = 0; i < 20; i++)
		churn();
	wipe();
	printf("root %s\nREADY\n", cache.kind->root);
	fflush(stdout);
	for (char line; read(0, &line, 1) == 1;) {
		fill(cache, cache.kind->per_round);
		churn();
		wipe();
		puts("done");
		fflush(stdout);
	}
	return nullptr;
}

int main(int argc, char **argv)
{
	static Cache cache;
	if (argc == 1)
		for (const Kind &kind : kinds)
			puts(kind.name);
	for (const Kind &kind : kinds)
		if (argc == 3 && !strcmp(argv[1], kind.name))
			cache.kind = &kind;
	if (!cache.kind)
		return argc != 1;
	cache.is_bounded = !strcmp(argv[2], "bounded");
	pthread_t thread;
	if (pthread_create(&thread, nullptr, work, &cache))
		return 1;
	pthread_join(thread, nullptr);
	return 0;
}
