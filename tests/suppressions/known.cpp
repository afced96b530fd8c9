/*
 * known: leaks that rules can tell apart: by class, by size, by what hangs on them, and by the
 * variable that holds them.
 *
 * expect: definite 512 in 4
 * expect: indirect 456 in 3
 * expect: possible 248 in 1
 * expect: reachable 280 in 1
 */
#include "plant.h"

namespace
{

struct session {
	virtual ~session() = default;
	void *greeting = nullptr;
	void *shared = nullptr;
	long more[2] = {};
};

struct upload : session {
	long parts[17] = {};
};

} // namespace

/* For rules that name roots. */
extern "C" {
void *volatile known_middle;
void *volatile known_start;
}

/* Both lead to one block. */
static void plant_objects()
{
	auto *one = static_cast<session *>(
		plant_note(new session, PLANT_DEFINITE, "session"));
	auto *other =
		static_cast<upload *>(plant_note(new upload, PLANT_DEFINITE, "upload"));
	one->greeting = plant_sized(56, PLANT_INDIRECT, "greeting of the session");
	one->shared = other->shared = plant_sized(328, PLANT_INDIRECT, "shared");
	*static_cast<void **>(one->shared) =
		plant_sized(72, PLANT_INDIRECT, "below what is shared");
}

static void plant_all()
{
	plant_objects();
	plant_sized(88, PLANT_DEFINITE, "single");
	plant_sized(200, PLANT_DEFINITE, "larger single");
	known_middle =
		static_cast<char *>(plant_sized(248, PLANT_POSSIBLE, "middle")) + 24;
	known_start = plant_sized(280, PLANT_REACHABLE, "start");
}

int main(int argc, char **argv)
{
	plant_run(plant_all);
	plant_wait(argc, argv);
}
