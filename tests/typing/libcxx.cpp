/* Whether there is libc++ to build with. */
#include <vector>

int main()
{
	return std::vector<int>(1)[0];
}
