// Objects of two classes, alternating, of which those of one are given back: what is left pins.
// Line and Order have the same size; Order comes in two sizes, with one vtable.
#include <cstdio>
#include <cstdlib>
#include <new>
#include <unistd.h>

namespace shop
{
struct Order {
	virtual ~Order() = default;
	long number = 1;
	char text[112] = "an order";
};

struct Line {
	virtual ~Line() = default;
	long number = 2;
	char text[1000] = "a line";
};
} // namespace shop

enum { NR_ORDERS = 6000, LINES_BETWEEN = 3 };

static shop::Order *orders[NR_ORDERS];
static shop::Line *lines[NR_ORDERS * LINES_BETWEEN];

int main()
{
	for (int i = 0; i < NR_ORDERS; i++) {
		// Every other one has room behind it.
		void *memory = std::malloc(sizeof(shop::Order) + (i % 2 ? 64 : 0));
		orders[i] = new (memory) shop::Order;
		for (int k = 0; k < LINES_BETWEEN; k++)
			lines[i * LINES_BETWEEN + k] = new shop::Line;
	}
	for (shop::Line *line : lines)
		delete line;
	std::puts("READY");
	std::fflush(stdout);
	for (;;)
		pause();
}
