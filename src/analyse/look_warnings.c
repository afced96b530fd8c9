/* look_warnings: what makes the answers of a look less certain; see look.h. */
#include <inttypes.h>

#include "analyse/look.h"

struct error *look_warnings(const struct look *look, struct sentence_vec *warnings)
{
	struct error *error = sentences_copy(warnings, &look->warnings);
	for (size_t i = 0; !error && i < look->damage.nr; i++)
		error = sentences_add(warnings, "part of the heap does not parse: %s",
				      look->damage.items[i]);
	uint64_t unread = look->unread_bytes + look->totals.unread_bytes;
	if (!error && unread)
		error = sentences_add(warnings,
				      "%" PRIu64
				      " bytes are %s and were not read: what they hold "
				      "counts as lost",
				      unread, look->unread_reason);
	if (!error && !look->graph.places.roots_are_kept)
		error = sentences_add(warnings,
				      "the snapshot has one root for each block and no "
				      "places of pointers: what is held from several "
				      "places may look as if one kept it alive");
	if (!error && look->missing_blocks)
		error = sentences_add(warnings,
				      "the file was cut short: %" PRIu64
				      " blocks (%" PRIu64 " bytes) are missing",
				      look->missing_blocks, look->missing_bytes);
	if (!error && block_sites_are_known(&look->sites))
		error = block_sites_warn(&look->sites, &look->graph.space, warnings);
	return error ? error : sentences_group(warnings);
}
