/* deaths: see deaths.h. */
#include "record/deaths.h"

#define FIRST_SIZE 1024u

/* The entry of a death, or the empty one where it belongs. */
static struct death *find(const struct deaths *deaths, const struct death *death)
{
	uint64_t key = death->request ^ (uint64_t)death->what << 40 ^
		       (uint64_t)death->who << 24;
	size_t at = (size_t)(key * 0x9e3779b97f4a7c15u >> deaths->shift);
	for (;; at = (at + 1) & (deaths->size - 1)) {
		struct death *place = &deaths->table[at];
		if (!place->number ||
		    (place->request == death->request && place->what == death->what &&
		     place->who == death->who))
			return place;
	}
}

static bool grow(struct deaths *deaths)
{
	struct deaths larger = *deaths;
	larger.area = (struct area){ 0 };
	larger.size = deaths->size ? deaths->size * 2 : FIRST_SIZE;
	larger.shift = 64 - (unsigned)__builtin_ctzll(larger.size);
	if (!area_reserve(&larger.area, larger.size * sizeof(struct death)))
		return false;
	larger.table = larger.area.memory;
	for (size_t i = 0; i < deaths->size; i++)
		if (deaths->table[i].number)
			*find(&larger, &deaths->table[i]) = deaths->table[i];
	area_release(&deaths->area);
	*deaths = larger;
	return true;
}

uint32_t deaths_number(struct deaths *deaths, uint32_t request, uint32_t what,
		       uint32_t who)
{
	if ((size_t)deaths->nr * 2 >= deaths->size && !grow(deaths))
		return DEATHS_NO_MEMORY;
	const struct death death = { request, what, who, deaths->nr + 1 };
	struct death *place = find(deaths, &death);
	if (!place->number) {
		if (deaths->nr == DEATHS_NO_MEMORY - 1)
			return DEATHS_NO_MEMORY;
		*place = death;
		deaths->nr++;
	}
	return place->number - 1;
}

void deaths_deinit(struct deaths *deaths)
{
	area_release(&deaths->area);
	*deaths = (struct deaths){ 0 };
}
