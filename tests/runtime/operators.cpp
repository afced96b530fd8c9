// operators: every form of C++'s operator new and delete, containers, and an allocation that throws.
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace
{

struct alignas(64) Line {
	char bytes[64];
};

int caught()
{
	volatile std::size_t too_much = SIZE_MAX / 4;
	int nr = 0;
	try {
		delete[] new char[too_much];
	} catch (const std::bad_alloc &) {
		nr++;
	}
	return nr + (new (std::nothrow) char[too_much] == nullptr);
}

// Deeper on the stack than where an exception was caught.
int deep(int depth)
{
	volatile char room[64] = {};
	if (depth > 0)
		return deep(depth - 1) + room[0];
	auto *number = new int(7);
	int kept = *number;
	delete number;
	return kept;
}

} // namespace

int main()
{
	std::map<std::string, std::vector<std::string>> words;
	for (int i = 0; i < 3000; i++)
		words["a key that is longer than the strings' own room " +
		      std::to_string(i % 300)]
			.push_back("a value that needs a block " + std::to_string(i));
	for (int i = 0; i < 1000; i++) {
		delete new int(i);
		delete[] new char[i + 1];
		delete new (std::nothrow) int(i);
		delete new Line;
		delete[] new Line[2];
		delete new (std::nothrow) Line;
	}
	std::printf("%zu %d %d\n", words.size(), caught(), deep(100));
	return 0;
}
