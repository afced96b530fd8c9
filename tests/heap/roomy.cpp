/* Holds containers that keep room for more than is in them, and waits. */
#include <cstdio>
#include <string>
#include <unistd.h>
#include <vector>

struct Entry {
	long a, b;
};

std::vector<Entry> empty, half, full;
std::string text;

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
	puts("READY");
	fflush(stdout);
	for (;;)
		pause();
}
