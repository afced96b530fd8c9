/* truth: see truth.h. What it keeps is in no block, and addresses are no pointers. */
#include "truth.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct fact {
	uintptr_t hidden;
	const char *wanted, *type;
};

static struct fact facts[8192];
static size_t nr_facts;

void *truth(void *block, const char *wanted, const char *type)
{
	if (nr_facts < sizeof(facts) / sizeof(facts[0]))
		facts[nr_facts++] = (struct fact){ ~(uintptr_t)block, wanted, type };
	return block;
}

void truth_forget(const void *block)
{
	for (size_t i = nr_facts; i-- > 0;)
		if (facts[i].hidden == ~(uintptr_t)block) {
			facts[i] = facts[--nr_facts];
			return;
		}
}

void truth_tell(void)
{
	char line[1024];
	for (size_t i = 0; i < nr_facts; i++) {
		int length = snprintf(line, sizeof(line), "block 0x%jx %s %s\n",
				      (uintmax_t)~facts[i].hidden, facts[i].wanted,
				      facts[i].type);
		if (write(1, line, (size_t)length) != length)
			return;
	}
	if (write(1, "READY\n", 6) == 6)
		for (;;)
			pause();
}
