/*
 * recording_svg: a flame graph as a picture: the program below, its callees above it, as wide as
 * what they and theirs allocated. A pointer on a frame shows its name and share.
 */
#include "report/renderers_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "report/layout.h"
#include "report/markup_priv.h"
#include "report/recording_tree_priv.h"

#define WIDTH       1200.0
#define FRAME       18u   /* height of a frame */
#define HEAD        40u   /* height of the title */
#define LEAST_WIDTH 0.3   /* what is narrower is left out */
#define LETTER      6.6   /* width of one */
#define MAX_DEPTH   1000u /* of the picture */

/* Where a node stands; children are put one beside the other from `next` on. */
struct place {
	double left, next;
	unsigned depth;
};

struct picture {
	const struct recording_report *report;
	struct str out;
	const uint64_t *values; /* by node */
	struct place *places;
	double scale;    /* columns a unit */
	unsigned height; /* of all frames */
};

static double width_of(const struct picture *picture, uint32_t node)
{
	return picture->scale * (double)picture->values[node];
}

/* Parents stand before their children. */
static void arrange(struct picture *picture)
{
	const struct recording_node_vec *tree = &picture->report->tree;
	unsigned deepest = 0;
	for (uint32_t node = 1; node < tree->nr; node++) {
		struct place *place = &picture->places[node];
		struct place *parent = &picture->places[tree->items[node].parent];
		place->left = place->next = parent->next;
		place->depth = parent->depth + 1;
		parent->next += width_of(picture, node);
		if (place->depth > deepest && place->depth < MAX_DEPTH &&
		    width_of(picture, node) >= LEAST_WIDTH)
			deepest = place->depth;
	}
	picture->height = HEAD + (deepest + 1) * FRAME;
}

/* Warm colours, the same for a function every time. */
static void put_colour(struct str *out, const char *name)
{
	uint64_t hash = hash_mix(hash_bytes(HASH_SEED, name, strlen(name)));
	str_printf(out, "hsl(%u,%u%%,%u%%)", (unsigned)(hash % 50),
		   (unsigned)(70 + (hash >> 8) % 20), (unsigned)(58 + (hash >> 16) % 14));
}

static void put_frame(struct picture *picture, uint32_t node)
{
	const struct recording_report *report = picture->report;
	const struct place *place = &picture->places[node];
	struct str name = { 0 }, *out = &picture->out;
	double width = width_of(picture, node);
	unsigned top = picture->height - (place->depth + 1) * FRAME;
	uint64_t value = picture->values[node], whole = picture->values[0];
	recording_tree_put_name(&name, report, node);
	str_puts(out, "<g><title>");
	markup_put_text(out, str_text(&name));
	str_printf(out, "\n%" PRIu64 " (%.2f %%)</title>", value,
		   100.0 * (double)value / (double)whole);
	str_printf(out, "<rect x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%u\" fill=\"",
		   place->left, top, width, FRAME - 1);
	put_colour(out, str_text(&name));
	str_puts(out, "\"/>");
	size_t letters = (size_t)((width - 6) / LETTER);
	if (width > 6 + 3 * LETTER) {
		str_printf(out, "<text x=\"%.2f\" y=\"%u\">", place->left + 3,
			   top + FRAME - 5);
		markup_put_start(out, str_text(&name), letters);
		str_puts(out, "</text>");
	}
	str_puts(out, "</g>\n");
	out->failed |= name.failed;
	str_deinit(&name);
}

static void put_head(struct picture *picture)
{
	const struct recording_report *report = picture->report;
	str_printf(
		&picture->out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%u\" "
		"viewBox=\"0 0 %.0f %u\">\n"
		"<style>text{font:11px monospace;fill:#000;pointer-events:none}"
		"rect:hover{stroke:#000}</style>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\" "
		"style=\"stroke:none\"/>\n"
		"<text x=\"6\" y=\"24\" style=\"font-size:15px\">",
		WIDTH, picture->height, WIDTH, picture->height);
	markup_put_text(&picture->out, report->target);
	str_printf(&picture->out, ": %s", recording_order_names[report->order]);
	str_puts(&picture->out, report->order < RECORDING_ALLOCATIONS ? " bytes" : "");
	str_puts(&picture->out, "</text>\n");
}

static void draw(struct picture *picture)
{
	uint64_t whole = picture->values[0];
	picture->scale = whole ? WIDTH / (double)whole : 0;
	arrange(picture);
	put_head(picture);
	for (uint32_t node = 0; node < picture->report->tree.nr; node++)
		if (width_of(picture, node) >= LEAST_WIDTH &&
		    picture->places[node].depth < MAX_DEPTH)
			put_frame(picture, node);
	str_puts(&picture->out, "</svg>\n");
}

struct str recording_svg(const struct recording_report *report,
			 const struct report_options *options)
{
	uint64_t *values = recording_tree_values(report, report->order);
	struct picture picture = {
		.report = report,
		.values = values,
		.places = calloc(report->tree.nr, sizeof(struct place)),
	};
	(void)options;
	if (values && picture.places)
		draw(&picture);
	else
		picture.out.failed = true;
	free(picture.places);
	free(values);
	return picture.out;
}
