/* Holds containers that keep room for more than is in them, and waits. */
#include <cstdio>
#include <deque>
#include <string>
#include <unistd.h>
#include <unordered_map>
#include <vector>

struct Entry {
	long a, b;
};

std::vector<Entry> empty, half, full;
std::string text;
std::unordered_map<int, long> table, loaded;
std::deque<Entry> queue;

int main()
{
	empty.reserve(1000);
	half.reserve(400);
	half.resize(100);
	full.reserve(50);
	full.resize(50);
	for (Entry &entry : half)
		entry = { 1, 2 };
	for (Entry &entry : full)
		entry = { 3, 4 };
	text.reserve(5000);
	text = "short";
	table.reserve(1000);
	for (int i = 0; i < 10; i++)
		table[i] = i;
	loaded.max_load_factor(0.5);
	for (int i = 0; i < 100; i++)
		loaded[i] = i;
	for (int i = 0; i < 40; i++)
		queue.push_back({ 5, 6 });
	queue.pop_front();
	printf("%zu %zu\n", table.bucket_count(), loaded.bucket_count());
	puts("READY");
	fflush(stdout);
	for (;;)
		pause();
}
