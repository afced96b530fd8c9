/* accounts: see accounts.h. */
#include "record/accounts.h"

static struct account *at(const struct accounts *accounts, uint32_t request)
{
	return (struct account *)accounts->items.memory + request;
}

/* To be called before an account's live blocks change. */
static void note_peak(const struct accounts *accounts, struct account *account)
{
	if (account->peak == accounts->peak)
		return;
	account->peak = accounts->peak;
	account->noted = account->live;
}

bool accounts_in(struct accounts *accounts, uint32_t request)
{
	if (!area_reserve(&accounts->items,
			  ((size_t)request + 1) * sizeof(struct account)))
		return false;
	if (request >= accounts->nr)
		accounts->nr = request + 1;
	struct account *account = at(accounts, request);
	note_peak(accounts, account);
	account->allocations++;
	account->live++;
	return true;
}

void accounts_out(struct accounts *accounts, uint32_t request)
{
	struct account *account = at(accounts, request);
	note_peak(accounts, account);
	account->live--;
}

void accounts_out_all(struct accounts *accounts)
{
	for (; accounts->nr_over < accounts->nr; accounts->nr_over++) {
		struct account *account = at(accounts, accounts->nr_over);
		note_peak(accounts, account);
		account->live = 0;
	}
}

void accounts_temporary(struct accounts *accounts, uint32_t request)
{
	at(accounts, request)->temporary++;
}

void accounts_peak(struct accounts *accounts)
{
	accounts->peak++;
}

void accounts_deinit(struct accounts *accounts)
{
	area_release(&accounts->items);
	*accounts = (struct accounts){ 0 };
}

const struct account *accounts_at(const struct accounts *accounts, uint32_t request)
{
	return at(accounts, request);
}

uint64_t accounts_peak_blocks(const struct accounts *accounts,
			      const struct account *account)
{
	return account->peak == accounts->peak ? account->noted : account->live;
}
