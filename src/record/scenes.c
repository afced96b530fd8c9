/* scenes: see scenes.h. */
#include "record/scenes.h"

static bool find(struct scenes *scenes, struct scene scene, uint32_t *number)
{
	uint64_t *known = map_at(&scenes->numbers, scene_word(scene));
	if (!known)
		return false;
	if (!*known) {
		scenes->known[scenes->nr] = scene;
		*known = ++scenes->nr;
	}
	*number = (uint32_t)*known - 1;
	return true;
}

/* Once all numbers are given away, the map stays as it is. */
static bool find_or_other(struct scenes *scenes, struct scene scene, uint32_t *number)
{
	if (scenes->nr < SCENES_OTHER)
		return find(scenes, scene, number);
	const uint64_t *known = map_find(&scenes->numbers, scene_word(scene));
	*number = known ? (uint32_t)*known - 1 : SCENES_OTHER;
	return true;
}

bool scenes_number(struct scenes *scenes, struct scene scene, uint32_t *number)
{
	if (!scenes->has_last || scene_word(scenes->last) != scene_word(scene)) {
		scenes->has_last = find_or_other(scenes, scene, &scenes->last_number);
		scenes->last = scene;
	}
	*number = scenes->last_number;
	return scenes->has_last;
}

void scenes_deinit(struct scenes *scenes)
{
	map_deinit(&scenes->numbers);
	*scenes = (struct scenes){ 0 };
}
