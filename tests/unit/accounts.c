/* Tests of record/accounts: what was live at the peak, against copies made at each peak. */
#include "record/accounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REQUESTS 50u

static void against_copies(void **state)
{
	struct accounts accounts = { 0 };
	uint64_t live[REQUESTS] = { 0 }, copied[REQUESTS] = { 0 };
	uint64_t all = 0, most = 0;
	(void)state;
	srand(7);
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t request = (uint32_t)rand() % REQUESTS;
		bool grows = !live[request] || rand() % 100 < 52;
		if (grows) {
			assert_true(accounts_in(&accounts, request));
			live[request]++;
			all++;
		} else {
			accounts_out(&accounts, request);
			live[request]--;
			all--;
		}
		if (all <= most)
			continue;
		most = all;
		memcpy(copied, live, sizeof(copied));
		accounts_peak(&accounts);
	}
	for (uint32_t i = 0; i < accounts.nr; i++) {
		const struct account *account = accounts_at(&accounts, i);
		assert_int_equal(account->live, live[i]);
		assert_int_equal(accounts_peak_blocks(&accounts, account), copied[i]);
	}
	accounts_deinit(&accounts);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(against_copies) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
