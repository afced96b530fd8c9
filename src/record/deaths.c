/* deaths: see deaths.h. */
#include "record/deaths.h"

#include "base/vec.h"
#include "snap/trace.h"

#define LOW_BITS 4u
#define NR_LOW   (1u << LOW_BITS)

uint64_t death_flags(const struct birth *birth, uint64_t us, uint64_t marks,
		     bool is_temporary)
{
	static const uint64_t limits_us[] = TRACE_LIFE_LIMITS_US;
	uint64_t lived_us = us - birth->us, life = 0;
	while (life < ARRAY_SIZE(limits_us) && lived_us >= limits_us[life])
		life++;
	return (marks - birth->marks) << LOW_BITS | life << 1 | is_temporary;
}

static uint32_t *common_at(struct deaths *deaths, const struct death *death)
{
	if (death->request >= deaths->nr_requests) {
		uint64_t nr = ((uint64_t)death->request + 1) * 2;
		if (!area_reserve(&deaths->common, nr * NR_LOW * sizeof(uint32_t)))
			return NULL;
		deaths->nr_requests = nr;
	}
	return (uint32_t *)deaths->common.memory + (uint64_t)death->request * NR_LOW +
	       death->flags % NR_LOW;
}

/* Where the number of a rare one is kept. */
static uint64_t *other_at(struct deaths *deaths, const struct death *death)
{
	uint64_t nr = deaths->scenes.nr;
	uint64_t marks = death->flags >> LOW_BITS;
	uint64_t *scene = map_at(&deaths->scenes, death->thread << 16 | marks);
	if (!scene)
		return NULL;
	if (!*scene)
		*scene = nr + 1;
	uint64_t key = (*scene << LOW_BITS | death->flags % NR_LOW) << 32 |
		       death->request;
	return map_at(&deaths->others, key);
}

static uint32_t number_at(struct deaths *deaths, const uint64_t known)
{
	if (known)
		return (uint32_t)known - 1;
	return deaths->nr < DEATHS_NO_MEMORY - 1 ? deaths->nr++ : DEATHS_NO_MEMORY;
}

uint32_t deaths_number(struct deaths *deaths, const struct death *death)
{
	uint32_t number = DEATHS_NO_MEMORY;
	if (death->flags < NR_LOW && !death->thread) {
		uint32_t *common = common_at(deaths, death);
		if (common) {
			number = number_at(deaths, *common);
			*common = number + 1;
		}
	} else {
		uint64_t *other = other_at(deaths, death);
		if (other) {
			number = number_at(deaths, *other);
			*other = (uint64_t)number + 1;
		}
	}
	return number;
}

void deaths_deinit(struct deaths *deaths)
{
	area_release(&deaths->common);
	map_deinit(&deaths->scenes);
	map_deinit(&deaths->others);
	*deaths = (struct deaths){ 0 };
}
