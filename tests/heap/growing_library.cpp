/* growing_library: a static of a library, which keeps what it is given. */
#include "growing_library.h"

#include <map>
#include <string>

static std::map<unsigned, std::string> library_table;

void library_add(unsigned key)
{
	library_table[key] = std::string(100, static_cast<char>('a' + key % 26));
}

void library_drop(unsigned key)
{
	library_table.erase(key);
}
