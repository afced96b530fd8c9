// Counts words of a made-up text in maps of strings: an ordinary C++ program that allocates a lot.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace
{

std::uint64_t state = 88172645463325252u;

std::uint64_t next() // xorshift64
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

std::string word()
{
	std::string text("the quick brown fox ");
	for (std::uint64_t left = next() % 50000; left; left /= 26)
		text += static_cast<char>('a' + left % 26);
	return text;
}

void read(std::map<std::string, std::vector<int>> &places, int line)
{
	std::vector<std::string> words;
	for (int i = 0; i < 12; i++)
		words.push_back(word());
	for (const std::string &one : words)
		places[one].push_back(line);
}

} // namespace

int main(int argc, char **argv)
{
	const int lines = argc > 1 ? std::atoi(argv[1]) : 200000;
	std::map<std::string, std::vector<int>> places;
	for (int line = 0; line < lines; line++)
		read(places, line);
	std::unordered_map<std::string, std::size_t> counts;
	for (const auto &[text, found] : places)
		counts[text.substr(4)] += found.size();
	std::printf("%zu %zu\n", places.size(), counts.size());
	return 0;
}
