/*
 * holding: a heap whose holders are known. Says which blocks are where, then READY; each line
 * on stdin makes it grow, after which it says "done".
 *
 * chain		100 Nodes, each with a text of 200 bytes of its own
 * left, right		one block of 1000 bytes, held by both
 * big			4,000,000 bytes, with the only pointer to "far" 3,000,000 bytes in
 * teller		a block of 40 bytes, which points 2,000,000 bytes into "big"
 * ring			two Rings that hold each other by shared_ptr; three more are lost
 * twins, voids		five equal texts of 150 bytes, three blocks of 2050 zeros
 * a thread		the only pointer to "local" on its stack
 * hoard		what grows and is never touched again
 * cache		what is replaced all the time, and never has more than 64 texts
 */
#include <pthread.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

struct Node {
	virtual ~Node() = default;
	Node *next = nullptr;
	char *text = nullptr;
	long numbers[5] = { 1 };
};

struct Ring {
	virtual ~Ring() = default;
	std::shared_ptr<Ring> other;
	long numbers[4] = { 2 };
};

struct Entry {
	Entry *next;
	char text[232];
};

Node *chain;
char *left, *right;
char *big;
char **teller;
std::shared_ptr<Ring> ring;
Entry *hoard;
char *cache[64];
char *twins[5];
void *voids[3];
static unsigned nr_cached;

static void tell(const char *name, const void *address)
{
	printf("%s %p\n", name, address);
}

static char *make_text(size_t size, unsigned number)
{
	char *text = static_cast<char *>(malloc(size));
	memset(text, 'a' + number % 26, size - 1);
	text[size - 1] = '\0';
	snprintf(text, size, "%u", number);
	text[strlen(text)] = ' ';
	return text;
}

static void make_chain()
{
	for (unsigned i = 0; i < 100; i++) {
		Node *node = new Node;
		node->text = make_text(200, i);
		node->next = chain;
		chain = node;
	}
	tell("first", chain);
	tell("second", chain->next);
}

static void make_big()
{
	big = static_cast<char *>(malloc(4000000));
	memset(big, 1, 4000000);
	char *far = make_text(104, 7);
	memcpy(big + 3000000, &far, sizeof(far));
	teller = static_cast<char **>(malloc(40));
	memset(teller, 0, 40);
	teller[2] = big + 2000000;
	tell("big", big);
	tell("far", far);
	tell("teller", teller);
	/* Nothing else has it in the end. */
	memset(&far, 0, sizeof(far));
	asm volatile("" : : "r"(&far) : "memory");
}

static void __attribute__((noinline)) make_rings()
{
	ring = std::make_shared<Ring>();
	ring->other = std::make_shared<Ring>();
	ring->other->other = ring;
	auto one = std::make_shared<Ring>(), two = std::make_shared<Ring>(),
	     three = std::make_shared<Ring>();
	one->other = two;
	two->other = three;
	three->other = one;
}

static void make_equals()
{
	for (char *&twin : twins)
		twin = make_text(150, 150);
	for (void *&empty : voids)
		empty = calloc(1, 2050);
}

static void grow()
{
	for (unsigned i = 0; i < 200; i++) {
		Entry *entry = static_cast<Entry *>(malloc(sizeof(Entry)));
		memset(entry, 'h', sizeof(*entry));
		entry->next = hoard;
		hoard = entry;
	}
	for (unsigned i = 0; i < 100; i++) {
		unsigned at = nr_cached++ % 64;
		free(cache[at]);
		cache[at] = make_text(400, nr_cached);
	}
}

/* What functions that have returned left on the stack and in registers. */
static void __attribute__((noinline)) wipe()
{
	volatile char bytes[16384];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = 0;
	asm volatile("" : : "r"(bytes) : "memory", "rbx", "r12", "r13", "r14", "r15");
}

static void hold_local(pthread_barrier_t *ready)
{
	char *volatile local = make_text(520, 3);
	tell("local", local);
	fflush(stdout);
	pthread_barrier_wait(ready);
	for (;;)
		pause();
	asm volatile("" : : "r"(local));
}

int main()
{
	pthread_barrier_t ready;
	make_chain();
	left = right = make_text(1000, 5);
	tell("shared", left);
	make_big();
	make_rings();
	make_equals();
	grow();
	wipe();
	pthread_barrier_init(&ready, nullptr, 2);
	std::thread(hold_local, &ready).detach();
	pthread_barrier_wait(&ready);
	wipe();
	puts("READY");
	fflush(stdout);
	for (char line; read(0, &line, 1) == 1;) {
		if (line != '\n')
			continue;
		grow();
		wipe();
		puts("done");
		fflush(stdout);
	}
	for (;;)
		pause();
}
