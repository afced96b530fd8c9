/* Another unit of the program: types of the same names as the other's, and types that one has only
   declared. */
#include <stdlib.h>

#include "structs.h"
#include "truth.h"

#define NEW(wanted, type) ((type *)truth(calloc(1, sizeof(type)), wanted, #type))

/* Not what it is in the other unit. */
struct wheel {
	struct rim *rim;
	struct wheel *next;
};
struct rim {
	char width[33];
};

struct wheel *wheels;

void make_elsewhere(void)
{
	for (int i = 0; i < 5; i++) {
		struct wheel *wheel = NEW("told", struct wheel);
		wheel->rim = NEW("told", struct rim);
		wheel->next = wheels;
		wheels = wheel;
	}
}
